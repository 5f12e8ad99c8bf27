"""Connections from clients: cut into requests, answered in order, one at a time."""

import asyncio
import fcntl
import socket
import struct
import termios
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, cast

import httptools

from proxy.access_log import Entry
from proxy.answer_head import Audience, client_head, error_answer, framing_of
from proxy.errors import ForwardError
from proxy.exchange import Exchange

if TYPE_CHECKING:
    from proxy.runtime import Runtime

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the close drops what is unsent and resets the connection


def _unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel holds for the peer (tcp(7), SIOCOUTQ): what it takes, this falls."""
    held = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    (number,) = struct.unpack("i", held)
    return int(number)


class ClientConnection(asyncio.Protocol):
    """One client's connection. Implements `exchange.Client` for the request that is being answered."""

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime
        self._limits = runtime.limits
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0  # that came in packets of their own
        self._uncounted = False  # the head began in a packet with something else
        self._in_head = True
        self._incoming: Exchange | None = None  # whose body is arriving
        self._current: Exchange | None = None  # who is being answered
        self._queued: deque[Exchange] = deque()  # pipelined behind it
        self._bad_head: ForwardError | None = None  # why the head just read is no request
        self._refused: ForwardError | None = None  # to be said once everything before it is answered
        self._deaf = False  # nothing more that the client sends is taken for a request
        self._lingering = False  # until the client has read the last answer
        self._paused = False  # nothing is read from the client
        self._choked = False  # the client does not read what was sent
        self._unframed = 0  # bytes since the last part of a body: its framing and trailers
        self._heard = 0.0  # when something of an upload last came
        self._unread = 0  # bytes that the client had not read at `_unread_since`
        self._unread_since = 0.0
        self.deadline = 0.0
        self.address = "unknown"
        self.forwarded_for = b""
        self.secure = False

    @property
    def busy(self) -> bool:
        """Whether a request is being answered."""
        return self._current is not None

    # --- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.secure = transport.get_extra_info("sslcontext") is not None
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.address = peer[0]
        scheme = "https" if self.secure else "http"
        self.forwarded_for = f"X-Forwarded-For: {self.address}\r\nX-Forwarded-Proto: {scheme}".encode()
        self.deadline = monotonic() + self._limits.head_seconds
        self._runtime.clients.add(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._in_head:
            if not self._head_bytes and self._current is None:
                self.deadline = monotonic() + self._limits.head_seconds
            self._head_bytes += len(data)
        self._unframed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # never forwarded; what follows is no HTTP we know
            self._deaf = True
            self._refused = ForwardError.BAD_REQUEST
        except httptools.HttpParserCallbackError as error:
            self._runtime.log.exception("a request could not be handled", exc_info=error.__context__)
            self._refuse(ForwardError.BAD_REQUEST)
        except httptools.HttpParserError:
            self._refuse(self._bad_head or ForwardError.BAD_REQUEST)
        else:
            if not self._in_head or self._head_bytes or self._bad_head is not None:
                self._judge_arrived()

    def _judge_arrived(self) -> None:
        """Refuse what was found wrong with a head, and a head or trailers without end."""
        limit = self._limits.head_bytes
        if self._bad_head is not None:
            self._refuse(self._bad_head)
        elif self._in_head:
            if self._head_bytes > limit:
                self._refuse(ForwardError.HEAD_TOO_LARGE)
        elif self._incoming is not None:
            self._heard = monotonic()
            if self._unframed > limit:
                self._refuse(ForwardError.HEAD_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._runtime.clients.discard(self)
        current, self._current = self._current, None
        self._queued.clear()
        self._incoming = None
        if current is not None:
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

    # --- httptools callbacks ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._uncounted = self._head_bytes == 0
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # later ones are trailers, which are not forwarded
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._unframed = 0
        arrived, self._head_bytes, limit = self._head_bytes, 0, self._limits.head_bytes
        if self._deaf or self._bad_head is not None:
            return
        self.deadline = 0.0
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._bad_head = ForwardError.BAD_REQUEST
        elif (self._uncounted or arrived > limit) and self._size() > limit:
            self._bad_head = ForwardError.HEAD_TOO_LARGE
        if self._bad_head is not None:
            return
        exchange = self._incoming = Exchange(
            self,
            self._runtime,
            self._parser.get_method(),
            self._url,
            self._headers,
            http10=version == "1.0",
            keep_alive=self._parser.should_keep_alive(),
            upgrade=self._parser.should_upgrade(),
        )
        if self._current is None and not self._queued and not self._choked:
            self._current = exchange
            exchange.start()
        else:
            self._queued.append(exchange)
            self.pause_request()  # one packet's worth of pipelined requests is kept, no more

    def _size(self) -> int:
        return len(self._url) + sum(len(name) + len(value) + 4 for name, value in self._headers)

    def on_body(self, data: bytes) -> None:
        self._unframed = 0
        if self._incoming is not None:
            self._incoming.request_body(data)

    def on_message_complete(self) -> None:
        incoming, self._incoming = self._incoming, None
        self._in_head = True
        if incoming is not None:
            incoming.request_end()

    # --- exchange.Client -------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def pause_request(self) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume_request(self) -> None:
        if self._paused and not self._queued and self._transport is not None:
            self._paused = False
            self._heard = monotonic()
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def done(self, *, keep_alive: bool) -> None:
        self._current = None
        if not keep_alive:
            self._close_gently()
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
        elif self._current is not None:
            self._sweep_current(self._current, now)
        elif 0 < self.deadline < now:
            if self._head_bytes and not self._lingering:
                self._refuse(ForwardError.REQUEST_TIMEOUT)
            elif self._transport is not None:
                self._transport.close()

    def _sweep_current(self, current: Exchange, now: float) -> None:
        uploading = self._incoming is current and not self._paused
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
        if current is not None:
            current.stalled()
        self._deaf = True
        self._transport.abort()

    def close_if_idle(self) -> None:
        """Close a connection that waits for its next request: the worker is stopping."""
        if self._current is None and not self._queued and self._transport is not None:
            self._transport.close()

    def _proceed(self) -> None:
        """Turn to what comes after the request just answered."""
        if self._lingering:
            return
        if self._queued:
            self._runtime.loop.call_soon(self._next)
        elif self._refused is not None:
            self._answer_refusal(self._refused)
        else:
            limits = self._limits
            self.deadline = monotonic() + (limits.head_seconds if self._head_bytes else limits.idle_seconds)
            self.resume_request()

    def _next(self) -> None:
        if self._current is None and self._queued:
            self._current = self._queued.popleft()
            self._current.start()

    def _refuse(self, error: ForwardError) -> None:
        """Read no further; say why once everything before it is answered."""
        if self._deaf:  # the last word is said already
            return
        self._deaf = True
        self._refused = error
        if self._incoming is not None and self._incoming in self._queued:
            self._queued.remove(self._incoming)
        if self._current is None and not self._queued:
            self._answer_refusal(error)
        elif self._incoming is not None and self._incoming is self._current:
            self._incoming.broken_off(error)

    def _answer_refusal(self, error: ForwardError) -> None:
        request_id = self._runtime.new_request_id()
        answer, body = error_answer(error, request_id)
        extra = b"X-Request-ID: " + request_id + b"\r\n"
        audience = Audience(is_head=False, http10=False, keep_alive=False, extra=extra)
        self.send(client_head(answer, audience, framing_of(answer, audience)) + body)
        self._runtime.metrics.observe("-", "proxy", error.status, 0.0, error)
        self._log_refusal(error, request_id, len(body))
        self._close_gently()

    def _log_refusal(self, error: ForwardError, request_id: bytes, sent: int) -> None:
        if self._runtime.access_log is not None:
            now = monotonic()
            entry = Entry(request_id, self.address, "", error.status, sent, now, now, error=error)
            self._runtime.access_log.note(entry)

    def _close_gently(self) -> None:
        """Close once the client has had time to read: a close with unread input resets the connection."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        unread = self._incoming is not None or self._refused is not None
        self._deaf = True
        self._incoming = None
        self._queued.clear()
        if not unread or not transport.can_write_eof():
            transport.close()
            return
        self._lingering = True
        self.deadline = monotonic() + self._limits.linger_seconds
        transport.write_eof()
        if self._paused:
            self._paused = False
            transport.resume_reading()
