"""Judge an answer's head and write the one the client gets. Pure: header pairs in, bytes out."""

import enum
import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from proxy.errors import ForwardError

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus
}  # an unknown status gets an empty phrase, as RFC 9112 4 allows

_CONNECTION = b"connection"
_LENGTH = b"content-length"
# RFC 9110 7.6.1: hop-by-hop, never forwarded; and the one header the proxy answers for
_DROPPED = frozenset(
    {
        _CONNECTION,
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"x-request-id",
    }
)
_OWN_PREFIX = b"x-strangler-"  # words between upstream and proxy


class Framing(enum.Enum):
    """How the client learns where the body ends."""

    NONE = enum.auto()  # there is no body
    LENGTH = enum.auto()
    CHUNKED = enum.auto()
    CLOSE = enum.auto()


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """An answer's head as its upstream gave it. `length` is None where the upstream declared none."""

    status: int
    headers: list[tuple[bytes, bytes]]
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who the answer is for: what decides its framing, and the lines the proxy adds."""

    is_head: bool  # asked with HEAD
    http10: bool
    keep_alive: bool
    extra: bytes  # whole lines, each ended by CRLF


def framing_of(answer: AnswerHead, audience: Audience) -> Framing:
    """Return how the body is delimited towards this client (RFC 9112 6.3)."""
    if audience.is_head or answer.status in (204, 304):
        return Framing.NONE
    if answer.length is not None:
        return Framing.LENGTH
    return Framing.CLOSE if audience.http10 else Framing.CHUNKED


def client_head(answer: AnswerHead, audience: Audience, framing: Framing) -> bytes:
    """Return the head the client gets."""
    status_line = _STATUS_LINES.get(answer.status) or b"HTTP/1.1 %d " % answer.status
    parts = [status_line]
    nominated = _nominated(answer.headers)
    for name, value in answer.headers:
        lower = name.lower()
        if lower in _DROPPED or lower.startswith(_OWN_PREFIX) or lower in nominated:
            continue
        if lower == _LENGTH and answer.status == 204:  # RFC 9110 8.6
            continue
        parts.append(name + b": " + value)
    if framing is Framing.CHUNKED:
        parts.append(b"Transfer-Encoding: chunked")
    if not audience.keep_alive or framing is Framing.CLOSE:
        parts.append(b"Connection: close")
    elif audience.http10:
        parts.append(b"Connection: keep-alive")
    parts.append(audience.extra)
    return b"\r\n".join(parts) + b"\r\n"


def _nominated(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """Return the names that the upstream's Connection header makes hop-by-hop."""
    for name, value in headers:
        if len(name) == len(_CONNECTION) and name.lower() == _CONNECTION:
            if value.lower() in (b"keep-alive", b"close"):
                return frozenset()
            return frozenset(token.strip().lower() for token in value.split(b","))
    return frozenset()


def error_answer(error: ForwardError, request_id: bytes) -> tuple[AnswerHead, bytes]:
    """Return head and body of an answer that the proxy itself gives."""
    body = json.dumps(
        {"error": error.id, "detail": error.sentence, "request_id": request_id.decode()}
    ).encode()
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(body))]
    if error is ForwardError.METHOD_REFUSED:
        headers.append((b"Allow", b"GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"))
    if error.status == 503:
        headers.append((b"Retry-After", b"1"))
    return AnswerHead(error.status, headers, len(body)), body
