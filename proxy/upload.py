"""A request's body on its way to an upstream: framed as it must be, and kept where it may be sent again."""

from typing import Protocol

from proxy.body import LAST_CHUNK, chunk
from proxy.reply import Client
from proxy.request_head import RequestHead


class Outlet(Protocol):
    """A connection to an upstream."""

    def write(self, data: bytes) -> None:
        """Send a part of the request."""


class Upload:
    """One body. `whole` once all of it came; without an upstream to send it to, its parts wait here."""

    __slots__ = (
        "_client",
        "_expects_continue",
        "_kept",
        "_most",
        "_streamed",
        "_waiting",
        "chunked",
        "whole",
    )

    def __init__(self, client: Client, head: RequestHead) -> None:
        self._client = client
        self._expects_continue = head.expects_continue
        self._waiting: list[bytes] = []
        self._kept: list[bytes] | None = None  # what was sent, None where that is not kept whole
        self._most = 0  # bytes that may be kept
        self._streamed = False  # part of it has left for an upstream
        self.chunked = head.fields.length is None
        self.whole = not head.fields.has_body

    @property
    def waiting(self) -> int:
        """How many bytes wait to be sent."""
        return sum(map(len, self._waiting))

    @property
    def replayable(self) -> bool:
        """Whether all of it can (still) be sent."""
        return not self._streamed or (self.whole and self._kept is not None)

    def copy(self) -> bytes | None:
        """Return all of it, None where it is not whole or was not kept."""
        if not self.whole or self._kept is None:
            return None
        return b"".join(self._kept + self._waiting)

    def keep(self, most: int) -> None:
        """Keep what is sent, all of it or nothing: up to so many bytes."""
        if not self._streamed:
            self._kept, self._most = [], most

    def begin(self, connection: Outlet, words: bytes) -> None:
        """Send a head, and what came of the body before there was somewhere to send it."""
        if self._expects_continue and not self._waiting and not self.whole:
            self._expects_continue = False
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts = [words]
        for part in self._waiting:
            self._leaves(part)
            parts.append(chunk(part) if self.chunked else part)
        self._waiting = []
        if self.whole and self.chunked:
            parts.append(LAST_CHUNK)
        connection.write(b"".join(parts))
        self._client.resume_request()

    def wait(self, part: bytes) -> None:
        """Take a part for which there is no upstream yet."""
        self._waiting.append(part)

    def send(self, connection: Outlet, part: bytes) -> None:
        """Send a part on."""
        self._leaves(part)
        connection.write(chunk(part) if self.chunked else part)

    def end(self, connection: Outlet | None) -> None:
        """All of it came."""
        self.whole = True
        if connection is not None and self.chunked:
            connection.write(LAST_CHUNK)

    def rewind(self) -> None:
        """Have what was sent wait again, for another upstream. It must be replayable."""
        if self._streamed:
            assert self._kept is not None
            self._most += sum(map(len, self._kept))
            self._waiting, self._kept = self._kept, []
            self._streamed = False

    def _leaves(self, part: bytes) -> None:
        self._streamed = True
        if self._kept is None:
            return
        self._most -= len(part)
        if self._most < 0:
            self._kept = None
        else:
            self._kept.append(part)
