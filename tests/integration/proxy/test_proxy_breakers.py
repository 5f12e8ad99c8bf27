"""A service that keeps failing is asked no more for a while, and writes are refused rather than misled."""

import threading
from collections.abc import Callable

import pytest
from raw_client import Client, fetch, head
from recording_origin import Asked, Origin, Peer, answer, fresh, resets, says
from running_proxy import ALL, ALONE, RunningProxy, route, until

Start = Callable[..., RunningProxy]

VOLUME = 4
OPENS = "breaker = { volume = 4, open = 3600, budget = 100 }"
REOPENS = "breaker = { volume = 4, open = 0.2, budget = 100 }"
FROM_MONOLITH, FROM_SERVICE = b'{"from":"monolith"}', b'{"from":"service"}'


def _fail(running: RunningProxy, service: Origin, times: int = VOLUME, name: str = "read") -> list[str]:
    """Have the service reset as many reads; return their paths."""
    paths = [fresh(f"/{name}/") for _ in range(times)]
    for path in paths:
        service.scripted(path, resets)
        fetch(running.port, path)
    return paths


def _states(running: RunningProxy) -> dict[str, str]:
    (worker,) = running.ask("status")
    return {each["route"]: each["state"] for each in worker["breakers"]}


@pytest.fixture
def shut(start: Start, service: Origin) -> RunningProxy:
    """A proxy whose route `read` shares an open breaker with nobody."""
    running = start(
        route("read", "service", OPENS),
        route("own", "service", OPENS, ALONE, methods=ALL, group="writes"),
        route("other", "service"),
        workers=1,
    )
    _fail(running, service)
    _fail(running, service, name="own")
    assert _states(running) == {"read": "open", "own": "open", "": "closed"}
    return running


