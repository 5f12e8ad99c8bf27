"""A websocket on a route that declares it: a tunnel to one side for its whole life; elsewhere none."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from raw_client import Client, fetch, head
from recording_origin import Asked, Origin, Peer, answer, fresh, says
from running_proxy import ALL, RunningProxy, route, table, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import Server, ServerConnection, serve

from tests.ports import free_port

SOCKET = "websocket = true"
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: a2V5")
AGREES = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-End: 1\r\n\r\n"


class Echo:
    """A websocket server that says its name, then everything it hears."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.open: list[ServerConnection] = []
        self._server: Server = serve(self._talk, "127.0.0.1", 0, max_size=None)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()

    def _talk(self, connection: ServerConnection) -> None:
        self.open.append(connection)
        connection.send(self.name)
        try:
            for message in connection:
                connection.send(message)
        except ConnectionClosed:
            pass


@pytest.fixture(scope="module")
def sides() -> Iterator[dict[str, Echo]]:
    found = {name: Echo(name) for name in ("monolith", "service")}
    yield found
    for echo in found.values():
        echo.close()


def _table(sides: dict[str, Echo], stage: str = "service") -> str:
    return table(sides["monolith"].url, sides["service"].url, route("ws", stage, SOCKET))


@pytest.fixture
def talking(tmp_path: Any, sides: dict[str, Echo]) -> Iterator[RunningProxy]:
    running = RunningProxy(tmp_path, _table(sides), workers=1)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def raw(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin
) -> Iterator[RunningProxy]:
    """A proxy in front of the recording origins."""
    text = table(
        monolith.url,
        service.url,
        route("ws", "service", SOCKET, "breaker = { enabled = false }"),
        route("plain", "service"),
        route("shadowed", "shadow", SOCKET),
        route("written", "monolith", SOCKET, methods=ALL),
    )
    running = RunningProxy(tmp_path_factory.mktemp("raw"), text, "--tunnel-seconds", "1", workers=1)
    yield running
    running.stop()


