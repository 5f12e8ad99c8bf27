"""The admin address: health, metrics and control, for the operator's network and never for clients."""

import asyncio
import contextlib
import json
from http import HTTPStatus
from pathlib import Path

from proxy.admin_control import AdminControl, Said
from proxy.exposition import CONTENT_TYPE, exposition

_QUESTION_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_LINGER_SECONDS = 2.0
_JSON = "application/json"


class Admin:
    """Answers for all workers, whichever of them is asked."""

    def __init__(self, counts: Path, control: AdminControl) -> None:
        self._counts = counts
        self._control = control

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                writer.write(await self._respond(reader))
                await writer.drain()
                writer.write_eof()
                await _hear_out(reader)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked gave up
        except asyncio.CancelledError:
            pass  # the worker stops
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _respond(self, reader: asyncio.StreamReader) -> bytes:
        async with asyncio.timeout(_QUESTION_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        method, _, target = line.rpartition(b" ")[0].decode("latin-1").partition(" ")
        if (method, target) == ("GET", "/healthz"):
            return _response(HTTPStatus.OK, _JSON, b'{"status":"ok"}')
        if (method, target) == ("GET", "/metrics"):
            # reads every worker's file: off the loop, so that no request waits for a scrape
            body = await asyncio.to_thread(exposition, self._counts)
            return _response(HTTPStatus.OK, CONTENT_TYPE, body)
        if target == "/control" and self._control.on:
            return _said(await self._controlled(method, _fields(rest), reader))
        return _response(HTTPStatus.NOT_FOUND, _JSON, b'{"wanted":["/healthz","/metrics"]}')

    async def _controlled(self, method: str, fields: dict[str, str], reader: asyncio.StreamReader) -> Said:
        refused = self._control.refusal(method, fields)
        if refused is not None:
            return refused
        async with asyncio.timeout(_QUESTION_SECONDS):
            body = await reader.readexactly(int(fields["content-length"]))
        return await self._control.answer(body)


async def _hear_out(reader: asyncio.StreamReader) -> None:
    """Let whoever asked close first: closing on what it still sends would take the answer from it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(65536):
                pass


def _fields(block: bytes) -> dict[str, str]:
    """Return header fields by lower-case name; one that is repeated has all its values, and is none."""
    found: dict[str, str] = {}
    for line in block.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        name = name.strip().lower()
        found[name] = f"{found[name]}, {value.strip()}" if name in found else value.strip()
    return found


def _said(said: Said) -> bytes:
    return _response(said.status, _JSON, json.dumps(said.told).encode())


def _response(status: HTTPStatus, content_type: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: {content_type}\r\n"
    if status is HTTPStatus.UNAUTHORIZED:
        head += "WWW-Authenticate: Bearer\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
