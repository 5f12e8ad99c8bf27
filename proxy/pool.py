"""Which connection a request gets: a warm one, a new one up to a bound, or a place in the queue."""

import asyncio
from collections import deque
from time import monotonic
from typing import cast

from proxy.errors import ForwardError
from proxy.routes import Upstream
from proxy.upstream import Receiver, UpstreamConnection

MAX_WAITING = 1024
FRESH_SECONDS = 1.0  # a write takes a kept connection only if it was used this recently
IDLE_SECONDS = 60.0


class Pool:
    """The connections to one upstream: the most recently used first, new ones up to a bound, then a queue."""

    def __init__(self, upstream: Upstream, loop: asyncio.AbstractEventLoop, connections: int) -> None:
        self.upstream = upstream
        self._loop = loop
        self._most = connections
        self._idle: deque[UpstreamConnection] = deque()
        self._open: set[UpstreamConnection] = set()
        self._connecting: dict[asyncio.Task[None], Receiver | None] = {}  # None: for whoever comes next
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

    def withdraw(self, receiver: Receiver) -> None:
        """Give `receiver` nothing any more of what it asked for: another upstream is to answer it."""
        self._waiting = deque(each for each in self._waiting if each[0] is not receiver)
        for task, waiting in self._connecting.items():
            if waiting is receiver:
                self._connecting[task] = None

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

    def expire(self, now: float) -> None:
        """Close what has been idle too long."""
        while self._idle and now - self._idle[0].idle_since > IDLE_SECONDS:
            self._idle.popleft().close()

    def close(self) -> None:
        """Close idle connections now and lent ones as they come back."""
        self._closed = True
        while self._idle:
            self._idle.popleft().close()

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
        task = self._loop.create_task(self._connect(timeout))
        self._connecting[task] = receiver
        task.add_done_callback(self._connected)

    def _connected(self, task: asyncio.Task[None]) -> None:
        self._connecting.pop(task)
        self._serve_waiting()

    def _serve_waiting(self) -> None:
        while self._waiting and len(self._open) + len(self._connecting) < self._most:
            receiver, timeout = self._waiting.popleft()
            if not receiver.gone:
                self._connect_for(receiver, timeout)

    async def _connect(self, timeout: float) -> None:
        connection = await self._open_one(timeout)
        receiver = self._asking()
        if connection is None:
            if receiver is not None:
                receiver.answer_lost(ForwardError.UPSTREAM_UNREACHABLE, clean=False)
            return
        self._open.add(connection)
        if receiver is None:
            self.put_back(connection)
        else:
            self._lend(connection, receiver)

    async def _open_one(self, timeout: float) -> UpstreamConnection | None:
        connection = UpstreamConnection(self)
        try:
            async with asyncio.timeout(timeout):
                await self._loop.create_connection(
                    lambda: cast("asyncio.Protocol", connection), self.upstream.host, self.upstream.port
                )
        except (OSError, TimeoutError):
            return None
        return connection if connection.reusable else None  # else closed as soon as it was open

    def _asking(self) -> Receiver | None:
        """Return for whom the current task connects, None where nobody waits for it any more."""
        task = asyncio.current_task()
        assert task is not None
        receiver = self._connecting[task]
        return None if receiver is None or receiver.gone else receiver


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
