"""Connections from clients: cut into requests, answered in order, one at a time."""

import asyncio
import fcntl
import socket
import struct
import termios
from time import monotonic
from typing import TYPE_CHECKING, cast

from proxy.answer_head import error_answer
from proxy.body import Body, Chunked, Counted, Fault
from proxy.errors import ForwardError, RequestRefused
from proxy.exchange import Exchange
from proxy.reply import Reply
from proxy.request_head import check_beginning, read_head
from proxy.tunnel import Tunnel

if TYPE_CHECKING:
    from proxy.runtime import Runtime

_REFUSALS = {Fault.FRAMING: ForwardError.BAD_REQUEST, Fault.TRAILERS: ForwardError.HEAD_TOO_LARGE}
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the close drops what is unsent and resets the connection


def _waits_in_kernel(transport: asyncio.Transport) -> bool:
    """Return whether the peer has sent what nobody has read yet (tcp(7), SIOCINQ)."""
    waits = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, bytes(4))
    return any(waits)


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel holds for the peer (tcp(7), SIOCOUTQ): what it takes, this falls."""
    held = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    (number,) = struct.unpack("i", held)
    return int(number)


class ClientConnection:
    """One client's connection. Implements `asyncio.Protocol`, and `reply.Client` for the request in hand.

    What comes while a request is answered waits unread, one packet of it here: it is looked at when its
    turn comes.
    """

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._limits = runtime.limits
        self._transport: asyncio.Transport | None = None
        self._kept = b""  # the beginning of a head, or what waits for its turn
        self._in_head = False  # `_kept` is the beginning of a head
        self._current: Exchange | None = None  # who is being answered
        self._body: Body | None = None  # of the current request, as long as it arrives
        self._tunnel: Tunnel | None = None  # where HTTP has ended
        self._deaf = False  # nothing more that the client sends is taken for a request
        self._lingering = False  # until the client has read the last answer
        self._paused = False  # nothing is read from the client
        self._choked = False  # the client does not read what was sent
        self._heard = 0.0  # when something of an upload last came
        self._unread = 0  # bytes that the client had not read at `_unread_since`
        self._unread_since = 0.0
        self._waits_since = 0.0  # for a request to begin
        self.deadline = 0.0
        self.address = "unknown"
        self.forwarded_for = b""
        self.secure = False

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self._current is not None

    @property
    def idle_since(self) -> float:
        """When nothing began to be under way; 0 while something is."""
        answering = self._current is not None or self._tunnel is not None or self._lingering or self._choked
        return 0.0 if answering or self._kept else self._waits_since

    # --- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.secure = transport.get_extra_info("sslcontext") is not None
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.address = peer[0]
        scheme = "https" if self.secure else "http"
        self.forwarded_for = f"X-Forwarded-For: {self.address}\r\nX-Forwarded-Proto: {scheme}".encode()
        limits, runtime = self._limits, self._runtime
        if not runtime.has_room():
            self._deaf = True
            self._transport.abort()
            return
        patience = limits.parting_seconds if runtime.draining else limits.head_seconds
        self._waits_since = monotonic()
        self.deadline = self._waits_since + patience
        runtime.clients.add(self)

    def data_received(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.from_client(data)
            return
        if self._deaf:
            return
        if self._kept:
            data = self._kept + data
            self._kept = b""
        self._take(data)

    def eof_received(self) -> None:
        """The client sends nothing more, so it has left: the connection closes."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._runtime.clients.discard(self)
        current, self._current = self._current, None
        self._kept = b""
        self._body = None
        if self._tunnel is not None:
            self._tunnel.end()
        elif current is not None:
            current.client_lost()

    def pause_writing(self) -> None:
        self._choked = True
        self._unread_since = monotonic()
        if self._current is not None:
            self._current.pause_answer()

    def resume_writing(self) -> None:
        self._choked = False
        if self._current is not None:
            self._current.resume_answer()
        else:
            self._proceed()

    # --- the requests ----------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Take what arrived: the rest of a body, a head, or what has to wait for its turn."""
        try:
            while data and not self._deaf:
                if self._body is not None:
                    data = self._take_body(self._body, data)
                elif self._current is None and not self._choked:
                    data = self._take_head(data)
                else:
                    self._kept = data
                    self.pause_request()
                    return
        except RequestRefused as refusal:
            self._refuse(refusal.error, is_head=data.startswith(b"HEAD "))

    def _take_head(self, data: bytes) -> bytes:
        """Begin with a request once its head is here; return what came behind the head."""
        if data[0] in b"\r\n":
            data = data.lstrip(b"\r\n")  # RFC 9112 2.2: empty lines before a request line are no fault
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > self._limits.head_bytes:
            self._keep_head(data)
            return b""
        self._in_head = False
        self.deadline = 0.0
        head = read_head(data[:end])
        exchange = self._current = Exchange(self, self._runtime, head)
        if head.fields.has_body:
            length = head.fields.length
            self._body = Chunked(self._limits.head_bytes) if length is None else Counted(length)
            self._heard = monotonic()
        elif head.fields.upgrades and not head.fields.websocket:  # what follows is no HTTP we know
            self._deaf = True
        exchange.start()
        return data[end + 4 :]

    def _keep_head(self, data: bytes) -> None:
        """Wait for the rest of a head, unless it is too large or hopeless already."""
        if len(data) > self._limits.head_bytes:
            raise RequestRefused(ForwardError.HEAD_TOO_LARGE)
        check_beginning(data)
        self._kept = data
        if not self._in_head:
            self._in_head = True
            self.deadline = monotonic() + self._limits.head_seconds

    def _take_body(self, body: Body, data: bytes) -> bytes:
        """Hand on the parts of the current request's body; return what came behind it."""
        assert self._current is not None
        self._heard = monotonic()
        for part in body.feed(data):
            self._current.request_body(part)
        if body.fault is not None:
            raise RequestRefused(_REFUSALS[body.fault])
        if not body.done:
            return b""
        self._body = None
        self._current.request_end()
        return body.rest

    # --- reply.Client ----------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def pause_request(self) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume_request(self) -> None:
        waiting = bool(self._kept) and not self._in_head  # its turn comes first
        if self._paused and not waiting and self._transport is not None:
            self._paused = False
            self._heard = monotonic()
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def switch(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        kept, self._kept = self._kept, b""
        if kept:
            tunnel.from_client(kept)
        self.resume_request()

    def done(self, *, keep_alive: bool) -> None:
        self._current = None
        if not keep_alive:
            self._close_gently(unread=self._body is not None or self._deaf)
        elif self._choked:
            self.pause_request()  # a client that does not read is asked for nothing more
        else:
            self._proceed()

    def cut(self, *, reset: bool) -> None:
        self._current = None
        self._deaf = True
        transport = self._transport
        if transport is None:
            return
        if reset:
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()
        else:
            transport.close()

    # --- endings ---------------------------------------------------------------------------------

    def sweep(self, now: float) -> None:
        """Act on a deadline that has passed."""
        if self._choked and self._reads_nothing(now):
            self._give_up()
        elif self._tunnel is not None:
            if self._tunnel.silent_for(now) > self._limits.tunnel_seconds:
                self._tunnel.end()
        elif self._current is not None:
            self._sweep_current(self._current, now)
        elif 0 < self.deadline < now:
            if self._in_head and not self._lingering:
                self._refuse(ForwardError.REQUEST_TIMEOUT)
            elif self._lingering or not self._is_asking():
                self._close()

    def _sweep_current(self, current: Exchange, now: float) -> None:
        uploading = self._body is not None and not self._paused
        if 0 < current.deadline < now:
            current.expired()
        elif uploading and now - self._heard > self._limits.body_seconds:
            self._refuse(ForwardError.BODY_TIMEOUT)

    def _reads_nothing(self, now: float) -> bool:
        """Return whether the client has read nothing for too long."""
        assert self._transport is not None
        unread = self._transport.get_write_buffer_size() + _unacknowledged(self._transport)
        if unread != self._unread:
            self._unread, self._unread_since = unread, now
        return now - self._unread_since > self._limits.reader_seconds

    def _give_up(self) -> None:
        """Drop a client that does not read, with everything that waits for it."""
        assert self._transport is not None
        current, self._current = self._current, None
        if self._tunnel is not None:
            self._tunnel.end()
        elif current is not None:
            current.stalled()
        self._deaf = True
        self._transport.abort()

    def part(self) -> None:
        """The worker stops: close soon what waits for its next request.

        Not at once: a client cannot know, and what it asks at this moment is still answered, with the word
        that the connection closes.
        """
        if self._current is None and not self._kept and not self._lingering:
            self.deadline = min(self.deadline, monotonic() + self._limits.parting_seconds)

    def gives_way(self) -> bool:
        """Close an idle connection because its worker is full, unless a request is here; return whether."""
        if self._is_asking():
            return False
        self._close()
        return True

    def _is_asking(self) -> bool:
        """Return whether a request is here that nobody has read yet."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and _waits_in_kernel(transport)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _proceed(self) -> None:
        """Turn to what comes after the request just answered."""
        if self._lingering:
            return
        if self._kept and not self._in_head:
            self._runtime.loop.call_soon(self._next)
        else:
            limits = self._limits
            patience = limits.parting_seconds if self._runtime.draining else limits.idle_seconds
            self._waits_since = monotonic()
            self.deadline = self._waits_since + patience
            self.resume_request()

    def _next(self) -> None:
        """Take what waited for its turn."""
        if not self.busy and not self._deaf:
            kept, self._kept = self._kept, b""
            self._take(kept)
        if not self.busy and not self._deaf:
            self.resume_request()

    def _refuse(self, error: ForwardError, *, is_head: bool = False) -> None:
        """Read no further, and say why."""
        if self._deaf:  # the last word is said already
            return
        self._deaf = True
        if self._current is not None:  # its body it is that is refused
            self._current.broken_off(error)
        else:
            self._answer_refusal(error, is_head=is_head)

    def _answer_refusal(self, error: ForwardError, *, is_head: bool) -> None:
        runtime = self._runtime
        request_id = runtime.new_request_id()
        answer, body = error_answer(error, request_id)
        reply = Reply(self, is_head=is_head, http10=False)
        reply.begin(answer, keep_alive=False, extra=b"X-Request-ID: %b\r\n" % request_id)
        reply.body(body)
        reply.flush()
        runtime.observe_refusal(request_id, self.address, reply, error)
        self._close_gently(unread=True)

    def _close_gently(self, *, unread: bool) -> None:
        """Close once the client has had time to read: a close with unread input resets the connection."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._deaf = True
        unread = unread or bool(self._kept)
        self._body = None
        self._kept = b""
        if not unread:
            transport.close()
            return
        self._lingering = True
        self.deadline = monotonic() + self._limits.linger_seconds
        if transport.can_write_eof():  # TLS cannot: its client reads the answer's end off its framing
            transport.write_eof()
        if self._paused:
            self._paused = False
            transport.resume_reading()
