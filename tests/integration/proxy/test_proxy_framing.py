"""Where messages begin and end: HEAD, answers without a body, HTTP/1.0, keep-alive, pipelining."""

import pytest
from raw_client import HOST, Client, fetch, head
from recording_origin import Asked, Origin, Peer, Script, answer, fresh, says, says_and_closes
from running_proxy import RunningProxy


def _connections(origin: Origin, *paths: str) -> set[int]:
    return {asked.connection for path in paths for asked in origin.wait_for(path)}


def _wrongly_says(data: bytes) -> Script:
    """Send a body where none can be, and then wait for the proxy to leave."""

    def script(peer: Peer, asked: Asked) -> None:
        peer.send(data)
        assert peer.sees_the_end()
        peer.close()

    return script


def test_the_answer_to_head_keeps_its_length_and_has_no_body(proxy: RunningProxy, service: Origin) -> None:
    path, next_path = fresh("/service/"), fresh("/service/")
    service.scripted(path, says(b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 4096\r\n\r\n'))
    with Client(proxy.port) as client:
        got = client.ask("HEAD", path)
        assert (got.value("Content-Length"), got.value("ETag"), got.body) == ("4096", '"x"', b"")
        assert client.ask("GET", next_path).status == 200


def test_head_of_a_chunked_answer_ends_with_its_head(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(path, says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
    with Client(proxy.port) as client:
        assert client.ask("HEAD", path).status == 200
        assert client.ask("GET", fresh("/service/")).status == 200


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\nhello"),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
        ("GET", b"HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"),
    ],
)
def test_a_body_that_cannot_be_is_discarded_with_its_connection(
    proxy: RunningProxy, service: Origin, method: str, data: bytes
) -> None:
    path = fresh("/service/")
    service.scripted(path, _wrongly_says(data))
    with Client(proxy.port) as client:
        got = client.ask(method, path)
        assert (got.status, got.body) == (int(data[9:12]), b"")
        assert client.ask("GET", fresh("/service/")).body == b'{"from":"service"}'


def test_not_modified_keeps_its_length_and_waits_for_no_body(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(path, says(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"))
    with Client(proxy.port) as client:
        assert client.ask("GET", path).value("Content-Length") == "99"
        assert client.ask("GET", fresh("/service/")).status == 200


def test_no_content_never_has_a_length(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(path, says(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"))
    assert fetch(proxy.port, path).values("Content-Length") == []


def test_an_answer_until_close_is_chunked_for_the_client(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(path, says_and_closes(b"HTTP/1.0 200 OK\r\n\r\nall of it"))
    with Client(proxy.port) as client:
        got = client.ask("GET", path)
        assert (got.framing, got.body) == ("chunked", b"all of it")
        assert client.ask("GET", fresh("/service/")).status == 200


def test_trailers_are_dropped_and_the_framing_holds(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\nX-T: 1\r\n\r\n"
    service.scripted(path, says(data))
    with Client(proxy.port) as client:
        assert client.ask("GET", path).body == b"hi"
        assert client.ask("GET", fresh("/service/")).status == 200


@pytest.mark.parametrize("interim", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_an_interim_answer_is_never_the_final_one(
    proxy: RunningProxy, service: Origin, interim: bytes
) -> None:
    path = fresh("/service/")
    service.scripted(path, says(b"HTTP/1.1 " + interim + b"\r\nLink: </x>\r\n\r\n" + answer(b"final")))
    got = fetch(proxy.port, path)
    assert (got.status, got.interim, got.body, got.values("Link")) == (200, (), b"final", [])


def test_requests_on_one_connection_share_one_upstream_connection(
    proxy: RunningProxy, service: Origin
) -> None:
    paths = [fresh("/service/") for _ in range(5)]
    with Client(proxy.port) as client:
        for path in paths:
            assert client.ask("GET", path).status == 200
    assert len(_connections(service, *paths)) == 1


def test_pipelined_requests_are_answered_in_order(proxy: RunningProxy, service: Origin) -> None:
    paths = [fresh("/service/") for _ in range(20)]
    for number, path in enumerate(paths):
        service.scripted(path, says(answer(b"%d" % number)))
    with Client(proxy.port) as client:
        client.send(b"".join(head("GET", path) for path in paths))
        assert [client.answer().body for _ in paths] == [b"%d" % number for number in range(20)]
        assert client.ask("GET", fresh("/service/")).status == 200


def test_pipelined_writes_keep_their_bodies_apart(proxy: RunningProxy, service: Origin) -> None:
    paths = [fresh("/moved/") for _ in range(4)]
    with Client(proxy.port) as client:
        requests = (head("POST", path, "Content-Length: 32") + path[-32:].encode() for path in paths)
        client.send(b"".join(requests))
        assert [client.answer().status for _ in paths] == [200] * 4
    for path in paths:
        assert [asked.raw_body for asked in service.asked(path)] == [path[-32:].encode()]


def test_a_pipelined_head_that_comes_in_two_parts_is_read_on(proxy: RunningProxy, service: Origin) -> None:
    paths = [fresh("/service/") for _ in range(3)]
    heads = b"".join(head("GET", path) for path in paths)
    with Client(proxy.port) as client:
        client.send(heads[:-20])
        assert [client.answer().status for _ in paths[:2]] == [200, 200]
        client.send(heads[-20:])
        assert client.answer().status == 200


def test_a_client_that_asks_to_close_is_closed(proxy: RunningProxy) -> None:
    with Client(proxy.port) as client:
        got = client.ask("GET", fresh("/service/"), "Connection: close")
        assert got.value("Connection") == "close"
        assert client.rest() == b""


def test_http10_is_answered_and_closed_without_chunks(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    service.scripted(path, says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"))
    with Client(proxy.port) as client:
        client.send(head("GET", path, version="1.0"))
        got = client.answer()
    assert (got.framing, got.body, got.value("Connection")) == ("close", b"hi", "close")
    assert service.asked(path)[0].version == "HTTP/1.1"


def test_http10_may_keep_its_connection(proxy: RunningProxy) -> None:
    with Client(proxy.port) as client:
        for _ in range(2):
            client.send(head("GET", fresh("/service/"), "Connection: keep-alive", version="1.0"))
            assert client.answer().value("Connection") == "keep-alive"


def test_http10_never_gets_an_interim_answer(proxy: RunningProxy) -> None:
    lines = ("Expect: 100-continue", "Content-Length: 2")
    with Client(proxy.port) as client:
        client.send(head("POST", fresh("/moved/"), *lines, version="1.0") + b"hi")
        assert client.answer().interim == ()


def test_an_upgrade_is_never_forwarded_and_ends_the_connection(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    with Client(proxy.port) as client:
        client.send(head("GET", path, "Connection: upgrade", "Upgrade: websocket") + b"\x81\x00")
        assert client.answer().value("Connection") == "close"
        assert client.rest() == b""
    (asked,) = service.asked(path)
    assert asked.values(b"upgrade") == asked.values(b"connection") == []


def test_a_host_is_forwarded_as_it_came(proxy: RunningProxy, monolith: Origin, service: Origin) -> None:
    path = fresh("/shadow/")
    fetch(proxy.port, path)
    hosts = [origin.wait_for(path)[0].values(b"host") for origin in (monolith, service)]
    assert hosts == [[HOST.encode()]] * 2
