"""`python -m bench.soak.origin`: an origin that answers as it is asked and keeps a record of every write.

The record is a file, written before anything is answered: it outlives a kill. `asked ID` says that a write's
head arrived, `done ID DIGEST` that all of it did, `refused ID` that it was turned away without effect: a file
names the origin that owns what writes change, as the fence in a database would.
"""

import argparse
import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import uvloop

from bench.soak.ask import DIGEST, ECHO, GROUP, ORIGIN, SAFE, Kind, body_of

CHUNKS = 8
PAUSE_SECONDS = 0.02
Headers = dict[str, str]

_MOVED = (
    "HTTP/1.1 409 Conflict\r\n"
    f"X-Strangler-Moved: {GROUP}; epoch=1; effect=none\r\n"
    f"{ORIGIN}: fence\r\n"
    "Content-Length: 0\r\n\r\n"
).encode()


class Origin:
    """Answers on connections; what it is asked to change it only writes down."""

    def __init__(self, name: str, record: Path, fence: Path) -> None:
        self._name = name
        self._fence = fence
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer the next request; return whether the connection takes another."""
        method, path, headers = await _head(reader)
        kind, size, id_ = path.rsplit("/", 3)[1:]
        if method not in SAFE:
            self._write_down(f"asked {id_}")
        digest = sha256()
        async for part in _body(reader, headers):
            digest.update(part)
        if method not in SAFE:
            if self._fence.read_text() != self._name:
                self._write_down(f"refused {id_}")
                writer.write(_MOVED)
                await writer.drain()
                return True
            self._write_down(f"done {id_} {digest.hexdigest()}")
        named = {ORIGIN: self._name, ECHO: id_, DIGEST: digest.hexdigest()}
        body = body_of(id_, int(size))
        return await _say(writer, Kind(kind), named, body, is_head=method == "HEAD")

    def _write_down(self, line: str) -> None:
        os.write(self._record, f"{line}\n".encode())


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, Headers]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = text.split("\r\n")[:-2]
    method, path, _ = first.split(" ")
    return method, path, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


async def _body(reader: asyncio.StreamReader, headers: Headers) -> AsyncIterator[bytes]:
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return
    left = int(headers.get("content-length", "0"))
    while left:
        part = await reader.read(min(left, 65536))
        if not part:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(part)
        yield part


async def _say(
    writer: asyncio.StreamWriter, kind: Kind, named: Headers, body: bytes, *, is_head: bool
) -> bool:
    """Answer as `kind` says; return whether the connection stays."""
    if kind is Kind.RESET:
        return False
    chunked = kind in (Kind.CHUNKED, Kind.SLOW)
    framing = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
    lines = [f"{name}: {value}" for name, value in (named | framing).items()]
    status = "503 Service Unavailable" if kind is Kind.FAILED else "200 OK"
    writer.write("\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode())
    if is_head:
        return True
    if kind is Kind.CUT:
        writer.write(body[: len(body) // 2])
    elif not chunked:
        writer.write(body)
    else:
        await _say_chunks(writer, body, PAUSE_SECONDS if kind is Kind.SLOW else 0.0)
    await writer.drain()
    return kind is not Kind.CUT


async def _say_chunks(writer: asyncio.StreamWriter, body: bytes, pause: float) -> None:
    step = len(body) // CHUNKS + 1
    for start in range(0, len(body), step):
        part = body[start : start + step]
        writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        await writer.drain()
        await asyncio.sleep(pause)
    writer.write(b"0\r\n\r\n")


async def _serve(port: int, origin: Origin) -> None:
    server = await asyncio.start_server(origin.serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak.origin", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--fence", type=Path, required=True)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options.port, Origin(options.name, options.record, options.fence)))


if __name__ == "__main__":
    main()
