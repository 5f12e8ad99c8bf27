"""A client that sends the bytes it is told and reads answers by the letter of RFC 9112."""

import select
import socket
import ssl
from dataclasses import dataclass

PATIENCE = 10.0
HOST = "shop.example"


class BrokenOff(Exception):
    """The connection ended inside an answer."""


@dataclass(frozen=True)
class Answer:
    """An answer as it came: the final status, its headers in order, and the body without its framing."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    interim: tuple[int, ...]
    framing: str  # "none", "length", "chunked" or "close"

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str:
        (value,) = self.values(name)
        return value


def head(method: str, path: str, *lines: str, version: str = "1.1") -> bytes:
    """Return a request's head, with a Host line before `lines`."""
    return "\r\n".join([f"{method} {path} HTTP/{version}", f"Host: {HOST}", *lines, "", ""]).encode("latin-1")


class Client:
    """One connection to the proxy, encrypted where `tls` says how."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self._sock = tls.wrap_socket(self._sock, server_hostname=HOST)
        self._buffer = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._sock.close()

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def ask(self, method: str, path: str, *lines: str, body: bytes = b"") -> Answer:
        """Send a request and return its answer."""
        if body:
            lines = (*lines, f"Content-Length: {len(body)}")
        self.send(head(method, path, *lines) + body)
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        """Read the answer to a request of `method`. Raises BrokenOff when it ends too early."""
        interim: list[int] = []
        while True:
            status, headers = self.head()
            if status >= 200:
                break
            interim.append(status)
        framing = _framing(method, status, headers)
        return Answer(status, headers, self._body(framing, headers), tuple(interim), framing)

    def head(self) -> tuple[int, tuple[tuple[str, str], ...]]:
        """Read one head, interim ones too."""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._more()
        text, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        status_line, *lines = text.decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        pairs = (line.split(": ", 1) for line in lines)
        return int(status), tuple((name, value) for name, value in pairs)

    def take(self, number: int) -> bytes:
        """Return exactly `number` bytes. Raises BrokenOff when fewer come."""
        while len(self._buffer) < number:
            self._buffer += self._more()
        data, self._buffer = self._buffer[:number], self._buffer[number:]
        return data

    def chunk(self) -> bytes:
        """Return the next chunk's data, empty for the last."""
        while b"\r\n" not in self._buffer:
            self._buffer += self._more()
        size, _, self._buffer = self._buffer.partition(b"\r\n")
        data = self.take(int(size, 16))
        assert self.take(2) == b"\r\n"
        return data

    def rest(self) -> bytes:
        """Return everything until the proxy closes. Raises ConnectionResetError where it resets."""
        data, self._buffer = self._buffer, b""
        while part := self._sock.recv(65536):
            data += part
        return data

    def heard(self) -> bool:
        """Return whether something waits to be read."""
        return bool(self._buffer) or bool(select.select([self._sock], [], [], 0)[0])

    def _more(self) -> bytes:
        data = self._sock.recv(65536)
        if not data:
            raise BrokenOff(self._buffer)
        return data

    def _body(self, framing: str, headers: tuple[tuple[str, str], ...]) -> bytes:
        if framing == "length":
            return self.take(int(next(value for name, value in headers if name == "Content-Length")))
        if framing == "chunked":
            return b"".join(iter(self.chunk, b""))
        return self.rest() if framing == "close" else b""


def _framing(method: str, status: int, headers: tuple[tuple[str, str], ...]) -> str:
    names = [name for name, _ in headers]
    assert names.count("Content-Length") + names.count("Transfer-Encoding") <= 1
    if method == "HEAD" or status in (204, 304):
        return "none"
    if "Transfer-Encoding" in names:
        return "chunked"
    return "length" if "Content-Length" in names else "close"


def fetch(port: int, path: str, *lines: str, method: str = "GET", body: bytes = b"") -> Answer:
    """Return the answer to one request on a connection of its own."""
    with Client(port) as client:
        return client.ask(method, path, *lines, body=body)
