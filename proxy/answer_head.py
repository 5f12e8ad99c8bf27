"""Judge an answer's head and write the one the client gets. Pure: bytes in, bytes out.

An answer whose framing is ambiguous is never passed on.
"""

import enum
import json
import re
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus

from proxy.errors import ForwardError
from proxy.fields import BadField, Field, lines_of, read_field

_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus
}  # an unknown status gets an empty phrase, as RFC 9112 4 allows

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t -~\x80-\xff]*)?").fullmatch
_REMEMBERED_BYTES = 256  # of a line
_REMEMBERED_LINES = 4096
_REMEMBERED_HEAD_BYTES = 1024
_REMEMBERED_HEADS = 512
_MAX_LENGTH_DIGITS = 18  # an exabyte
_PERSISTENCE = frozenset({b"keep-alive", b"close", b""})
_USUAL_STATUSES = {line: (True, status) for status, line in _STATUS_LINES.items()}
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

    `length` is the declared one, None where there is none; `chunked` says how the upstream framed the body,
    `persistent` whether its connection can take another request. `declined`: the upstream says that it did
    nothing for the request and another must answer. `moved`: it refuses a write of tables that it does not
    own, in its own words. `refers`: a line says where something is.
    """

    __slots__ = (
        "_block",
        "chunked",
        "declined",
        "length",
        "lines",
        "moved",
        "nominated",
        "persistent",
        "refers",
        "sets_cookies",
        "status",
    )

    def __init__(self, status: int, block: bytes = b"", *, persistent: bool = True) -> None:
        """Judge the field lines of `block`. Raises BadAnswer for framing that cannot be told for sure."""
        self.status = status
        self.length: int | None = None
        self.chunked = False
        self.declined = False
        self.moved = b""
        self.refers = False
        self.sets_cookies = False
        self.persistent = persistent
        self.nominated: frozenset[bytes] = frozenset()
        self.lines: list[bytes] = []
        self._block = block
        lines = self.lines
        for line in lines_of(block):
            known = _known.get(line) or _learn(line)
            if known.rule is None:
                lines.append(known.text)
            else:
                known.rule(self, known)
        if self.nominated:
            self.lines = [line for line in lines if line.partition(b":")[0].lower() not in self.nominated]
        _check_framing(self)

    def again(self) -> "AnswerHead":
        """Return the same head for another answer that says the very same."""
        other = AnswerHead(self.status, persistent=self.persistent)
        other.length, other.chunked = self.length, self.chunked
        other.declined, other.moved = self.declined, self.moved
        other.refers, other.sets_cookies = self.refers, self.sets_cookies
        other.nominated, other.lines = self.nominated, self.lines
        other._block = self._block
        return other

    @property
    def headers(self) -> list[Field]:
        """The fields as the upstream gave them."""
        return [read_field(line) for line in lines_of(self._block)]

    @property
    def cookies(self) -> list[bytes]:
        """The lines that set cookies, in their order."""
        if not self.sets_cookies:
            return []
        return [line for line in self.lines if line[:11].lower() == b"set-cookie:"]


def _check_framing(head: AnswerHead) -> None:
    if head.chunked and head.length is not None:  # RFC 9112 6.3: which of the two is meant?
        raise BadAnswer("both a length and a transfer coding")


def read_answer(head: bytes) -> AnswerHead:
    """Return the judged head of an answer, given without its last empty line.

    Raises BadAnswer for what is no HTTP/1.0 or 1.1, and for framing that cannot be told for sure.
    """
    known = _answers.get(head)
    if known is not None:
        return known.again()
    line, _, block = head.partition(b"\r\n")
    found = _USUAL_STATUSES.get(line) or _read_status(line)
    answer = AnswerHead(found[1], block, persistent=found[0])
    if len(head) <= _REMEMBERED_HEAD_BYTES:
        if len(_answers) >= _REMEMBERED_HEADS:
            _answers.clear()
        _answers[head] = answer.again()
    return answer


_answers: dict[bytes, AnswerHead] = {}  # within a second a busy upstream says the very same again


def _read_status(line: bytes) -> tuple[bool, int]:
    """Return whether it is HTTP/1.1, and the status."""
    found = _STATUS_LINE(line)
    if found is None:
        raise BadAnswer(f"status line {line!r}")
    return found[1] == b"1", int(found[2])


class _Line:
    """A field line that was judged. `rule` is what it does to a head, None where it is just passed on."""

    __slots__ = ("name", "rule", "text", "value")

    def __init__(self, name: bytes, value: bytes) -> None:
        self.name = name
        self.value = value
        self.text = name + b": " + value
        self.rule = _rule(name)


_known: dict[bytes, _Line] = {}  # an upstream says most things again with every answer


def _learn(line: bytes) -> _Line:
    """Judge a line, and keep it for the next time. Raises BadAnswer."""
    try:
        name, value = read_field(line)
    except BadField:
        raise BadAnswer(f"header line {line!r}") from None
    judged = _Line(name, value)
    if len(line) <= _REMEMBERED_BYTES:
        if len(_known) >= _REMEMBERED_LINES:
            _known.clear()
        _known[line] = judged
    return judged


def _length(head: AnswerHead, line: _Line) -> None:
    if head.length is not None or not line.value.isdigit() or len(line.value) > _MAX_LENGTH_DIGITS:
        raise BadAnswer(f"length {line.value!r}")
    head.length = int(line.value)


def _transfer_encoding(head: AnswerHead, line: _Line) -> None:
    if head.chunked or line.value.lower() != b"chunked":
        raise BadAnswer(f"transfer coding {line.value!r}")
    head.chunked = True


def _connection(head: AnswerHead, line: _Line) -> None:
    if line.value == b"keep-alive":
        head.persistent = True
        return
    nominated = frozenset(token.strip(b" \t").lower() for token in line.value.split(b","))
    if b"close" in nominated:
        head.persistent = False
    elif b"keep-alive" in nominated:
        head.persistent = True
    head.nominated |= nominated - _PERSISTENCE


def _declined(head: AnswerHead, line: _Line) -> None:
    head.declined = True


def _moved(head: AnswerHead, line: _Line) -> None:
    head.moved = line.value


def _set_cookie(head: AnswerHead, line: _Line) -> None:
    head.sets_cookies = True
    head.lines.append(line.text)


def _location(head: AnswerHead, line: _Line) -> None:
    head.refers = True
    head.lines.append(b"Location: " + line.value)


def _content_location(head: AnswerHead, line: _Line) -> None:
    head.refers = True
    head.lines.append(b"Content-Location: " + line.value)


def _drop(head: AnswerHead, line: _Line) -> None:
    """Hop-by-hop (RFC 9110 7.6.1), or the proxy's own to say."""


