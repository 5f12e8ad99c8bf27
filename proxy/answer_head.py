"""Judge an answer's head and write the one the client gets. Pure: header pairs in, bytes out.

An answer whose framing is ambiguous is never passed on.
"""

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from proxy.errors import ForwardError

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus
}  # an unknown status gets an empty phrase, as RFC 9112 4 allows

_OWN_PREFIX = b"x-strangler-"  # words between upstream and proxy
BODILESS = frozenset({204, 205, 304})  # RFC 9110 15.3.5, 15.3.6, 15.4.5


class BadAnswer(ValueError):
    """The answer's head cannot be passed on; the message says why."""


class Framing(enum.Enum):
    """How the client learns where the body ends."""

    NONE = enum.auto()  # there is no body
    LENGTH = enum.auto()
    CHUNKED = enum.auto()
    CLOSE = enum.auto()


class AnswerHead:
    """An answer's head, judged. `lines` are the end-to-end headers, Content-Length apart.

    `length` is the declared one, None where there is none; `chunked` says how the upstream framed the body.
    `declined`: the upstream says that it did nothing for the request and another must answer. `refers` is
    whether a line says where something is. Raises BadAnswer for a transfer coding that the proxy would have
    to decode.
    """

    __slots__ = ("chunked", "declined", "headers", "length", "lines", "nominated", "refers", "status")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        self.headers = headers
        self.length: int | None = None
        self.chunked = False
        self.declined = False
        self.refers = False
        self.nominated: frozenset[bytes] = frozenset()
        self.lines = lines = []
        for name, value in headers:
            rule = _rule(name)
            if rule is None:
                lines.append(name + b": " + value)
            else:
                rule(self, value)
        if self.nominated:
            self.lines = [line for line in lines if line.partition(b":")[0].lower() not in self.nominated]
        if self.chunked:  # RFC 9112 6.3: a length beside it means nothing
            self.length = None


def _length(head: AnswerHead, value: bytes) -> None:
    head.length = int(value)


def _transfer_encoding(head: AnswerHead, value: bytes) -> None:
    if head.chunked or value.lower() != b"chunked":
        raise BadAnswer(f"transfer coding {value!r}")
    head.chunked = True


def _connection(head: AnswerHead, value: bytes) -> None:
    if value != b"keep-alive" and value != b"close":
        head.nominated = frozenset(token.strip().lower() for token in value.split(b","))


def _declined(head: AnswerHead, value: bytes) -> None:
    head.declined = True


def _location(head: AnswerHead, value: bytes) -> None:
    head.refers = True
    head.lines.append(b"Location: " + value)


def _content_location(head: AnswerHead, value: bytes) -> None:
    head.refers = True
    head.lines.append(b"Content-Location: " + value)


def _drop(head: AnswerHead, value: bytes) -> None:
    """Hop-by-hop (RFC 9110 7.6.1), or the proxy's own to say."""


_Rule = Callable[[AnswerHead, bytes], None]
_RULES: dict[bytes, _Rule] = {
    b"content-length": _length,
    b"transfer-encoding": _transfer_encoding,
    b"connection": _connection,
    b"x-strangler-declined": _declined,
    b"location": _location,
    b"content-location": _content_location,
    **dict.fromkeys(
        (
            b"keep-alive",
            b"proxy-connection",
            b"proxy-authenticate",
            b"te",
            b"trailer",
            b"upgrade",
            b"x-request-id",
        ),
        _drop,
    ),
}


@lru_cache(maxsize=4096)
def _rule(name: bytes) -> _Rule | None:
    """Return what to do with a header, None to pass it on."""
    lower = name.lower()
    return _RULES.get(lower, _drop if lower.startswith(_OWN_PREFIX) else None)


# RFC 9110 6.5.1: what frames, routes, authenticates or describes a message cannot come after it
_NEVER_TRAILERS = frozenset(
    {b"authorization", b"cache-control", b"content-encoding", b"content-range", b"content-type", b"cookie"}
    | {b"expires", b"host", b"location", b"set-cookie", b"vary", b"www-authenticate", b"content-location"}
)


def is_trailer(name: bytes) -> bool:
    """Return whether a field that came after the body may be passed on there."""
    return name.lower() not in _NEVER_TRAILERS and _rule(name) is None


@dataclass(slots=True)
class Audience:
    """Who the answer is for: what decides its framing, and the lines the proxy adds."""

    is_head: bool  # asked with HEAD
    http10: bool
    keep_alive: bool
    extra: bytes  # whole lines, each ended by CRLF


def framing_of(answer: AnswerHead, audience: Audience) -> Framing:
    """Return how the body is delimited towards this client (RFC 9112 6.3)."""
    if audience.is_head or answer.status in BODILESS:
        return Framing.NONE
    if answer.length is not None:
        return Framing.LENGTH
    return Framing.CLOSE if audience.http10 else Framing.CHUNKED


def client_head(answer: AnswerHead, audience: Audience, framing: Framing) -> bytes:
    """Return the head the client gets."""
    parts = [_STATUS_LINES.get(answer.status) or b"HTTP/1.1 %d " % answer.status, *answer.lines]
    length = 0 if answer.status == 205 else answer.length
    if length is not None and answer.status != 204:  # RFC 9110 8.6
        parts.append(b"Content-Length: %d" % length)
    elif framing is Framing.CHUNKED:
        parts.append(b"Transfer-Encoding: chunked")
    if not audience.keep_alive or framing is Framing.CLOSE:
        parts.append(b"Connection: close")
    elif audience.http10:
        parts.append(b"Connection: keep-alive")
    parts.append(audience.extra)
    return b"\r\n".join(parts) + b"\r\n"


def error_answer(error: ForwardError, request_id: bytes, retry_after: int = 1) -> tuple[AnswerHead, bytes]:
    """Return head and body of an answer that the proxy itself gives; `retry_after` is a 503's, in seconds."""
    body = json.dumps(
        {"error": error.id, "detail": error.sentence, "request_id": request_id.decode()}
    ).encode()
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(body))]
    if error is ForwardError.METHOD_REFUSED:
        headers.append((b"Allow", b"GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"))
    if error.status == 503:
        headers.append((b"Retry-After", b"%d" % retry_after))
    return AnswerHead(error.status, headers), body
