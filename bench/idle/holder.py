"""`python -m bench.idle.holder`: clients that ask once each on a connection of their own, and then keep it.

Prints how many connections are held once all have been answered; closes them on SIGTERM. A connection that
ends before that makes it exit with 1.
"""

import argparse
import asyncio
import signal
import sys

import uvloop

AT_ONCE = 64


class Holder:
    """All held connections."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._request = f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nAccept: application/json\r\n\r\n"
        self._writers: list[asyncio.StreamWriter] = []
        self.ended = 0

    async def hold(self, number: int) -> None:
        """Open connections until there are `number`, each answered once."""
        turns = asyncio.Semaphore(AT_ONCE)
        self._watching = [asyncio.create_task(self._one(turns)) for _ in range(number)]
        while len(self._writers) + self.ended < number:
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """Close them all."""
        for task in self._watching:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()

    async def _one(self, turns: asyncio.Semaphore) -> None:
        async with turns:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                await self._ask(reader, writer)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                self.ended += 1
                return
            self._writers.append(writer)
        if not await reader.read(1):
            self.ended += 1

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._request.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))


async def run(holder: Holder, number: int) -> int:
    """Hold `number` connections until SIGTERM; return how many ended before."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await holder.hold(number)
    print(number - holder.ended, flush=True)
    await told.wait()
    ended = holder.ended
    holder.close()
    return ended


def main() -> None:
    """Hold connections until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle.holder", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--connections", type=int, required=True)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        ended = runner.run(run(Holder(options.port, options.path), options.connections))
    sys.exit(1 if ended else 0)


if __name__ == "__main__":
    main()
