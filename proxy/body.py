"""Cut a message's body out of what arrives on a connection, as it is framed (RFC 9112 6 and 7.1). Pure.

A body is fed whatever came and gives back its parts; what follows it is left in `rest`. Chunk extensions
are dropped.
"""

import enum
import re
from typing import Protocol

from proxy.fields import BadField, Field, read_field

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# RFC 9112 7.1.1, without the spaces that a sender must not write
_CHUNK = re.compile(
    rb"([0-9A-Fa-f]{1,15})(?:;%b(?:=(?:%b|\"[\t !#-\[\]-~]*\"))?)*" % (_TOKEN, _TOKEN)
).fullmatch
_MAX_CHUNK_LINE = 4096
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class Fault(enum.Enum):
    """Why nothing more that comes can be trusted."""

    FRAMING = enum.auto()  # it is not framed as the head promised
    TRAILERS = enum.auto()  # the fields behind the body are larger than a head may be


class Body(Protocol):
    """A body that arrives. `done` once it is whole: `rest` is then what came behind it."""

    done: bool
    rest: bytes
    fault: Fault | None

    def feed(self, data: bytes) -> list[bytes]:
        """Return the parts of the body in `data`, up to its end or a fault."""


class Counted:
    """A body of a known number of bytes, at least 1."""

    def __init__(self, length: int) -> None:
        self.fault: Fault | None = None
        self.done = False
        self.rest = b""
        self._left = length

    def feed(self, data: bytes) -> list[bytes]:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            return [data]
        self.done = True
        if not left:
            return [data]
        self.rest = data[left:]
        return [data[:left]]


class UntilClose:
    """An answer's body that ends with its connection."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        return [data]


class Chunked:
    """A chunked body. `trailers` are the fields behind it, together at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self.fault: Fault | None = None
        self.done = False
        self.rest = b""
        self.trailers: list[Field] = []
        self._limit = limit
        self._kept = b""  # an unfinished line
        self._left = 0  # of the chunk's data, then of the CRLF behind it
        self._in_trailers = False

    def feed(self, data: bytes) -> list[bytes]:
        parts: list[bytes] = []
        data, self._kept = self._kept + data, b""
        at = 0
        while not self.done and self.fault is None and at < len(data):
            if self._left > 2:
                part = data[at : at + self._left - 2]
                self._left -= len(part)
                at += len(part)
                parts.append(part)
            elif self._left:
                at = self._close_chunk(data, at)
            else:
                end = data.find(b"\r\n", at)
                if end < 0:
                    self._keep(data[at:])
                    return parts
                self._line(data[at:end])
                at = end + 2
        if self.done:
            self.rest = data[at:]
        return parts

    def _close_chunk(self, data: bytes, at: int) -> int:
        came = data[at : at + self._left]
        if came != b"\r\n"[2 - self._left :][: len(came)]:
            self.fault = Fault.FRAMING
        self._left -= len(came)
        return at + len(came)

    def _keep(self, unfinished: bytes) -> None:
        if self._in_trailers:
            self._count(len(unfinished))
        elif len(unfinished) > _MAX_CHUNK_LINE or b"\n" in unfinished:
            self.fault = Fault.FRAMING
        self._kept = unfinished

    def _line(self, line: bytes) -> None:
        if not self._in_trailers:
            self._begin_chunk(line)
        elif line:
            self._count(len(line) + 2)
            self._limit -= len(line) + 2
            self._trailer(line)
        else:
            self.done = True

    def _trailer(self, line: bytes) -> None:
        try:
            field = read_field(line)
        except BadField:
            self.fault = Fault.FRAMING
            return
        if field[0].lower() in _FRAMING:  # RFC 9110 6.5.1: too late to say so
            self.fault = Fault.FRAMING
        self.trailers.append(field)

    def _begin_chunk(self, line: bytes) -> None:
        found = _CHUNK(line)
        if found is None:
            self.fault = Fault.FRAMING
            return
        size = int(found[1], 16)
        self._in_trailers = not size
        self._left = size + 2 if size else 0

    def _count(self, more: int) -> None:
        if more > self._limit:
            self.fault = Fault.TRAILERS


def chunk(data: bytes) -> bytes:
    """Return data, not empty, as a chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
