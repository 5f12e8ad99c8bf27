"""Every error of the proxy can happen, and is told to client, log and metrics without an address."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from raw_client import HOST, Answer, BrokenOff, Client, head
from recording_origin import Asked, Gone, Origin, Peer, answer, fresh, resets, says, says_and_closes
from running_proxy import EVERY_STAGE, RunningProxy, table, until

from proxy.errors import ForwardError
from proxy.holds import MOST_PARKED
from proxy.pool import MAX_WAITING
from tests.ports import free_port

DEAD = """
[upstreams.dead]
url = "http://127.0.0.1:{port}"
[groups.dead]
service = "dead"
tables = ["shop_dead"]
owner = "service"
[[routes]]
name = "dead"
group = "dead"
path = "/dead/"
methods = ["GET"]
stage = "retired"
breaker = {{ enabled = false }}
[[routes]]
name = "broken"
group = "dead"
path = "/broken/"
methods = ["POST"]
stage = "retired"
breaker = {{ volume = 1, percent = 1 }}
"""


@dataclass(frozen=True)
class Scene:
    """A proxy without patience, its origin, and its access log."""

    running: RunningProxy
    service: Origin
    log: Path
    dead_port: int

    def lines(self) -> list[dict[str, Any]]:
        whole, _, _ = self.log.read_text().rpartition("\n")  # the last line may be on its way
        return [json.loads(line) for line in whole.splitlines()]

    def told(self, error: ForwardError) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("error") == error.id]

    def counted(self, error: ForwardError) -> bool:
        with urlopen(f"http://127.0.0.1:{self.running.admin_port}/metrics") as answer:
            return f'strangler_proxy_errors_total{{error="{error.id}"}}' in answer.read().decode()

    def send(self, data: bytes, method: str = "GET") -> Answer:
        with Client(self.running.port) as client:
            client.send(data)
            return client.answer(method)

    def scripted(self, script: Callable[[Peer, Asked], None], prefix: str = "/moved/") -> Answer:
        path = fresh(prefix)
        self.service.scripted(path, script)
        return self.send(head("POST", path, "Content-Length: 1") + b"x")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("errors")
    dead_port = free_port()
    text = table(monolith.url, service.url, *EVERY_STAGE, DEAD.format(port=dead_port))
    patience = [f"--{what}-seconds=0.5" for what in ("head", "body", "reader")]
    log = folder / "access.jsonl"
    options = (*patience, "--connections", "4", "--access-log", str(log))
    running = RunningProxy(folder, text, *options, workers=1, STRANGLER_SERVICE_KEY="k" * 32)
    yield Scene(running, service, log, dead_port)
    running.stop()


def _silent(peer: Peer, asked: Asked) -> None:
    peer.sees_the_end()
    peer.close()


def _truncated(scene: Scene) -> None:
    with pytest.raises((BrokenOff, ConnectionResetError)):
        scene.scripted(says_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"))


def _stalled(scene: Scene) -> None:
    path = fresh("/retired/")
    gone = threading.Event()

    def pouring(peer: Peer, asked: Asked) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        try:
            while True:
                peer.send(b"x" * 100_000)
        except Gone:
            gone.set()
            raise

    scene.service.scripted(path, pouring)
    with Client(scene.running.port) as client:
        client.send(head("GET", path))
        assert gone.wait(10)


def _overloaded(scene: Scene) -> Answer:
    release = threading.Event()

    def held(peer: Peer, asked: Asked) -> None:
        release.wait(20)
        says(b"HTTP/1.1 204 No Content\r\n\r\n")(peer, asked)

    path = fresh("/retired/")
    scene.service.scripted(path, held)
    with ExitStack() as stack:
        stack.callback(release.set)
        for _ in range(MAX_WAITING + 4):
            client = stack.enter_context(Client(scene.running.port))
            client.send(head("GET", path))
        until(lambda: scene.running.ask("status")[0]["connections"] >= MAX_WAITING + 4, "all wait")
        return scene.send(head("GET", path))


def _breaker_open(scene: Scene) -> Answer:
    scene.send(head("POST", "/broken/"))
    return scene.send(head("POST", "/broken/"))


def _hold_full(scene: Scene) -> Answer:
    scene.running.ask("hold", group="writes", seconds=30)
    with ExitStack() as stack:
        stack.callback(scene.running.ask, "release", group="writes")
        for _ in range(MOST_PARKED):
            client = stack.enter_context(Client(scene.running.port))
            client.send(head("POST", fresh("/moved/")))
        until(lambda: _parked(scene) == MOST_PARKED, "all are parked")
        return scene.send(head("POST", fresh("/moved/")))


def _parked(scene: Scene) -> int:
    number: int = scene.running.ask("status")[0]["groups"]["writes"]["parked"]
    return number


def _owner_moving(scene: Scene) -> Answer:
    path = fresh("/moved/")
    moved = answer(b"", "409 Conflict", [(b"X-Strangler-Moved", b"writes; epoch=2; effect=none")])
    scene.service.scripted(path, says(moved))
    return scene.send(head("POST", path, "Content-Length: 70000") + b"x" * 70_000)  # too large to be kept


def _http(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


E = ForwardError
PROVOKED: dict[ForwardError, Callable[[Scene], Answer | None]] = {
    E.BAD_REQUEST: lambda scene: scene.send(_http("GET / HTTP/1.1", f"Host: {HOST}", "no colon")),
    E.BAD_PATH: lambda scene: scene.send(head("GET", "/a%2fb")),
    E.BAD_HOST: lambda scene: scene.send(_http("GET / HTTP/1.1", "Host: a@b")),
    E.BAD_FRAMING: lambda scene: scene.send(head("GET", "/", "Content-Length: " + "1" * 19)),
    E.METHOD_REFUSED: lambda scene: scene.send(head("TRACE", "/")),
    E.REQUEST_TIMEOUT: lambda scene: scene.send(b"GET / HTTP/1.1\r\n"),
    E.BODY_TIMEOUT: lambda scene: scene.send(head("POST", fresh("/moved/"), "Content-Length: 9") + b"x"),
    E.CLIENT_STALLED: _stalled,
    E.HEAD_TOO_LARGE: lambda scene: scene.send(head("GET", "/", "X: " + "x" * 70_000)),
    E.UPSTREAM_UNREACHABLE: lambda scene: scene.send(head("GET", "/dead/")),
    E.BREAKER_OPEN: _breaker_open,
    E.IDENTITY_UNKNOWN: lambda scene: scene.send(head("GET", fresh("/retired/"), "Cookie: sessionid=s")),
    E.RESERVED_PATH: lambda scene: scene.send(head("GET", "/__strangler__/authenticate")),
    E.UPSTREAM_RESET: lambda scene: scene.scripted(resets),
    E.UPSTREAM_INVALID: lambda scene: scene.scripted(says_and_closes(b"garbage\r\n\r\n")),
    E.UPSTREAM_TRUNCATED: _truncated,
    E.OVERLOADED: _overloaded,
    E.HOLD_FULL: _hold_full,
    E.OWNER_MOVING: _owner_moving,
    E.UPSTREAM_TIMEOUT: lambda scene: scene.scripted(_silent, "/hasty/"),
}


def test_no_error_is_left_out() -> None:
    assert set(PROVOKED) == set(ForwardError)


@pytest.mark.parametrize("error", ForwardError)
def test_an_error_is_told_to_client_log_and_metrics(scene: Scene, error: ForwardError) -> None:
    before = len(scene.told(error))
    got = PROVOKED[error](scene)
    until(lambda: len(scene.told(error)) > before, f"{error.id} is in the log")
    until(lambda: scene.counted(error), f"{error.id} is in the metrics")
    if got is not None:
        said = json.loads(got.body)
        assert (got.status, said["error"], said["detail"]) == (error.status, error.id, error.sentence)
        assert said["request_id"] in {line["request_id"] for line in scene.told(error)}
        _leaks_nothing(scene, got)


def _leaks_nothing(scene: Scene, got: Answer) -> None:
    text = f"{got.headers} {got.body.decode()}".lower()
    places = (
        "127.0.0.1",
        "localhost",
        str(scene.service.port),
        str(scene.dead_port),
        str(scene.running.port),
    )
    assert not any(place in text.replace(got.value("X-Request-ID"), "") for place in places)
    assert not any(word in text for word in ("errno", "traceback", "asyncio", "uvloop", "python", "gunicorn"))