def test_an_open_breaker_sends_reads_to_the_monolith_alone(
    shut: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/read/")
    assert fetch(shut.port, path).body == FROM_MONOLITH
    assert (service.asked(path), len(monolith.asked(path))) == ([], 1)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_a_fallback_an_open_breaker_refuses_with_a_time(
    shut: RunningProxy, monolith: Origin, service: Origin, method: str
) -> None:
    path = fresh("/own/")
    got = fetch(shut.port, path, method=method, body=b"x" if method == "POST" else b"")
    assert got.status == 503
    assert b"breaker_open" in got.body
    assert 3500 < int(got.value("Retry-After")) <= 3600
    assert service.asked(path) == monolith.asked(path) == []


def test_a_refusal_keeps_a_connection_without_a_body_usable(shut: RunningProxy) -> None:
    with Client(shut.port) as client:
        client.send(head("GET", fresh("/own/")) + head("GET", fresh("/other/")))
        assert [client.answer().status for _ in range(2)] == [503, 200]
        assert client.ask("GET", fresh("/other/")).status == 200


def test_an_open_breaker_of_one_route_leaves_the_others_alone(shut: RunningProxy) -> None:
    assert fetch(shut.port, fresh("/other/")).body == FROM_SERVICE


def test_a_flap_never_rewrites_the_table(shut: RunningProxy) -> None:
    text = shut.table.read_text()
    assert "open = 3600" in text
    assert text == (shut.control / "last-good.toml").read_text()


def test_a_flip_keeps_a_breaker_open(shut: RunningProxy) -> None:
    shut.apply(shut.table.read_text() + "# touched\n")
    assert _states(shut)["read"] == "open"


def test_reads_and_writes_share_their_services_breaker(start: Start, service: Origin) -> None:
    running = start(
        route("read", "service"),
        route("write", "service", methods=ALL, group="writes"),
        workers=1,
    )
    _fail(running, service, times=20)
    assert _states(running) == {"": "open"}
    got = fetch(running.port, fresh("/write/"), method="POST", body=b"x")
    assert (got.status, got.value("Retry-After")) == (503, "5")
    assert fetch(running.port, fresh("/write/")).body == FROM_MONOLITH


def _let_probe(running: RunningProxy, service: Origin, path: str) -> Client:
    """Ask for `path` until the breaker lets it through; return the client that waits for that answer."""
    sent: list[Client] = []

    def probes() -> bool:
        client = Client(running.port)
        client.send(head("GET", path))
        until(lambda: bool(service.asked(path)) or client.heard(), "asked or answered")
        sent.append(client)
        return bool(service.asked(path))

    until(probes, "a probe goes")
    for client in sent[:-1]:
        assert client.answer().body == FROM_MONOLITH
        client.close()
    return sent[-1]


def test_one_probe_at_a_time_tries_a_service_that_failed(start: Start, service: Origin) -> None:
    running = start(route("read", "service", REOPENS), workers=1)
    _fail(running, service)
    path, release = fresh("/read/"), threading.Event()

    def holds(peer: Peer, asked: Asked) -> None:
        release.wait(10)
        peer.send(answer(b"probed"))

    service.scripted(path, holds)
    with _let_probe(running, service, path) as client:
        assert _states(running) == {"read": "half-open"}
        others = [fetch(running.port, fresh("/read/")).body for _ in range(5)]
        assert others == [FROM_MONOLITH] * 5
        release.set()
        assert client.answer().body == b"probed"
    assert _states(running) == {"read": "closed"}
    assert fetch(running.port, fresh("/read/")).body == FROM_SERVICE
    assert len(service.asked(path)) == 1


def test_a_probe_that_fails_opens_the_breaker_again(start: Start, service: Origin) -> None:
    running = start(route("read", "service", REOPENS), workers=1)
    _fail(running, service)
    path = fresh("/read/")
    service.scripted(path, resets)

    def probed() -> bool:
        fetch(running.port, path)
        return len(service.asked(path)) >= 1

    until(probed, "a probe goes")
    assert _states(running) == {"read": "open"}


def test_a_probe_whose_client_leaves_makes_room_for_the_next(start: Start, service: Origin) -> None:
    running = start(route("read", "service", REOPENS), workers=1)
    _fail(running, service)
    path, freed = fresh("/read/"), threading.Event()

    def waits(peer: Peer, asked: Asked) -> None:
        peer.sees_the_end()
        freed.set()
        peer.close()

    service.scripted(path, waits)

    _let_probe(running, service, path).close()
    assert freed.wait(10)
    until(lambda: fetch(running.port, fresh("/read/")).body == FROM_SERVICE, "the next probe goes")
    assert _states(running) == {"read": "closed"}


def test_clients_that_leave_never_open_a_breaker(start: Start, service: Origin) -> None:
    running = start(route("read", "service", OPENS), workers=1)
    for _ in range(3 * VOLUME):
        path, freed = fresh("/read/"), threading.Event()

        def waits(peer: Peer, asked: Asked, freed: threading.Event = freed) -> None:
            peer.sees_the_end()
            freed.set()
            peer.close()

        service.scripted(path, waits)
        with Client(running.port) as client:
            client.send(head("GET", path))
            service.wait_for(path)
        assert freed.wait(10)
    assert _states(running) == {"read": "closed"}


def test_a_clients_faults_and_unlisted_failures_never_open_a_breaker(start: Start, service: Origin) -> None:
    running = start(route("read", "service", OPENS), workers=1)
    for status in ("404 Not Found", "429 Too Many", "500 Broken") * VOLUME:
        path = fresh("/read/")
        service.scripted(path, says(answer(b"", status)))
        fetch(running.port, path)
    assert _states(running) == {"read": "closed"}


def test_dead_shadows_never_open_a_breaker(start: Start, service: Origin) -> None:
    running = start(route("read", "shadow", OPENS), workers=1)
    _fail(running, service, times=3 * VOLUME)
    until(lambda: sum(running.shadows().values()) == 3 * VOLUME, "every shadow is over")
    assert _states(running) == {"read": "closed"}


def test_fallbacks_past_their_budget_open_the_breaker(start: Start, service: Origin) -> None:
    running = start(route("read", "service", "breaker = { volume = 8, open = 3600, budget = 20 }"), workers=1)
    for number in range(8):
        path = fresh("/read/")
        if number % 4 == 3:
            service.scripted(path, says(answer(b"", "501 Not Mine", [(b"X-Strangler-Declined", b"1")])))
        assert fetch(running.port, path).status == 200
    assert _states(running) == {"read": "open"}


@pytest.mark.parametrize(
    ("options", "script"),
    [
        (("fallback = { on = [503] }",), says(answer(b"", "503 Busy"))),
        (("timeouts = { head = 0.1, connect = 0.5 }",), lambda peer, asked: peer.sees_the_end()),
    ],
    ids=["listed status", "no head"],
)
def test_listed_statuses_and_silence_open_the_breaker(
    start: Start, service: Origin, options: tuple[str, ...], script: Callable[[Peer, Asked], None]
) -> None:
    running = start(route("read", "service", OPENS, *options), workers=1)
    for _ in range(VOLUME):
        path = fresh("/read/")
        service.scripted(path, script)
        assert fetch(running.port, path).body == FROM_MONOLITH
    assert _states(running) == {"read": "open"}


def test_slow_answers_open_the_breaker(start: Start, service: Origin) -> None:
    slow = "breaker = { volume = 4, open = 3600, slow = 0.02 }"
    running = start(route("read", "service", slow), workers=1)
    tick = threading.Event()

    def dawdles(peer: Peer, asked: Asked) -> None:
        tick.wait(0.05)
        peer.send(answer(b"at last"))

    for _ in range(VOLUME):
        path = fresh("/read/")
        service.scripted(path, dawdles)
        assert fetch(running.port, path).body == b"at last"
    assert _states(running) == {"read": "open"}


def test_eight_slow_requests_pass_a_breaker_at_once(start: Start, service: Origin) -> None:
    running = start(route("read", "service"), workers=1)
    path, together = fresh("/read/"), threading.Barrier(8, timeout=10)

    def meets(peer: Peer, asked: Asked) -> None:
        together.wait()  # answers only when all eight are here
        peer.send(answer(b"met"))

    service.scripted(path, meets)
    clients = [Client(running.port) for _ in range(8)]
    for client in clients:
        client.send(head("GET", path))
    assert {client.answer().body for client in clients} == {b"met"}
    for client in clients:
        client.close()
