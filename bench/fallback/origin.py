"""`python -m bench.fallback.origin`: an origin that does what it is asked, then fails as it is told.

Every request is written down, method and path, as soon as all of it is here: then it is performed.
"""

import argparse
import asyncio
import os
from contextlib import suppress
from pathlib import Path

import uvloop

from bench.fallback.failing import Failing
from bench.upstream import BODY, ORIGIN_HEADER


class Origin:
    """Answers, or fails, on every connection."""

    def __init__(self, name: str, failing: Failing, record: Path) -> None:
        self._failing = failing
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        status = "503 Service Unavailable" if failing is Failing.ERROR else "200 OK"
        lines = (
            f"HTTP/1.1 {status}",
            "Content-Type: application/json",
            f"{ORIGIN_HEADER}: {name}",
            f"Content-Length: {len(BODY)}",
        )
        self._answer = "\r\n".join([*lines, "", BODY]).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection's requests until it ends."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._take(reader)
                if self._failing is Failing.RESET:
                    break
                if self._failing is Failing.HUNG:
                    await reader.read()  # until the proxy gives up
                    break
                writer.write(self._answer)
                await writer.drain()
        writer.close()

    async def _take(self, reader: asyncio.StreamReader) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
        await reader.readexactly(int(lengths[0]) if lengths else 0)
        method, path, _ = first.split(" ")
        if method != "GET":
            os.write(self._record, f"{method} {path}\n".encode())


async def _serve(port: int, origin: Origin) -> None:
    server = await asyncio.start_server(origin.serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m bench.fallback.origin", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--failing", type=Failing, required=True)
    parser.add_argument("--record", type=Path, required=True)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options.port, Origin(options.name, options.failing, options.record)))


if __name__ == "__main__":
    main()