_Rule = Callable[[AnswerHead, _Line], None]
_RULES: dict[bytes, _Rule] = {
    b"content-length": _length,
    b"transfer-encoding": _transfer_encoding,
    b"connection": _connection,
    b"x-strangler-declined": _declined,
    b"x-strangler-moved": _moved,
    b"set-cookie": _set_cookie,
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


def framing_of(answer: AnswerHead, *, is_head: bool, http10: bool) -> Framing:
    """Return how the body is delimited towards a client (RFC 9112 6.3)."""
    if is_head or answer.status in BODILESS or answer.status == 101:
        return Framing.NONE
    if answer.length is not None:
        return Framing.LENGTH
    return Framing.CLOSE if http10 else Framing.CHUNKED


def client_head(
    answer: AnswerHead, framing: Framing, *, http10: bool, keep_alive: bool, extra: bytes
) -> bytes:
    """Return the head a client gets. `extra`: the proxy's own lines, each ended by CRLF."""
    parts = [_STATUS_LINES.get(answer.status) or b"HTTP/1.1 %d " % answer.status, *answer.lines]
    if answer.status == 205:
        parts.append(b"Content-Length: 0")
    elif answer.length is not None:
        if answer.status != 204:  # RFC 9110 8.6
            parts.append(b"Content-Length: %d" % answer.length)
    elif framing is Framing.CHUNKED:
        parts.append(b"Transfer-Encoding: chunked")
    if answer.status == 101:
        parts.append(b"Connection: Upgrade\r\nUpgrade: websocket")
    elif not keep_alive:
        parts.append(b"Connection: close")
    elif http10:
        parts.append(b"Connection: keep-alive")
    parts.append(extra)
    parts.append(b"")
    return b"\r\n".join(parts)


def error_answer(error: ForwardError, request_id: bytes, retry_after: int = 1) -> tuple[AnswerHead, bytes]:
    """Return head and body of an answer that the proxy itself gives; `retry_after` is a 503's, in seconds."""
    body = json.dumps(
        {"error": error.id, "detail": error.sentence, "request_id": request_id.decode()}
    ).encode()
    lines = [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    if error is ForwardError.METHOD_REFUSED:
        lines.append(b"Allow: GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE")
    if error.status == 503:
        lines.append(b"Retry-After: %d" % retry_after)
    return AnswerHead(error.status, b"\r\n".join(lines)), body
