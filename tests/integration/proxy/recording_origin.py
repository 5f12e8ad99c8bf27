"""An origin that keeps exactly the bytes it was sent and answers as a test scripts it."""

import contextlib
import re
import socket
import struct
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable

PATIENCE = 10.0  # seconds until something that must happen counts as not happening

Headers = Iterable[tuple[bytes, bytes]]


def fresh(prefix: str) -> str:
    """Return a path below `prefix` that no other test uses."""
    return prefix + uuid.uuid4().hex


def _is_fresh(path: str) -> bool:
    return re.search("/[0-9a-f]{32}$", path) is not None


class Gone(Exception):
    """The other side closed the connection."""


class Asked:
    """A request as it arrived: the head's exact bytes, and the body once a script has read it."""

    def __init__(self, connection: int, head: bytes) -> None:
        self.connection = connection
        self.head = head
        self.raw_body = b""
        self.whole = False  # the body ended as it was framed
        self.method, self.target, self.version = head.partition(b"\r\n")[0].decode().split(" ")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        pairs = (line.partition(b": ") for line in self.head.split(b"\r\n")[1:-2])
        return [(name, value) for name, _, value in pairs]

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Peer:
    """The origin's end of one connection from the proxy."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self.buffer = b""
        self.answered = 0
        self.open = True

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone from None

    def receive(self, most: int = 65536) -> bytes:
        """Return what comes next. Raises Gone at the end."""
        try:
            data = self.sock.recv(most)
        except OSError:
            raise Gone from None
        if not data:
            raise Gone
        return data

    def head(self) -> bytes:
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.receive()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def body(self, asked: Asked) -> bytes:
        """Read the request's body as it was framed, and keep those bytes in `asked`."""
        if asked.values(b"transfer-encoding"):
            while not (asked.raw_body == b"0\r\n\r\n" or asked.raw_body.endswith(b"\r\n0\r\n\r\n")):
                asked.raw_body += self._take()
        length = int((asked.values(b"content-length") or [b"0"])[0])
        while len(asked.raw_body) < length:
            asked.raw_body += self._take()
        asked.whole = True
        return asked.raw_body

    def _take(self) -> bytes:
        data, self.buffer = self.buffer, b""
        return data or self.receive()

    def close(self) -> None:
        self.open = False
        with contextlib.suppress(OSError):  # the proxy was faster
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        self.open = False
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def sees_the_end(self, within: float = PATIENCE) -> bool:
        """Return whether the proxy closes the connection in time."""
        self.sock.settimeout(within)
        try:
            while self.sock.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True


Script = Callable[[Peer, Asked], None]


def answer(body: bytes = b"{}", status: str = "200 OK", headers: Headers = ()) -> bytes:
    """Return an answer's bytes, framed by Content-Length."""
    lines = [b"HTTP/1.1 " + status.encode(), *(name + b": " + value for name, value in headers)]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def says(data: bytes) -> Script:
    """Return a script that reads the whole request, sends `data` and keeps the connection."""

    def script(peer: Peer, asked: Asked) -> None:
        peer.body(asked)
        peer.send(data)

    return script


def says_once(release: threading.Event) -> Script:
    """Return a script that answers only once `release` is set."""

    def script(peer: Peer, asked: Asked) -> None:
        assert release.wait(30)
        peer.body(asked)
        peer.send(answer())

    return script


def says_and_closes(data: bytes) -> Script:
    """Return a script that reads the whole request, sends `data` and closes."""

    def script(peer: Peer, asked: Asked) -> None:
        peer.body(asked)
        peer.send(data)
        peer.close()

    return script


def resets(peer: Peer, asked: Asked) -> None:
    """Read the whole request, then reset the connection instead of answering."""
    peer.body(asked)
    peer.reset()


class Origin:
    """A listening origin. Tests share it: each keeps to paths of its own (`fresh`)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._server = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._server.getsockname()[1]
        self._scripts: dict[str, Script] = {}
        self._all: list[Asked] = []
        self._arrived = threading.Condition()
        self._peers: list[Peer] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def scripted(self, path: str, script: Script) -> None:
        """Answer requests for `path` as `script` does."""
        self._scripts[path] = script

    def asked(self, path: str) -> list[Asked]:
        """Return the requests for a path so far."""
        with self._arrived:
            return [each for each in self._all if each.path == path]

    def asked_elsewhere(self) -> Counter[str]:
        """Return how often each path was asked for so far that is not one of `fresh`."""
        with self._arrived:
            return Counter(each.path for each in self._all if not _is_fresh(each.path))

    def asked_with(self, request_id: str) -> list[Asked]:
        """Return the requests that bear an X-Request-ID."""
        wanted = [request_id.encode()]
        with self._arrived:
            return [each for each in self._all if each.values(b"x-request-id") == wanted]

    def wait_for(self, path: str, number: int = 1) -> list[Asked]:
        """Return the requests for a path once there are `number`."""
        with self._arrived:
            came = self._arrived.wait_for(
                lambda: sum(each.path == path for each in self._all) >= number, PATIENCE
            )
            assert came, f"{self.name} was not asked for {path} {number} times"
            return [each for each in self._all if each.path == path]

    def drop_connections(self) -> None:
        """Close every connection that waits for its next request."""
        for peer in self._peers:
            peer.close()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._accepting.join()
        self.drop_connections()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(sock, len(self._peers))
            self._peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: Peer) -> None:
        try:
            while peer.open:
                asked = Asked(peer.number, peer.head())
                with self._arrived:
                    self._all.append(asked)
                    self._arrived.notify_all()
                script = self._scripts.get(asked.path, says(self._default()))
                script(peer, asked)
                peer.answered += 1
        except Gone:
            peer.close()

    def _default(self) -> bytes:
        body = b'{"from":"%b"}' % self.name.encode()
        return answer(body, headers=[(b"Content-Type", b"application/json")])
