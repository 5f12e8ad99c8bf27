"""What the proxy grants a client and an upstream, and no more."""

import json
import threading
from collections.abc import Iterator

import pytest
from raw_client import HOST, BrokenOff, Client, fetch, head
from recording_origin import Asked, Gone, Origin, Peer, Script, answer, fresh
from running_proxy import EVERY_STAGE, RunningProxy, table

KIB = 1024
CONNECTIONS = 4


@pytest.fixture(scope="module")
def strict(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin
) -> Iterator[RunningProxy]:
    """A proxy with little patience and few connections."""
    text = table(monolith.url, service.url, *EVERY_STAGE)
    options = ("--head-seconds", "0.5", "--connections", str(CONNECTIONS))
    options += ("--body-seconds", "0.5", "--reader-seconds", "0.5")
    running = RunningProxy(tmp_path_factory.mktemp("strict"), text, *options, workers=1)
    yield running
    running.stop()


def _head_of(size: int, path: str) -> bytes:
    bare = head("GET", path, "X-Large: ")
    return head("GET", path, "X-Large: " + "x" * (size - len(bare)))


def test_a_head_below_the_limit_passes(proxy: RunningProxy) -> None:
    with Client(proxy.port) as client:
        client.send(_head_of(60 * KIB, fresh("/service/")))
        assert client.answer().status == 200


@pytest.mark.parametrize("at_once", [True, False])
def test_a_head_over_the_limit_is_refused_however_it_arrives(
    proxy: RunningProxy, service: Origin, at_once: bool
) -> None:
    path = fresh("/service/")
    large = _head_of(70 * KIB, path)
    with Client(proxy.port) as client:
        client.send(large if at_once else large[: 66 * KIB])
        got = client.answer()
        assert (got.status, json.loads(got.body)["error"]) == (431, "head_too_large")
        assert client.rest() == b""
    assert service.asked(path) == []


def test_a_large_target_counts_as_head(proxy: RunningProxy) -> None:
    with Client(proxy.port) as client:
        client.send(head("GET", "/service/" + "x" * 70 * KIB))
        assert client.answer().status == 431


def test_a_large_body_in_the_heads_packet_is_no_large_head(proxy: RunningProxy) -> None:
    assert fetch(proxy.port, fresh("/moved/"), method="POST", body=b"x" * 200 * KIB).status == 200


def test_a_second_large_head_is_refused_after_the_first_answer(proxy: RunningProxy) -> None:
    with Client(proxy.port) as client:
        client.send(head("GET", fresh("/service/")) + _head_of(70 * KIB, fresh("/service/")))
        assert client.answer().status == 200
        assert client.answer().status == 431


def test_a_head_that_does_not_end_in_time_is_a_request_timeout(strict: RunningProxy) -> None:
    with Client(strict.port) as client:
        client.send(f"GET /service/x HTTP/1.1\r\nHost: {HOST}\r\n".encode())
        got = client.answer()
        assert (got.status, json.loads(got.body)["error"]) == (408, "request_timeout")
        assert client.rest() == b""


def test_a_head_that_trickles_earns_no_more_time(strict: RunningProxy) -> None:
    stop = threading.Event()
    with Client(strict.port) as client:

        def trickle() -> None:
            client.send(f"GET /service/x HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: ".encode())
            while not stop.wait(0.1):
                client.send(b"x")

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            assert client.answer().status == 408
        finally:
            stop.set()
            thread.join()


def test_a_connection_that_says_nothing_is_closed(strict: RunningProxy) -> None:
    with Client(strict.port) as client:
        assert client.rest() == b""


