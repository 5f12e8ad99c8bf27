"""A rehearsed write is performed once, by its owner, and no client can tell that it was rehearsed."""

import hashlib
import hmac
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from listening_comparer import Comparer
from raw_client import Client, fetch
from recording_origin import Asked, Origin, Peer, answer, fresh, says, says_once
from running_proxy import ROOT, RunningProxy, route, table, until

from proxy.pairs import Failure, Response

KEY = "the-key-of-the-installation"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
REHEARSED = "shadow = { percent = 100, rehearse = true }"
PREFIX = "/__strangler__/rehearse"


def _routes(monolith: Origin, service: Origin) -> str:
    return table(
        monolith.url,
        service.url,
        route("rehearsed", "shadow", REHEARSED, methods=("GET", *WRITES)),
        route("small", "shadow", REHEARSED, "fallback = { max_body = 8 }", methods=WRITES),
        route("performed", "shadow", "shadow = { percent = 100 }", methods=WRITES),
        route("waiting", "monolith", REHEARSED, methods=WRITES),
        route("taken", "service", REHEARSED, methods=WRITES, group="writes"),
    )


@pytest.fixture(scope="module")
def rehearsing(
    tmp_path_factory: pytest.TempPathFactory,
    monolith: Origin,
    service: Origin,
    comparer: tuple[Comparer, Path],
) -> Iterator[RunningProxy]:
    running = RunningProxy(
        tmp_path_factory.mktemp("rehearsing"),
        _routes(monolith, service),
        "--pairs",
        str(comparer[1]),
        "--access-log",
        str(tmp_path_factory.mktemp("log") / "access.jsonl"),
        STRANGLER_REHEARSAL_KEY=KEY,
    )
    yield running
    running.stop()


def _counted(running: RunningProxy, route_name: str, outcome: str) -> int:
    wanted = f'strangler_rehearsals_total{{outcome="{outcome}",route="{route_name}"}} '
    page = fetch(running.admin_port, "/metrics").body.decode()
    found = (line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(wanted))
    return int(float(next(found, "0")))