def _connect(running: RunningProxy, **more: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{running.port}/ws/room", max_size=None, **more)


def test_messages_pass_both_ways_whatever_their_size(talking: RunningProxy) -> None:
    with _connect(talking) as client:
        assert client.recv() == "service"
        for message in ("é", b"\x00\xff", b"x" * 3_000_000, ""):
            client.send(message)
            assert client.recv() == message


def test_what_both_agree_on_is_theirs(talking: RunningProxy, sides: dict[str, Echo]) -> None:
    with _connect(talking, additional_headers={"X-Mine": "1"}) as client:
        client.recv()
        assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
        assert client.response.headers["X-Request-ID"]
        request = sides["service"].open[-1].request
        assert request is not None
        assert request.headers["X-Mine"] == "1"
        assert request.headers["X-Forwarded-For"] == "127.0.0.1"


def test_a_tunnel_stays_where_it_began(talking: RunningProxy, sides: dict[str, Echo]) -> None:
    with _connect(talking) as client:
        assert client.recv() == "service"
        talking.apply(_table(sides, "monolith"))
        client.send("still here")
        assert client.recv() == "still here"
        with _connect(talking) as another:
            assert another.recv() == "monolith"


@pytest.mark.parametrize("side", ["client", "service"])
def test_whoever_ends_it_ends_it_for_both(talking: RunningProxy, sides: dict[str, Echo], side: str) -> None:
    with _connect(talking) as client:
        client.recv()
        far = sides["service"].open[-1]
        near, other = (client, far) if side == "client" else (far, client)
        near.close(4001, "enough")
        until(lambda: other.protocol.close_rcvd is not None, "the other side heard of the end")
        assert other.protocol.close_rcvd is not None
        assert (other.protocol.close_rcvd.code, other.protocol.close_rcvd.reason) == (4001, "enough")
    until(lambda: talking.ask("status")[0]["connections"] == 0, "the proxy's connection is closed")
    until(lambda: talking.total("ws") == 1, "it is counted")


def test_a_reader_that_does_not_read_stops_the_other_side(
    talking: RunningProxy, sides: dict[str, Echo]
) -> None:
    with _connect(talking, compression=None, close_timeout=0.1) as client:
        client.recv()
        before, far = talking.resident_bytes(), sides["service"].open[-1]
        far.socket.setblocking(False)
        sent = _fill(far.socket)
        assert sent < 40_000_000
        assert talking.resident_bytes() - before < 8_000_000


def _fill(sock: socket.socket) -> int:
    """Send until nothing more is taken for a while; return how much was."""
    sent, quiet, tick = 0, 0, threading.Event()
    while quiet < 20 and sent < 40_000_000:
        try:
            sent += sock.send(b"\x82\x00" * 50_000)
            quiet = 0
        except BlockingIOError:
            quiet += 1
            tick.wait(0.01)
    return sent


def test_a_refusal_is_relayed_with_its_body(raw: RunningProxy, service: Origin) -> None:
    path = fresh("/ws/")
    service.scripted(path, says(answer(b"not today", "403 Forbidden")))
    got = fetch(raw.port, path, *UPGRADE)
    assert (got.status, got.body, got.value("Connection")) == (403, b"not today", "close")


def test_a_refused_handshake_is_a_refused_handshake(sides: dict[str, Echo], raw: RunningProxy) -> None:
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{raw.port}{fresh('/ws/')}")


def test_what_the_client_said_before_the_answer_is_not_lost(raw: RunningProxy, service: Origin) -> None:
    path, early = fresh("/ws/"), threading.Event()

    def slow(peer: Peer, asked: Asked) -> None:
        early.wait(10)
        peer.send(AGREES + b"and more")
        assert _exactly(peer, 5) == b"early"
        peer.send(b"heard")
        peer.sees_the_end()
        peer.close()

    service.scripted(path, slow)
    with Client(raw.port) as client:
        client.send(head("GET", path, *UPGRADE) + b"early")
        service.wait_for(path)
        early.set()
        status, headers = client.head()
        assert status == 101
        assert [value for name, value in headers if name in ("Connection", "Upgrade", "X-End")] == [
            "1",
            "Upgrade",
            "websocket",
        ]
        assert client.take(13) == b"and moreheard"


def _exactly(peer: Peer, number: int) -> bytes:
    data = peer.buffer
    while len(data) < number:
        data += peer.receive()
    return data


def _agrees(peer: Peer, asked: Asked) -> None:
    peer.send(AGREES)
    peer.sees_the_end()
    peer.close()


def test_a_tunnel_in_which_nobody_speaks_ends(raw: RunningProxy, service: Origin) -> None:
    path = fresh("/ws/")
    service.scripted(path, _agrees)
    with Client(raw.port) as client:
        client.send(head("GET", path, *UPGRADE))
        assert client.head()[0] == 101
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("prefix", "lines"),
    [
        ("/plain/", UPGRADE),
        ("/elsewhere/", UPGRADE),
        ("/ws/", ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM")),
        ("/ws/", ("Connection: Upgrade", "Upgrade: websocket, h2c")),
        ("/ws/", ("Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket")),
        ("/ws/", ("Connection: keep-alive", "Upgrade: websocket")),
    ],
    ids=["undeclared", "no route", "h2c", "a list", "two lines", "not nominated"],
)
def test_no_other_upgrade_is_ever_asked_for(
    raw: RunningProxy, monolith: Origin, service: Origin, prefix: str, lines: tuple[str, ...]
) -> None:
    path = fresh(prefix)
    assert fetch(raw.port, path, *lines).status == 200
    (asked,) = monolith.asked(path) + service.asked(path)
    assert asked.values(b"upgrade") == asked.values(b"connection") == []


def test_only_a_get_asks_for_a_websocket(raw: RunningProxy, monolith: Origin) -> None:
    path = fresh("/written/")
    assert fetch(raw.port, path, *UPGRADE, method="DELETE").status == 200
    assert monolith.asked(path)[0].values(b"upgrade") == []


def test_a_websocket_is_not_shadowed(raw: RunningProxy, monolith: Origin, service: Origin) -> None:
    path, plain = fresh("/shadowed/"), fresh("/shadowed/")
    monolith.scripted(path, _agrees)
    with Client(raw.port) as client:
        client.send(head("GET", path, *UPGRADE))
        assert client.head()[0] == 101
    fetch(raw.port, plain)
    service.wait_for(plain)
    assert service.asked(path) == []


def test_a_service_that_is_not_there_is_stood_in_for(
    start: Callable[..., RunningProxy], monolith: Origin, service: Origin
) -> None:
    running = start(workers=1)
    dead = f"http://127.0.0.1:{free_port()}"
    running.apply(table(monolith.url, dead, route("ws", "service", SOCKET)))
    path = fresh("/ws/")
    monolith.scripted(path, _agrees)
    with Client(running.port) as client:
        client.send(head("GET", path, *UPGRADE))
        assert client.head()[0] == 101
    assert monolith.asked(path)[0].values(b"upgrade") == [b"websocket"]


def test_open_tunnels_are_told_by_the_metrics(talking: RunningProxy) -> None:
    def told(number: int) -> bool:
        return f"strangler_tunnels {number}.0" in fetch(talking.admin_port, "/metrics").body.decode()

    with _connect(talking) as first, _connect(talking):
        assert first.recv() == "service"
        until(lambda: told(2), "two are open")
    until(lambda: told(0), "both are closed")
