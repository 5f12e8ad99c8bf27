"""A connection to an upstream: one request at a time, its answer handed on as it comes."""

import asyncio
from typing import Protocol, cast

from proxy.answer_head import BODILESS, AnswerHead, BadAnswer, is_trailer, read_answer
from proxy.body import Body, Chunked, Counted, UntilClose
from proxy.errors import ForwardError
from proxy.fields import Field
from proxy.tunnel import Tunnel

MAX_ANSWER_HEAD = 64 * 1024
MAX_INTERIMS = 16  # before the final answer


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

    def answer_flush(self) -> None:
        """All that arrived at once has been handed on."""

    def answer_end(self, trailers: list[Field] | None) -> None:
        """The answer is whole. `trailers`: the fields that may stand behind its body."""

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        """There will be no (more) answer. `clean`: a kept connection closed before the first byte of one."""

    def pause_request(self) -> None:
        """The upstream takes no more of the request's body for now."""

    def resume_request(self) -> None:
        """It does again."""


class Upgrading(Protocol):
    """A receiver that asked for another protocol than HTTP."""

    def upgraded(self, head: AnswerHead) -> Tunnel:
        """The upstream agreed: what comes from now on goes through the tunnel that is returned."""


class Keeper(Protocol):
    """Who lends connections out and takes them back."""

    def put_back(self, connection: "UpstreamConnection") -> None:
        """An answer is whole; the connection may take another request."""

    def forget(self, connection: "UpstreamConnection") -> None:
        """The connection is gone."""


class UpstreamConnection:
    """Reads answers for the receiver it is lent to, and goes back to its keeper when one is whole.

    Implements `asyncio.Protocol`.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._upgrading: Upgrading | None = None
        self._tunnel: Tunnel | None = None
        self._kept = b""  # the beginning of a head
        self._body: Body | None = None  # of the answer that arrives
        self._heard = False  # a byte of this answer came
        self._interims = 0
        self.reusable = True  # for another request, as far as is known
        self.kept = False  # from an earlier answer: its upstream may close it at any moment
        self.idle_since = 0.0

    # --- lending ---------------------------------------------------------------------------------

    def lend(self, receiver: Receiver) -> None:
        """Answers go to `receiver` until one is whole or lost."""
        self._receiver = receiver
        self._heard = False
        self._interims = 0

    def offer_upgrade(self, receiver: Upgrading) -> None:
        """Let the upstream answer 101 to this request; any other answer goes its usual way."""
        self._upgrading = receiver

    def write(self, data: bytes) -> None:
        """Send a part of the request."""
        assert self._transport is not None
        self._transport.write(data)

    def abandon(self) -> None:
        """Nobody wants this answer any more: close at once, so that the upstream learns it."""
        self._receiver = None
        self.close()

    def close(self) -> None:
        """Close at once; what was not sent yet is lost."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    def finish(self) -> None:
        """Close once what was written is sent."""
        self.reusable = False
        if self._transport is not None:
            self._transport.close()

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
        if receiver is None:
            if self._tunnel is not None:
                self._tunnel.from_upstream(data)
            else:  # an upstream has nothing to say unasked
                self.close()
            return
        self._heard = True
        try:
            if self._body is None:
                self._take_head(receiver, self._kept + data if self._kept else data)
            else:
                self._take_body(receiver, self._body, data)
        except BadAnswer:
            self._lost(ForwardError.UPSTREAM_INVALID)

    def eof_received(self) -> None:
        self.reusable = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        self._keeper.forget(self)
        if self._tunnel is not None:
            self._tunnel.end()
        receiver = self._receiver
        if receiver is None:
            return
        if self._body is None:
            self._lost(ForwardError.UPSTREAM_RESET, clean=self.kept and not self._heard)
        elif exc is None and isinstance(self._body, UntilClose):
            self._receiver = None
            receiver.answer_end(None)
        else:
            self._lost(ForwardError.UPSTREAM_TRUNCATED)

    def pause_writing(self) -> None:
        if self._tunnel is not None:
            self._tunnel.upstream_full()
        elif self._receiver is not None:
            self._receiver.pause_request()

    def resume_writing(self) -> None:
        if self._tunnel is not None:
            self._tunnel.upstream_free()
        elif self._receiver is not None:
            self._receiver.resume_request()

    # --- the answer ------------------------------------------------------------------------------

    def _take_head(self, receiver: Receiver, data: bytes) -> None:
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > MAX_ANSWER_HEAD:
            if len(data) > MAX_ANSWER_HEAD:
                raise BadAnswer("head too large")
            self._kept = data
            return
        self._kept = b""
        head = read_answer(data[:end])
        rest = data[end + 4 :]
        if head.status < 200:
            self._interim(head, rest)
            if rest and self._tunnel is None:
                self._take_head(receiver, rest)
            return
        self._upgrading = None
        body = self._body = _body_of(receiver, head)
        if not head.persistent or isinstance(body, UntilClose):
            self.reusable = False
        receiver.answer_head(head)
        if self._receiver is None:  # it wants no more of this answer than its head
            return
        if body is None:
            self._finish(receiver, rest, None)
        elif rest:
            self._take_body(receiver, body, rest)
        else:
            receiver.answer_flush()

    def _interim(self, head: AnswerHead, rest: bytes) -> None:
        """Read on: an interim answer is never the final one (RFC 9110 15.2), but where HTTP ends with it."""
        self._interims += 1
        if head.status == 101 and self._upgrading is not None:
            self._switch(self._upgrading, head, rest)
        elif head.status == 101 or self._interims > MAX_INTERIMS:  # nobody asked for an upgrade
            raise BadAnswer(f"an interim answer of {head.status}")

    def _switch(self, upgrading: Upgrading, head: AnswerHead, rest: bytes) -> None:
        self._upgrading = self._receiver = None
        self.reusable = False
        tunnel = self._tunnel = upgrading.upgraded(head)
        if rest:
            tunnel.from_upstream(rest)

    def _take_body(self, receiver: Receiver, body: Body, data: bytes) -> None:
        for part in body.feed(data):
            receiver.answer_body(part)
        if body.done:
            trailers = None
            if isinstance(body, Chunked) and body.trailers:
                trailers = [field for field in body.trailers if is_trailer(field[0])]
            self._finish(receiver, body.rest, trailers)
        elif body.fault is not None:
            self._lost(ForwardError.UPSTREAM_INVALID)
        else:
            receiver.answer_flush()

    # --- endings ---------------------------------------------------------------------------------

    def _finish(self, receiver: Receiver, rest: bytes, trailers: list[Field] | None) -> None:
        if rest:  # whatever it is, it answers no question of ours
            self.reusable = False
        self._receiver = None
        self._body = None
        receiver.answer_end(trailers)
        self._keeper.put_back(self)

    def _lost(self, error: ForwardError, *, clean: bool = False) -> None:
        receiver, self._receiver = self._receiver, None
        self.close()
        if receiver is not None:
            receiver.answer_lost(error, clean=clean)


def _body_of(receiver: Receiver, head: AnswerHead) -> Body | None:
    """Return how the answer's body arrives, None where it has none (RFC 9112 6.3)."""
    if receiver.is_head or head.status in BODILESS:
        return None
    if head.chunked:
        return Chunked(MAX_ANSWER_HEAD)
    if head.length is None:
        return UntilClose()
    return Counted(head.length) if head.length else None