def _is_proof(value: bytes, purpose: str, asked: Asked) -> bool:
    until_, _, signature = value.decode().partition(".")
    words = f"{purpose}\n{asked.method}\n{asked.target}\n{until_}"
    return signature == hmac.new(KEY.encode(), words.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "route 'rehearsed', shadow.rehearse: found true without a key"),
        ("too short", "STRANGLER_REHEARSAL_KEY: found 9 characters; wanted 16 or more"),
    ],
)
def test_a_table_that_asks_for_rehearsals_is_refused_without_a_key(
    tmp_path: Path, monolith: Origin, service: Origin, key: str, said: str
) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(_routes(monolith, service))
    command = [RunningProxy.python, "-m", "proxy", "--table", str(file), "--bind", "127.0.0.1:0"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
        env={"PATH": "/usr/bin", "STRANGLER_REHEARSAL_KEY": key},
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr


def test_a_table_that_begins_to_ask_for_rehearsals_without_a_key_changes_nothing(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    before = proxy.table.read_text()
    version = proxy.ask("status")[0]["version"]
    try:
        for each in proxy.apply(_routes(monolith, service)):
            assert "without a key" in each["rejected"]["reason"]
        assert {each["version"] for each in proxy.ask("status")} == {version}
    finally:
        proxy.apply(before)


@pytest.mark.parametrize("method", WRITES)
def test_a_write_is_performed_by_its_owner_once_and_rehearsed_by_the_service_once(
    rehearsing: RunningProxy,
    comparer: tuple[Comparer, Path],
    monolith: Origin,
    service: Origin,
    method: str,
) -> None:
    path = fresh("/rehearsed/")
    with Client(rehearsing.port) as client:
        assert client.ask(method, path + "?a=%2F", body=b"a body").body == b'{"from":"monolith"}'
    pair = comparer[0].pair_of(path + "?a=%2F")
    (control,), (candidate,) = monolith.wait_for(path), service.wait_for(PREFIX + path)
    assert service.asked(path) == []
    assert (candidate.method, candidate.target) == (method, PREFIX + path + "?a=%2F")
    assert control.raw_body == candidate.raw_body == pair.request.body == b"a body"
    assert (pair.request.method, pair.stage) == (method, "shadow")
    assert _is_proof(control.values(b"x-strangler-record")[0], "record", control)
    assert _is_proof(candidate.values(b"x-strangler-rehearsal")[0], "rehearse", candidate)
    ours = (b"traceparent", b"X-Strangler-Record", b"X-Strangler-Rehearsal")
    assert [each for each in control.headers if each[0] not in ours] == [
        each for each in candidate.headers if each[0] not in ours
    ]


def test_a_rehearsal_never_delays_the_client_nor_its_next_request(
    rehearsing: RunningProxy, comparer: tuple[Comparer, Path], service: Origin
) -> None:
    release = threading.Event()

    def never(peer: Peer, asked: Asked) -> None:
        assert release.wait(30)
        peer.body(asked)
        peer.send(answer())

    paths = [fresh("/rehearsed/") for _ in range(5)]
    for path in paths:
        service.scripted(PREFIX + path, never)
    try:
        with Client(rehearsing.port) as client:
            assert [client.ask("POST", path, body=b"x").status for path in paths] == [200] * 5
        service.wait_for(PREFIX + paths[0])
    finally:
        release.set()
    for path in paths[:2]:  # they have ended before another test begins
        comparer[0].pair_of(path)


def test_a_rehearsal_is_asked_beside_the_control_and_not_after_it(
    rehearsing: RunningProxy, comparer: tuple[Comparer, Path], monolith: Origin, service: Origin
) -> None:
    path = fresh("/rehearsed/")
    rehearsed = threading.Event()

    def answers_after_the_rehearsal(peer: Peer, asked: Asked) -> None:
        peer.body(asked)
        assert rehearsed.wait(10)
        peer.send(answer(b"control"))

    def rehearses(peer: Peer, asked: Asked) -> None:
        peer.body(asked)
        peer.send(answer(b"candidate"))
        rehearsed.set()

    monolith.scripted(path, answers_after_the_rehearsal)
    service.scripted(PREFIX + path, rehearses)
    with Client(rehearsing.port) as client:
        assert client.ask("POST", path, body=b"x").body == b"control"
    pair = comparer[0].pair_of(path)
    assert isinstance(pair.control_answer, Response)
    assert isinstance(pair.candidate_answer, Response)
    assert (pair.control_answer.body, pair.candidate_answer.body) == (b"control", b"candidate")


def test_effects_reach_the_comparer_from_both_sides_and_no_client(
    rehearsing: RunningProxy, comparer: tuple[Comparer, Path], monolith: Origin, service: Origin
) -> None:
    path = fresh("/rehearsed/")
    effects = b"v1;" + b"x" * 7900
    monolith.scripted(path, says(answer(headers=[(b"X-Strangler-Effects", effects + b"m")])))
    candidates = [(b"X-Strangler-Effects", effects + b"s"), (b"Set-Cookie", b"rehearsed=1")]
    service.scripted(PREFIX + path, says(answer(headers=candidates)))
    with Client(rehearsing.port) as client:
        got = client.ask("POST", path, body=b"x")
    assert not [name for name, _ in got.headers if name.lower().startswith("x-strangler-")]
    assert "rehearsed" not in "".join(got.values("Set-Cookie"))
    pair = comparer[0].pair_of(path)
    for side, end in ((pair.control_answer, b"m"), (pair.candidate_answer, b"s")):
        assert isinstance(side, Response)
        assert (b"X-Strangler-Effects", effects + end) in side.headers


@pytest.mark.parametrize("name", ["performed", "waiting", "taken"])
def test_no_other_write_is_rehearsed_or_recorded(
    rehearsing: RunningProxy, monolith: Origin, service: Origin, name: str
) -> None:
    path, marker = fresh(f"/{name}/"), fresh("/rehearsed/")
    owner = service if name == "taken" else monolith
    owner.scripted(path, says(answer(headers=[(b"X-Strangler-Effects", b"v1;x")])))
    with Client(rehearsing.port) as client:
        assert client.ask("POST", path, body=b"x").values("X-Strangler-Effects") == []
        client.ask("POST", marker, body=b"x")
    service.wait_for(PREFIX + marker)
    (asked,) = owner.asked(path)
    assert asked.values(b"x-strangler-record") == []
    assert service.asked(PREFIX + path) == []


def test_a_read_of_a_rehearsed_route_is_shadowed_as_any_other(
    rehearsing: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/rehearsed/")
    fetch(rehearsing.port, path)
    (asked,) = service.wait_for(path)
    assert asked.values(b"x-strangler-shadow") == [b"1"]
    assert monolith.asked(path)[0].values(b"x-strangler-record") == []


@pytest.mark.parametrize("line", ["Content-Length: 9", "Transfer-Encoding: chunked"])
def test_a_write_with_too_large_a_body_is_performed_counted_and_not_rehearsed(
    rehearsing: RunningProxy, monolith: Origin, service: Origin, line: str
) -> None:
    path, marker = fresh("/small/"), fresh("/small/")
    before = _counted(rehearsing, "small", "too_large")
    body = b"9\r\n123456789\r\n0\r\n\r\n" if "chunked" in line else b"123456789"
    with Client(rehearsing.port) as client:
        client.send(f"POST {path} HTTP/1.1\r\nHost: shop.example\r\n{line}\r\n\r\n".encode() + body)
        assert client.answer("POST").status == 200
        client.ask("POST", marker, body=b"12345678")
    service.wait_for(PREFIX + marker)
    assert service.asked(PREFIX + path) == []
    assert monolith.asked(path)[0].raw_body == body
    assert _counted(rehearsing, "small", "too_large") == before + 1


def test_a_chunked_write_is_rehearsed_in_chunks(
    rehearsing: RunningProxy, comparer: tuple[Comparer, Path], service: Origin
) -> None:
    path = fresh("/rehearsed/")
    with Client(rehearsing.port) as client:
        client.send(f"POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        client.send(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
        assert client.answer("POST").status == 200
    assert comparer[0].pair_of(path).request.body == b"abc"
    assert service.wait_for(PREFIX + path)[0].raw_body == b"3\r\nabc\r\n0\r\n\r\n"


def test_a_write_whose_owner_gives_no_whole_answer_is_no_pair(
    rehearsing: RunningProxy, comparer: tuple[Comparer, Path], monolith: Origin, service: Origin
) -> None:
    path, marker = fresh("/rehearsed/"), fresh("/rehearsed/")
    before = _counted(rehearsing, "rehearsed", "dropped")

    def resets(peer: Peer, asked: Asked) -> None:
        peer.body(asked)
        service.wait_for(PREFIX + path)
        peer.reset()

    monolith.scripted(path, resets)
    with Client(rehearsing.port) as client:
        assert client.ask("POST", path, body=b"x").status == 502
        assert client.ask("POST", marker, body=b"x").status == 200
    comparer[0].pair_of(marker)
    assert _counted(rehearsing, "rehearsed", "dropped") == before + 1


def test_a_write_that_its_owner_answers_before_it_is_whole_is_not_rehearsed(
    rehearsing: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/rehearsed/")
    before = _counted(rehearsing, "rehearsed", "dropped")
    monolith.scripted(path, lambda peer, asked: peer.send(answer(status="413 Too Large")))
    with Client(rehearsing.port) as client:
        client.send(f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n".encode() + b"ab")
        assert client.answer("POST").status == 413
    assert service.asked(PREFIX + path) == []
    assert _counted(rehearsing, "rehearsed", "dropped") == before + 1


def test_a_service_that_fails_a_rehearsal_is_a_failure_in_its_pair(
    rehearsing: RunningProxy, comparer: tuple[Comparer, Path], service: Origin
) -> None:
    path = fresh("/rehearsed/")
    service.scripted(PREFIX + path, lambda peer, asked: peer.reset())
    with Client(rehearsing.port) as client:
        assert client.ask("DELETE", path).status == 200
    assert isinstance(comparer[0].pair_of(path).candidate_answer, Failure)


def test_a_service_rehearses_two_writes_at_once_for_a_worker_and_no_more(
    monolith: Origin, service: Origin, tmp_path: Path
) -> None:
    running = RunningProxy(tmp_path, _routes(monolith, service), workers=1, STRANGLER_REHEARSAL_KEY=KEY)
    paths = [fresh("/rehearsed/") for _ in range(3)]
    release = threading.Event()
    for path in paths:
        service.scripted(PREFIX + path, says_once(release))
    try:
        with Client(running.port) as client:
            for path in paths[:2]:
                client.ask("POST", path, body=b"x")
                service.wait_for(PREFIX + path)
            assert client.ask("POST", paths[2], body=b"x").status == 200
        assert _counted(running, "rehearsed", "busy") == 1
        assert monolith.asked(paths[2])[0].values(b"x-strangler-record") == []
        assert service.asked(PREFIX + paths[2]) == []
    finally:
        release.set()
        running.stop()


def test_a_quiet_group_is_not_rehearsed_and_tells_what_is_still_under_way(
    monolith: Origin, service: Origin, tmp_path: Path
) -> None:
    running = RunningProxy(tmp_path, _routes(monolith, service), workers=1, STRANGLER_REHEARSAL_KEY=KEY)
    under_way = [fresh("/rehearsed/") for _ in range(2)]
    release = threading.Event()
    for path in under_way:
        service.scripted(PREFIX + path, says_once(release))
    try:
        with Client(running.port) as client:
            for path in under_way:
                client.ask("POST", path, body=b"x")
                service.wait_for(PREFIX + path)
            (told,) = running.ask("quiet", group="reads", seconds=30)
            assert told["writes"] == 2
            later = fresh("/rehearsed/")
            assert client.ask("POST", later, body=b"x").status == 200
        release.set()
        until(lambda: running.ask("quiet", group="reads", seconds=30)[0]["writes"] == 0, "they end")
        assert _counted(running, "rehearsed", "busy") == 1
        assert service.asked(PREFIX + later) == []
    finally:
        release.set()
        running.stop()


def test_a_client_cannot_ask_for_a_rehearsal_or_a_recording(
    rehearsing: RunningProxy, monolith: Origin
) -> None:
    path = fresh("/kept-by-nobody/")
    with Client(rehearsing.port) as client:
        assert client.ask("POST", PREFIX + path).status == 404
    with Client(rehearsing.port) as client:
        client.ask("POST", path, "X-Strangler-Record: 1.x", "X-Strangler-Rehearsal: 1.x", body=b"x")
    (asked,) = monolith.wait_for(path)
    assert [name for name, _ in asked.headers if b"Strangler" in name] == []


def test_the_access_log_tells_which_writes_were_rehearsed(rehearsing: RunningProxy) -> None:
    arguments = rehearsing.process.args
    assert isinstance(arguments, list)
    log = Path(str(arguments[arguments.index("--access-log") + 1]))
    with Client(rehearsing.port) as client:
        ids = [client.ask(method, fresh("/rehearsed/")).value("X-Request-ID") for method in ("DELETE", "GET")]

    def lines() -> dict[str, dict[str, object]]:
        return {each["request_id"]: each for each in map(json.loads, log.read_text().splitlines())}

    until(lambda: set(ids) <= set(lines()), "both lines are there")
    assert [lines()[each].get("rehearsed") for each in ids] == [True, None]
