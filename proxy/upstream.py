"""A connection to an upstream: one request at a time, its answer handed on as it comes."""

import asyncio
from typing import Protocol, cast

import httptools

from proxy.answer_head import BODILESS, AnswerHead, BadAnswer, is_trailer
from proxy.errors import ForwardError

MAX_ANSWER_HEAD = 64 * 1024


class Receiver(Protocol):
    """Who asked. Calls come in order: at most one head, bodies, then exactly one of `end` and `lost`."""

    is_head: bool
    is_safe: bool
    gone: bool  # nobody waits for the answer any more

    def attached(self, connection: "UpstreamConnection") -> None:
        """A connection is ready: send the request on it."""

    def answer_head(self, head: AnswerHead) -> None:
        """The final answer's head arrived."""

    def answer_body(self, data: bytes) -> None:
        """A part of the body arrived, without its framing."""

    def answer_trailer(self, name: bytes, value: bytes) -> None:
        """A field that may come after the body arrived."""

    def answer_flush(self) -> None:
        """All that arrived at once has been handed on."""

    def answer_end(self) -> None:
        """The answer is whole."""

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        """There will be no (more) answer. `clean`: a kept connection closed before the first byte of one."""

    def pause_request(self) -> None:
        """The upstream takes no more of the request's body for now."""

    def resume_request(self) -> None:
        """It does again."""


class Keeper(Protocol):
    """Who lends connections out and takes them back."""

    def put_back(self, connection: "UpstreamConnection") -> None:
        """An answer is whole; the connection may take another request."""

    def forget(self, connection: "UpstreamConnection") -> None:
        """The connection is gone."""

    def report(self, error: Exception) -> None:
        """A fault of the proxy's own met a parser's callback."""


class UpstreamConnection(asyncio.Protocol):
    """Parses answers for the receiver it is lent to, and goes back to its keeper when one is whole."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0  # or since the last part of a body: trailers are bounded as a head is
        self._in_head = True
        self._informational = False
        self._whole = False
        self._at_end = False  # the parser saw the end of the answer too
        self.reusable = True  # for another request, as far as is known
        self._until_close = False
        self.kept = False  # from an earlier answer: its upstream may close it at any moment
        self.idle_since = 0.0

    # --- lending ---------------------------------------------------------------------------------

    def lend(self, receiver: Receiver) -> None:
        """Answers go to `receiver` until one is whole or lost."""
        self._receiver = receiver
        self._whole = False
        self._at_end = False
        self._in_head = True
        self._head_bytes = 0

    def write(self, data: bytes) -> None:
        """Send a part of the request."""
        assert self._transport is not None
        self._transport.write(data)

    def abandon(self) -> None:
        """Nobody wants this answer any more: close at once, so that the upstream learns it."""
        self._receiver = None
        self.close()

    def close(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Read no more of the answer until `resume`: the client is slow."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # --- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is None:  # an upstream has nothing to say unasked
            self.close()
            return
        self._head_bytes += len(data)
        sound = self._feed(data)
        if self._receiver is None:  # it wants no more of this answer than its head
            return
        if self._whole:
            self.reusable = self.reusable and sound  # what follows a whole answer is not part of it
            self._finish(receiver)
        elif not sound or self._head_bytes > MAX_ANSWER_HEAD:
            self._lost(ForwardError.UPSTREAM_INVALID)
        else:
            receiver.answer_flush()

    def _feed(self, data: bytes) -> bool:
        """Parse what arrived; return whether it is an answer that can be passed on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, BadAnswer):
                self._keeper.report(error)
            return False
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # nobody asked for an upgrade
            return False
        return True

    def eof_received(self) -> None:
        self.reusable = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        self._keeper.forget(self)
        receiver = self._receiver
        if receiver is None:
            return
        if self._until_close and not self._in_head and exc is None:
            self._receiver = None
            receiver.answer_end()
        elif self._in_head:
            self._lost(ForwardError.UPSTREAM_RESET, clean=self.kept and self._head_bytes == 0)
        else:
            self._lost(ForwardError.UPSTREAM_TRUNCATED)

    def pause_writing(self) -> None:
        if self._receiver is not None:
            self._receiver.pause_request()

    def resume_writing(self) -> None:
        if self._receiver is not None:
            self._receiver.resume_request()

    # --- httptools callbacks ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._whole:  # bytes after the answer: whatever they are, they answer no question of ours
            self.reusable = False
        self._headers = []
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self._headers.append((name, value))
        elif name.lower() == b"connection":  # the parser heeds it, even in a trailer
            self.reusable = False
        elif self._receiver is not None and not self._whole and is_trailer(name):
            self._receiver.answer_trailer(name, value)

    def on_headers_complete(self) -> None:
        receiver = self._receiver
        if self._whole or receiver is None:
            return
        status = self._parser.get_status_code()
        self._informational = status < 200
        if self._informational:  # RFC 9110 15.2: never the final answer
            return
        if self._head_bytes > MAX_ANSWER_HEAD and _size(self._headers) > MAX_ANSWER_HEAD:
            raise BadAnswer("head too large")
        head = AnswerHead(status, self._headers)
        self._in_head = False
        if not self._parser.should_keep_alive():
            self.reusable = False
            self._until_close = head.length is None and not head.chunked
        receiver.answer_head(head)
        if receiver.is_head or status in BODILESS:
            self._whole = True  # the parser may wait for a body that never comes

    def on_body(self, data: bytes) -> None:
        self._head_bytes = 0
        if self._whole:
            self.reusable = False  # a body that the answer cannot have is not the next answer
        elif self._receiver is not None:
            self._receiver.answer_body(data)

    def on_message_complete(self) -> None:
        if not self._informational:
            self._whole = self._at_end = True

    # --- endings ---------------------------------------------------------------------------------

    def _finish(self, receiver: Receiver) -> None:
        self._receiver = None
        if not self._at_end:
            self._parser = httptools.HttpResponseParser(self)
        receiver.answer_end()
        self._keeper.put_back(self)

    def _lost(self, error: ForwardError, *, clean: bool = False) -> None:
        receiver, self._receiver = self._receiver, None
        self.close()
        if receiver is not None:
            receiver.answer_lost(error, clean=clean)


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)
