"""Connections to upstreams: ask one request at a time, hand its answer on as it comes, keep the rest warm."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Protocol, cast

import httptools

from proxy.answer_head import BODILESS, AnswerHead, BadAnswer
from proxy.errors import ForwardError
from proxy.routes import Upstream

MAX_ANSWER_HEAD = 64 * 1024
MAX_WAITING = 1024
FRESH_SECONDS = 1.0  # a write takes a kept connection only if it was used this recently
IDLE_SECONDS = 60.0


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

    def answer_end(self) -> None:
        """The answer is whole."""

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        """There will be no (more) answer. `clean`: a kept connection closed before the first byte of one."""

    def pause_request(self) -> None:
        """The upstream takes no more of the request's body for now."""

    def resume_request(self) -> None:
        """It does again."""


class UpstreamConnection(asyncio.Protocol):
    """One connection: parses answers for the receiver it is lent to, and goes back to its pool when whole."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._receiver: Receiver | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
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
        if self._in_head:
            self._head_bytes += len(data)
        sound = self._feed(data)
        if self._whole:
            self.reusable = self.reusable and sound  # what follows a whole answer is not part of it
            self._finish(receiver)
        elif not sound or (self._in_head and self._head_bytes > MAX_ANSWER_HEAD):
            self._lost(ForwardError.UPSTREAM_INVALID)
        else:
            receiver.answer_flush()

    def _feed(self, data: bytes) -> bool:
        """Parse what arrived; return whether it is an answer that can be passed on."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, BadAnswer):
                self._pool.report(error)
            return False
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # nobody asked for an upgrade
            return False
        return True

    def eof_received(self) -> None:
        self.reusable = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        self._pool.forget(self)
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
        if self._in_head:  # later ones are trailers, which are not forwarded
            self._headers.append((name, value))

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
        self._pool.put_back(self)

    def _lost(self, error: ForwardError, *, clean: bool = False) -> None:
        receiver, self._receiver = self._receiver, None
        self.close()
        if receiver is not None:
            receiver.answer_lost(error, clean=clean)


class Pool:
    """The connections to one upstream: the most recently used first, new ones up to a bound, then a queue."""

    def __init__(self, upstream: Upstream, loop: asyncio.AbstractEventLoop, connections: int) -> None:
        self.upstream = upstream
        self._loop = loop
        self._most = connections
        self._idle: deque[UpstreamConnection] = deque()
        self._open: set[UpstreamConnection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[Receiver, float]] = deque()
        self._closed = False

    def ask(self, receiver: Receiver, connect_timeout: float) -> None:
        """Give `receiver` a connection: at once where one is warm, else as soon as there is one."""
        connection = self._warm(receiver)
        if connection is not None:
            connection.lend(receiver)
            receiver.attached(connection)
        elif len(self._open) + len(self._connecting) < self._most:
            self._connect_for(receiver, connect_timeout)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append((receiver, connect_timeout))
        else:
            receiver.answer_lost(ForwardError.OVERLOADED, clean=False)

    def ask_fresh(self, receiver: Receiver, connect_timeout: float) -> None:
        """Give `receiver` a connection that has never been used."""
        self._connect_for(receiver, connect_timeout)

    def put_back(self, connection: UpstreamConnection) -> None:
        """Take back a connection whose answer is whole, for whoever waits longest."""
        if not connection.reusable:
            connection.close()
            return
        connection.kept = True
        while self._waiting:
            receiver, _ = self._waiting.popleft()
            if not receiver.gone:
                self._lend(connection, receiver)
                return
        if self._closed:
            connection.close()
            return
        connection.idle_since = monotonic()
        self._idle.append(connection)

    def forget(self, connection: UpstreamConnection) -> None:
        """A connection is gone; its place goes to whoever waits."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._serve_waiting()

    def report(self, error: Exception) -> None:
        """Log a fault of the proxy's own that a parser's callback met."""
        self._loop.call_exception_handler(
            {"message": "an answer could not be handled", "exception": error.__context__ or error}
        )

    def expire(self, now: float) -> None:
        """Close what has been idle too long."""
        while self._idle and now - self._idle[0].idle_since > IDLE_SECONDS:
            self._idle.popleft().close()

    def close(self) -> None:
        """Close idle connections now and lent ones as they come back."""
        self._closed = True
        while self._idle:
            self._idle.popleft().close()

    @property
    def quiet(self) -> bool:
        """Whether nothing uses or awaits a connection."""
        return not (self._open or self._connecting or self._waiting)

    def _warm(self, receiver: Receiver) -> UpstreamConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.reusable:
                continue
            # An upstream closes what idles. A read that meets the close is asked again; a write cannot be.
            if receiver.is_safe or monotonic() - connection.idle_since < FRESH_SECONDS:
                return connection
            connection.close()
        return None

    def _lend(self, connection: UpstreamConnection, receiver: Receiver) -> None:
        connection.lend(receiver)
        receiver.attached(connection)

    def _connect_for(self, receiver: Receiver, timeout: float) -> None:
        task = self._loop.create_task(self._connect(receiver, timeout))
        self._connecting.add(task)
        task.add_done_callback(self._connected)

    def _connected(self, task: asyncio.Task[None]) -> None:
        self._connecting.discard(task)
        self._serve_waiting()

    def _serve_waiting(self) -> None:
        while self._waiting and len(self._open) + len(self._connecting) < self._most:
            receiver, timeout = self._waiting.popleft()
            if not receiver.gone:
                self._connect_for(receiver, timeout)

    async def _connect(self, receiver: Receiver, timeout: float) -> None:
        make: Callable[[], UpstreamConnection] = lambda: UpstreamConnection(self)  # noqa: E731
        try:
            async with asyncio.timeout(timeout):
                _, connection = await self._loop.create_connection(
                    make, self.upstream.host, self.upstream.port
                )
        except (OSError, TimeoutError):
            self._not_connected(receiver, ForwardError.UPSTREAM_UNREACHABLE)
            return
        if not connection.reusable:  # closed as soon as it was open
            self._not_connected(receiver, ForwardError.UPSTREAM_RESET)
            return
        self._open.add(connection)
        if receiver.gone:
            self.put_back(connection)
        else:
            self._lend(connection, receiver)

    def _not_connected(self, receiver: Receiver, error: ForwardError) -> None:
        if not receiver.gone:
            receiver.answer_lost(error, clean=False)


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)


class Pools:
    """A pool for each address, kept over changes of the table as long as the table names it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connections: int) -> None:
        self._loop = loop
        self._connections = connections
        self._pools: dict[str, Pool] = {}  # by URL

    def of(self, upstream: Upstream) -> Pool:
        """Return the pool of an upstream's address."""
        pool = self._pools.get(upstream.url)
        if pool is None:
            pool = self._pools[upstream.url] = Pool(upstream, self._loop, self._connections)
        return pool

    def keep_only(self, upstreams: list[Upstream]) -> None:
        """Close the pools of every address that the table no longer names."""
        for url in self._pools.keys() - {upstream.url for upstream in upstreams}:
            self._pools.pop(url).close()

    def expire(self, now: float) -> None:
        for pool in self._pools.values():
            pool.expire(now)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
