"""The admin address: GET /healthz and GET /metrics, for the operator's network and never for clients."""

import asyncio
import contextlib
from pathlib import Path

from proxy.exposition import CONTENT_TYPE, exposition

_QUESTION_SECONDS = 5.0


class Admin:
    """Answers for all workers, whichever of them is asked."""

    def __init__(self, counts: Path) -> None:
        self._counts = counts

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            async with asyncio.timeout(_QUESTION_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._respond(head.split(b"\r\n", 1)[0]))
                await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked gave up
        except asyncio.CancelledError:
            pass  # the worker stops
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _respond(self, request_line: bytes) -> bytes:
        if request_line.startswith(b"GET /healthz "):
            return _response("200 OK", "application/json", b'{"status":"ok"}')
        if request_line.startswith(b"GET /metrics "):
            # reads every worker's file: off the loop, so that no request waits for a scrape
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(None, exposition, self._counts)
            return _response("200 OK", CONTENT_TYPE, body)
        return _response("404 Not Found", "application/json", b'{"wanted":["/healthz","/metrics"]}')


def _response(status: str, content_type: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
