"""A client of the soak: asks, judges every answer to the byte, leaves when it feels like it, comes again."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto

import httptools

from bench.soak.ask import DIGEST, ECHO, ORIGIN, Ask, some_ask
from bench.soak.judge import Got, Judged, Outcome, Tally, judge_answer

HANG_SECONDS = 20.0  # twice what the table grants a request
REQUESTS = 30  # at most on one connection
LEAVERS_PERCENT = 6
ERROR_SECONDS = 0.05  # after one, or errors would be most of what is seen


class Leaving(Enum):
    """When a client goes away without waiting for the end."""

    NEVER = auto()
    ASKING = auto()  # half of the request is sent
    WAITING = auto()  # all of it is
    READING = auto()  # something of the answer has come


class _Answer:
    """Reads one answer. What comes behind its end is no part of it, and wrong."""

    def __init__(self, ask: Ask) -> None:
        self._is_head = ask.method == "HEAD"
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self.begun = self.whole = self.garbled = False

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self.begun = True
        self.garbled = self.garbled or self.whole
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.garbled = True

    @property
    def keeps_connection(self) -> bool:
        return self._headers.get("connection") != "close"

    def got(self) -> Got:
        """Return the answer as far as it came."""
        headers = self._headers
        return Got(
            status=self._parser.get_status_code(),
            origin=headers.get(ORIGIN.lower(), ""),
            echo=headers.get(ECHO.lower(), ""),
            digest=headers.get(DIGEST.lower(), ""),
            body=b"".join(self._body),
            framed="content-length" in headers or "transfer-encoding" in headers,
            whole=self.whole,
        )

    # --- httptools callbacks ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.garbled = self.whole

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        self.whole = self._is_head  # httptools cannot know that no body follows

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        self.whole = True


class Client:
    """One of many. Counts in the tally that all share."""

    def __init__(self, port: int, tally: Tally, seed: str, hang_seconds: float = HANG_SECONDS) -> None:
        self._port = port
        self._tally = tally
        self._chance = random.Random(seed)
        self._number = 0
        self._seed = seed
        self._hang_seconds = hang_seconds
        self._stopping = False

    def stop(self) -> None:
        """Ask for nothing more."""
        self._stopping = True

    async def live(self) -> None:
        """Connect and ask, over and over, until told to stop."""
        while not self._stopping:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError as error:
                self._tally.note(self._next(), Judged(Outcome.REFUSED, str(error)))
                await asyncio.sleep(ERROR_SECONDS)
                continue
            try:
                await self._visit(reader, writer)
            finally:
                writer.transport.abort()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(self._chance.randint(1, REQUESTS)):
            if self._stopping or not await self._exchange(reader, writer):
                return

    def _next(self) -> Ask:
        self._number += 1
        ask = some_ask(self._chance, self._number)
        return Ask(f"{self._seed}-{ask.id}", ask.method, ask.kind, ask.size, ask.upload, ask.chunked)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Ask once; return whether the connection takes another request."""
        ask = self._next()
        leaves = self._chance.random() * 100 < LEAVERS_PERCENT
        leaving = self._chance.choice(list(Leaving)[1:]) if leaves else Leaving.NEVER
        answer = _Answer(ask)
        sending = asyncio.create_task(self._send(writer, ask, leaving))
        try:
            async with asyncio.timeout(self._hang_seconds):
                left = await _receive(reader, answer, leaving, sending)
        except TimeoutError:
            self._tally.note(ask, Judged(Outcome.HUNG, f"nothing more came within {self._hang_seconds:g} s"))
            return False
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sending
        if left:
            self._tally.note(ask, Judged(Outcome.LEFT))
            return False
        got, judged = _judge(ask, answer)
        self._tally.note(ask, judged, got)
        if judged.outcome is Outcome.OWN_ERROR:
            await asyncio.sleep(ERROR_SECONDS)
        return judged.outcome in (Outcome.RIGHT, Outcome.OWN_ERROR) and answer.keeps_connection

    async def _send(self, writer: asyncio.StreamWriter, ask: Ask, leaving: Leaving) -> None:
        """Send the request, or the half of it that a client sends which leaves meanwhile."""
        data = b"".join(_words(ask, self._seed))
        if leaving is Leaving.ASKING:
            data = data[: len(data) // 2]
        for start in range(0, len(data), 65536):
            writer.write(data[start : start + 65536])
            await writer.drain()


def _judge(ask: Ask, answer: _Answer) -> tuple[Got | None, Judged]:
    if answer.garbled:
        return None, Judged(Outcome.WRONG, "no HTTP, or more than the answer")
    got = answer.got() if answer.begun else None
    if got is None or not got.status:
        return None, Judged(Outcome.UNANSWERED)
    return got, judge_answer(ask, got)


async def _receive(
    reader: asyncio.StreamReader, answer: _Answer, leaving: Leaving, sending: asyncio.Task[None]
) -> bool:
    """Read until the answer or the connection ends; return whether the client left before."""
    if leaving in (Leaving.ASKING, Leaving.WAITING):
        with suppress(ConnectionError):
            await sending
        return True
    while not answer.whole and not answer.garbled:
        try:
            data = await reader.read(65536)
        except ConnectionError:
            return False
        if not data:
            return False
        answer.feed(data)
        if leaving is Leaving.READING:
            return True
    return False


def _words(ask: Ask, who: str) -> Iterator[bytes]:
    framing = ""
    if ask.chunked:
        framing = "Transfer-Encoding: chunked\r\n"
    elif ask.upload or not ask.safe:
        framing = f"Content-Length: {ask.upload}\r\n"
    fields = f"Host: shop.example\r\nAuthorization: Bearer {who}\r\n{framing}"
    yield f"{ask.method} {ask.path} HTTP/1.1\r\n{fields}\r\n".encode()
    if not ask.chunked:
        yield ask.uploaded
        return
    body = ask.uploaded
    step = len(body) // 5 + 1
    for start in range(0, len(body), step):
        part = body[start : start + step]
        yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"
