"""Hand pairs on over the comparer's Unix socket. While nobody takes them they are dropped, never kept."""

import asyncio

MAX_UNSENT_BYTES = 8 * 1024 * 1024
RECONNECT_SECONDS = 1.0


class PairSink(asyncio.Protocol):
    """The comparer's Unix socket. While nobody listens there, or too slowly, pairs are dropped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str | None) -> None:
        self._loop = loop
        self._path = path
        self._transport: asyncio.WriteTransport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._next_try = 0.0

    def offer(self, frame: bytes) -> bool:
        """Send a frame; return whether it was taken."""
        transport = self._transport
        if transport is None or transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            return False
        transport.write(frame)
        return True

    def keep_connected(self, now: float) -> None:
        """Begin to connect where that is wanted and was not tried a moment ago."""
        wanted = self._path is not None and self._transport is None and self._connecting is None
        if wanted and now >= self._next_try:
            self._next_try = now + RECONNECT_SECONDS
            self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            self._transport, _ = await self._loop.create_unix_connection(lambda: self, self._path)
        except OSError:
            self._transport = None
        finally:
            self._connecting = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