def test_a_slow_answer_is_no_slow_head(strict: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    late = threading.Event()

    def slow(peer: Peer, asked: Asked) -> None:
        late.wait(1.2)  # longer than a head may take to arrive
        peer.send(answer(b"late"))

    service.scripted(path, slow)
    assert fetch(strict.port, path).body == b"late"


def test_requests_over_the_connection_limit_wait_their_turn(strict: RunningProxy, service: Origin) -> None:
    paths = [fresh("/service/") for _ in range(CONNECTIONS * 4)]
    release = threading.Event()

    def held(peer: Peer, asked: Asked) -> None:
        assert release.wait(10)
        peer.send(answer(b"in turn"))

    for path in paths:
        service.scripted(path, held)
    clients = [Client(strict.port) for _ in paths]
    try:
        for client, path in zip(clients, paths, strict=True):
            client.send(head("GET", path))
        for path in paths[:CONNECTIONS]:
            service.wait_for(path)
        assert fetch(strict.port, fresh("/monolith/")).status == 200  # another upstream is not held up
        assert sum(len(service.asked(path)) for path in paths) == CONNECTIONS
        release.set()
        assert [client.answer().body for client in clients] == [b"in turn"] * len(paths)
    finally:
        release.set()
        for client in clients:
            client.close()
    assert len({asked.connection for path in paths for asked in service.asked(path)}) <= CONNECTIONS * 2


def test_a_client_that_stops_waiting_is_never_asked_for(strict: RunningProxy, service: Origin) -> None:
    held_paths = [fresh("/service/") for _ in range(CONNECTIONS)]
    release = threading.Event()

    def held(peer: Peer, asked: Asked) -> None:
        assert release.wait(10)
        peer.send(answer())

    for path in held_paths:
        service.scripted(path, held)
    clients = [Client(strict.port) for _ in held_paths]
    try:
        for client, path in zip(clients, held_paths, strict=True):
            client.send(head("GET", path))
            service.wait_for(path)
        left = fresh("/service/")
        with Client(strict.port) as leaving:
            leaving.send(head("GET", left))
            assert fetch(strict.port, fresh("/monolith/")).status == 200
        assert fetch(strict.port, fresh("/monolith/")).status == 200
        release.set()
        assert all(client.answer().status == 200 for client in clients)
    finally:
        release.set()
        for client in clients:
            client.close()
    assert fetch(strict.port, fresh("/service/")).status == 200
    assert service.asked(left) == []


def test_an_upload_that_stops_is_a_request_timeout(strict: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    broke_off = threading.Event()

    def reading(peer: Peer, asked: Asked) -> None:
        try:
            peer.body(asked)
        except Gone:
            broke_off.set()
            raise

    service.scripted(path, reading)
    with Client(strict.port) as client:
        client.send(head("POST", path, "Content-Length: 10") + b"hell")
        got = client.answer("POST")
        assert (got.status, json.loads(got.body)["error"]) == (408, "body_timeout")
        assert client.rest() == b""
    assert broke_off.wait(10)


def test_an_upload_that_goes_on_slowly_is_no_timeout(strict: RunningProxy) -> None:
    tick = threading.Event()
    with Client(strict.port) as client:
        client.send(head("POST", fresh("/moved/"), "Content-Length: 12"))
        for _ in range(12):
            tick.wait(0.1)
            client.send(b"x")
        assert client.answer("POST").status == 200


def test_an_upload_that_its_upstream_holds_up_is_no_timeout(strict: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    late = threading.Event()

    def slow(peer: Peer, asked: Asked) -> None:
        late.wait(1.5)  # longer than an upload may pause
        peer.body(asked)
        peer.send(answer())

    service.scripted(path, slow)
    assert fetch(strict.port, path, method="POST", body=b"x" * 20 * KIB * KIB).status == 200


def test_trailers_without_end_end_the_upload(strict: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    with Client(strict.port) as client:
        client.send(head("POST", path, "Transfer-Encoding: chunked") + b"1\r\nx\r\n0\r\nX-Long: ")
        client.send(b"x" * 600 * KIB)  # the limit, and whatever came in one packet with the body
        assert client.answer("POST").status == 431
        assert client.rest() == b""
    assert not any(asked.whole for asked in service.asked(path))


def _pours(number: int, gone: threading.Event) -> Script:
    def pouring(peer: Peer, asked: Asked) -> None:
        try:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % number)
            for _ in range(number // KIB):
                peer.send(b"x" * KIB)
        except Gone:
            gone.set()
            raise

    return pouring


def test_a_client_that_reads_nothing_is_dropped_with_its_upstream(
    strict: RunningProxy, service: Origin
) -> None:
    path = fresh("/service/")
    gone = threading.Event()
    service.scripted(path, _pours(50 * KIB * KIB, gone))
    with Client(strict.port) as client:
        client.send(head("GET", path))
        assert gone.wait(10)
        with pytest.raises((BrokenOff, ConnectionResetError)):
            client.answer()


def test_a_client_that_reads_slowly_gets_all_of_it(strict: RunningProxy, service: Origin) -> None:
    path, size = fresh("/service/"), 24 * KIB * KIB
    tick = threading.Event()
    service.scripted(path, _pours(size, threading.Event()))
    with Client(strict.port) as client:
        client.send(head("GET", path))
        client.head()
        for _ in range(20):  # for far longer than a client may read nothing
            client.take(128 * KIB)
            tick.wait(0.1)
        assert len(client.take(size - 20 * 128 * KIB)) == size - 20 * 128 * KIB
