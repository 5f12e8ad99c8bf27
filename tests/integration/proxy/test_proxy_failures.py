"""What a client sees when an upstream fails and no other stands in, and that no write is ever sent twice."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_files import case_files, read_case
from raw_client import Answer, BrokenOff, Client, fetch, head
from recording_origin import (
    Asked,
    Gone,
    Origin,
    Peer,
    answer,
    fresh,
    resets,
    says,
    says_and_closes,
)
from running_proxy import ALONE, STEADY, RunningProxy, route, table

from tests.ports import free_port

WRITES = ["POST", "PUT", "PATCH", "DELETE"]


def _error(got: Answer) -> str:
    assert b"127.0.0.1" not in got.body
    assert got.value("Content-Type") == "application/json"
    found: str = json.loads(got.body)["error"]
    return found


@pytest.fixture(scope="module")
def bereft(tmp_path_factory: pytest.TempPathFactory, monolith: Origin) -> Iterator[RunningProxy]:
    """A proxy whose service does not listen."""
    text = table(
        monolith.url,
        f"http://127.0.0.1:{free_port()}",
        route("service", "service", STEADY, ALONE),
        route("shadow", "shadow"),
    )
    running = RunningProxy(tmp_path_factory.mktemp("bereft"), text, workers=1)
    yield running
    running.stop()


def test_a_dead_upstream_is_an_unavailable_service_without_an_address(bereft: RunningProxy) -> None:
    got = fetch(bereft.port, fresh("/service/"))
    assert (got.status, _error(got)) == (503, "upstream_unreachable")
    assert got.value("Retry-After") == "1"
    assert str(bereft.port).encode() not in got.body


def test_a_dead_upstream_leaves_the_clients_connection_usable(bereft: RunningProxy) -> None:
    with Client(bereft.port) as client:
        assert client.ask("GET", fresh("/service/")).status == 503
        assert client.ask("GET", fresh("/monolith/")).status == 200


def test_a_dead_candidate_has_no_effect(bereft: RunningProxy, monolith: Origin) -> None:
    path = fresh("/shadow/")
    assert fetch(bereft.port, path).body == b'{"from":"monolith"}'
    assert len(monolith.asked(path)) == 1


@pytest.mark.parametrize("method", ["GET", *WRITES])
def test_a_reset_instead_of_an_answer_is_a_bad_gateway(
    proxy: RunningProxy, service: Origin, method: str
) -> None:
    path = fresh("/moved/")
    service.drop_connections()
    service.scripted(path, resets)
    got = fetch(proxy.port, path, method=method, body=b"x" if method in WRITES else b"")
    assert (got.status, _error(got)) == (502, "upstream_reset")
    assert len(service.asked(path)) <= (1 if method in WRITES else 2)


def _after_a_warm_connection(
    proxy: RunningProxy, service: Origin, method: str, body: bytes = b""
) -> tuple[Answer, list[Asked]]:
    """Ask with `method` on a kept upstream connection that closes as the request arrives."""
    path = fresh("/moved/")
    service.scripted(path, _closes_kept_connections)
    with Client(proxy.port) as client:
        assert client.ask("GET", fresh("/moved/")).status == 200
        got = client.ask(method, path, body=body)
    return got, service.asked(path)


def _closes_kept_connections(peer: Peer, asked: Asked) -> None:
    if peer.answered:
        peer.close()
    else:
        says(answer(b"fresh"))(peer, asked)


def test_a_read_on_a_connection_just_closed_is_asked_once_more(proxy: RunningProxy, service: Origin) -> None:
    got, asked = _after_a_warm_connection(proxy, service, "GET")
    assert (got.status, got.body) == (200, b"fresh")
    assert len({each.connection for each in asked}) == len(asked) == 2


@pytest.mark.parametrize("body", [b"x", b""])
@pytest.mark.parametrize("method", WRITES)
def test_a_write_on_a_connection_just_closed_is_never_repeated(
    proxy: RunningProxy, service: Origin, method: str, body: bytes
) -> None:
    got, asked = _after_a_warm_connection(proxy, service, method, body)
    assert (got.status, len(asked)) == (502, 1)


def test_a_read_is_asked_at_most_twice(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    service.scripted(path, says_and_closes(b""))
    with Client(proxy.port) as client:
        assert client.ask("GET", fresh("/moved/")).status == 200
        assert client.ask("GET", path).status == 502
    assert len(service.asked(path)) <= 2


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_upstream_without_a_head_in_time_is_a_gateway_timeout(
    proxy: RunningProxy, service: Origin, method: str
) -> None:
    path = fresh("/hasty/")
    left = threading.Event()

    def silent(peer: Peer, asked: Asked) -> None:
        peer.body(asked)
        if peer.sees_the_end():
            left.set()
        peer.close()

    service.scripted(path, silent)
    with Client(proxy.port) as client:
        got = client.ask(method, path, body=b"x" if method == "POST" else b"")
        assert (got.status, _error(got)) == (504, "upstream_timeout")
        assert left.wait(10)
        assert client.ask("GET", fresh("/service/")).status == 200
    assert len(service.asked(path)) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhell",
        b"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
    ],
)
def test_a_truncated_answer_reaches_the_client_truncated(
    proxy: RunningProxy, service: Origin, data: bytes
) -> None:
    path = fresh("/service/")
    service.scripted(path, says_and_closes(data))
    with Client(proxy.port) as client:
        client.send(head("GET", path))
        with pytest.raises((BrokenOff, ConnectionResetError)):
            client.answer()
    assert len(service.asked(path)) == 1


def test_a_truncation_shows_to_http10_as_a_reset(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(
        path, says_and_closes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    )
    with Client(proxy.port) as client:
        client.send(head("GET", path, version="1.0"))
        with pytest.raises((BrokenOff, ConnectionResetError)):
            client.answer()


@pytest.mark.parametrize("file", case_files("no-answer", "*.origin"), ids=lambda file: file.stem)
def test_an_answer_that_is_no_answer_is_a_bad_gateway(
    proxy: RunningProxy, service: Origin, file: Path
) -> None:
    _is_a_bad_gateway(proxy, service, read_case(file))


def test_an_answer_with_a_head_too_large_is_a_bad_gateway(proxy: RunningProxy, service: Origin) -> None:
    _is_a_bad_gateway(proxy, service, answer(headers=[(b"X-Large", b"x" * 70_000)]))


def _is_a_bad_gateway(proxy: RunningProxy, service: Origin, data: bytes) -> None:
    path = fresh("/moved/")
    service.scripted(path, says_and_closes(data))
    got = fetch(proxy.port, path, method="POST", body=b"x")
    assert got.status == 502
    assert _error(got) in {"upstream_invalid", "upstream_reset"}
    assert len(service.asked(path)) == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_an_answer_that_nobody_asked_for_reaches_nobody(
    proxy: RunningProxy, service: Origin, at_once: bool
) -> None:
    path = fresh("/service/")
    heard, left = threading.Event(), threading.Event()

    def twice(peer: Peer, asked: Asked) -> None:
        first, second = answer(b"asked for"), answer(b"not asked for")
        if at_once:
            peer.send(first + second)
        else:
            peer.send(first)
            assert heard.wait(10)
            peer.send(second)
        if peer.sees_the_end():
            left.set()
        peer.close()

    service.scripted(path, twice)
    with Client(proxy.port) as client:
        assert client.ask("GET", path).body == b"asked for"
        heard.set()
        assert left.wait(10)
        assert client.ask("GET", fresh("/service/")).body == b'{"from":"service"}'


def test_a_connection_closed_as_soon_as_it_opens_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as slammed:
        stop = threading.Event()

        def slam() -> None:
            while not stop.is_set():
                slammed.accept()[0].close()

        thread = threading.Thread(target=slam)
        thread.start()
        port = slammed.getsockname()[1]
        text = table(monolith.url, f"http://127.0.0.1:{port}", route("service", "service", STEADY, ALONE))
        running = RunningProxy(tmp_path_factory.mktemp("slammed"), text, workers=1)
        try:
            with Client(running.port) as client:
                answers = [client.ask("GET", fresh("/service/")) for _ in range(100)]
            # one that is closed a moment later has been lent, and the request sent on it
            assert {_error(got) for got in answers} <= {"upstream_unreachable", "upstream_reset"}
        finally:
            stop.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join()
            running.stop()


@pytest.mark.parametrize("moment", ["before the head", "in the body"])
def test_a_client_that_leaves_frees_its_upstream(proxy: RunningProxy, service: Origin, moment: str) -> None:
    path = fresh("/service/")
    left, freed = threading.Event(), threading.Event()

    def slow(peer: Peer, asked: Asked) -> None:
        if moment == "in the body":
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhell")
        left.wait(10)
        if peer.sees_the_end(within=1.0):
            freed.set()
        peer.close()

    service.scripted(path, slow)
    with Client(proxy.port) as client:
        client.send(head("GET", path))
        service.wait_for(path)
        if moment == "in the body":
            client.head()
    left.set()
    assert freed.wait(10)
    assert len(service.asked(path)) == 1


def test_a_client_that_leaves_during_its_upload_never_counts_as_whole(
    proxy: RunningProxy, service: Origin
) -> None:
    path = fresh("/moved/")
    broke_off = threading.Event()

    def reading(peer: Peer, asked: Asked) -> None:
        try:
            peer.body(asked)
        except Gone:
            broke_off.set()
            raise

    service.scripted(path, reading)
    with Client(proxy.port) as client:
        client.send(head("POST", path, "Content-Length: 10") + b"hell")
        (asked,) = service.wait_for(path)
    assert broke_off.wait(10)
    assert not asked.whole
