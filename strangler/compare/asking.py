"""Ask one side one request and return its answer as it came, body still coded. Effects: HTTP.

The target is sent byte by byte as it was recorded, and a repeated header is repeated. Redirects are answers,
not ways; cookies are never kept from one request to the next.
"""

import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from threading import local
from typing import Self
from urllib.parse import urlsplit

from proxy.pairs import Failure, Headers, Request, Response

SECONDS = 30.0
MOST_BYTES = 1024 * 1024  # as the proxy captures of a live answer
_MADE_BY_US = frozenset({b"host", b"connection", b"content-length", b"transfer-encoding"})


@dataclass(frozen=True)
class Side:
    """A place to ask, and the headers that are sent along to it."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Asker:
    """Asks sides, from any number of threads; each keeps its own connections until `close`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._threads = local()
        self._all: list[dict[str, HTTPConnection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every thread's connections; call it when no thread asks any more."""
        for connections in self._all:
            for connection in connections.values():
                connection.close()
            connections.clear()

    def ask(self, side: Side, request: Request, credentials: Mapping[str, str]) -> Response | Failure:
        """Return a side's answer, or why there is none. Only for what is safe to ask twice."""
        started = time.monotonic()
        lines = tuple(_lines(side, request, credentials))
        try:
            answer = self._answer(side, request, lines)
            body, truncated = _body(answer)
        except (OSError, HTTPException, UnicodeEncodeError) as error:
            self._forget(side.url)
            return Failure(type(error).__name__, time.monotonic() - started)
        if truncated:
            self._forget(side.url)
        headers = tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.getheaders()
        )
        return Response(answer.status, headers, body, truncated, time.monotonic() - started)

    def _answer(self, side: Side, request: Request, lines: Headers) -> HTTPResponse:
        kept = self._connections.get(side.url)
        if kept is not None:
            try:
                return _asked(kept, request, lines)
            except (ConnectionError, HTTPException):  # closed while nobody used it, as every server may
                self._forget(side.url)
        connection = self._connections[side.url] = _connection(side.url, self._seconds)
        return _asked(connection, request, lines)

    def _forget(self, url: str) -> None:
        connection = self._connections.pop(url, None)
        if connection is not None:
            connection.close()

    @property
    def _connections(self) -> dict[str, HTTPConnection]:
        connections: dict[str, HTTPConnection] | None = getattr(self._threads, "connections", None)
        if connections is None:
            connections = self._threads.connections = {}
            self._all.append(connections)
        return connections


class _ByBytes:
    """Puts a target that holds bytes beyond ASCII on the wire as the bytes that it stands for."""

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


class _Plain(_ByBytes, HTTPConnection):
    pass


class _Encrypted(_ByBytes, HTTPSConnection):
    pass


def _connection(url: str, seconds: float) -> HTTPConnection:
    place = urlsplit(url)
    host = place.hostname or ""
    if place.scheme == "https":
        return _Encrypted(host, place.port, timeout=seconds, context=ssl.create_default_context())
    return _Plain(host, place.port, timeout=seconds)


def _asked(connection: HTTPConnection, request: Request, lines: Headers) -> HTTPResponse:
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in lines:
        connection.putheader(name, value)
    connection.endheaders(request.body or None)
    return connection.getresponse()


def _lines(side: Side, request: Request, credentials: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    ours = {"Host": urlsplit(side.url).netloc, **credentials, **side.headers}
    if request.body:
        ours["Content-Length"] = str(len(request.body))
    names = {name.lower().encode("latin-1") for name in ours}
    theirs = [
        (name, value)
        for name, value in request.headers
        if name.lower() not in _MADE_BY_US and name.lower() not in names
    ]
    if not any(name.lower() == b"accept-encoding" for name, _ in theirs):
        ours = {"Accept-Encoding": "gzip", **ours}
    yield from ((name.encode("latin-1"), value.encode("latin-1")) for name, value in ours.items())
    yield from theirs


def _body(answer: HTTPResponse) -> tuple[bytes, bool]:
    """Return the body, and whether it broke off or goes on beyond what is kept."""
    try:
        body = answer.read(MOST_BYTES + 1)
    except IncompleteRead as broken:
        return broken.partial, True
    return body[:MOST_BYTES], len(body) > MOST_BYTES or bool(answer.length)
