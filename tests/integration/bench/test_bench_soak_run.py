"""A very short soak of the real proxy, and clients that notice a proxy that does wrong."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bench.soak.ask import DIGEST, ECHO, ORIGIN, Kind, body_of
from bench.soak.client import Client
from bench.soak.events import Event
from bench.soak.judge import Outcome, Tally
from bench.soak.origins import two_origins
from bench.soak.report import document, kept, outcomes, promises
from bench.soak.run import Plan, soak

LONG = 60.0


def test_a_short_soak_keeps_every_promise(tmp_path: Path) -> None:
    plan = Plan(LONG, clients=8, workers=2, pace=40, seed=5, python=sys.executable, events=14)
    soaked = soak(plan, tmp_path)
    assert kept(soaked), [promise for promise in soaked.promises if promise.kept is False]
    assert set(soaked.events) == set(Event)
    assert soaked.events.total() == 14
    assert min(soaked.tally.outcomes[each] for each in (Outcome.RIGHT, Outcome.LEFT)) > 0
    assert soaked.writes.reached > 0
    assert outcomes(soaked).row_count > len(Outcome)
    assert promises(soaked).row_count == len(soaked.promises)
    assert document({}, soaked)["outcomes"][Outcome.RIGHT] == soaked.tally.outcomes[Outcome.RIGHT]


Lie = Callable[[str, int, str], bytes]


def _head(id_: str, size: int, digest: str = "") -> bytes:
    named = f"{ORIGIN}: service\r\n{ECHO}: {id_}\r\n{DIGEST}: {digest}\r\n"
    return f"HTTP/1.1 200 OK\r\n{named}Content-Length: {size}\r\n\r\n".encode()


LIES: dict[str, tuple[Lie, Outcome]] = {
    "another's body": (lambda _, size, id_: _head(id_, size + 1) + b"x" * (size + 1), Outcome.WRONG),
    "no HTTP": (lambda *_: b"SMTP ready\r\n\r\n", Outcome.WRONG),
    "another's answer": (lambda _, size, id_: _head("other", size) + body_of("other", size), Outcome.WRONG),
    "half and a close": (lambda _, size, id_: _head(id_, size) + body_of(id_, size)[:-1], Outcome.CUT),
    "a close": (lambda *_: b"", Outcome.UNANSWERED),
}


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def _serving(serve: Serve) -> AsyncIterator[int]:
    """Give the port on which `serve` answers one connection after the other; all are closed at the end."""
    opened: list[asyncio.StreamWriter] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        writer.close()

    async with await asyncio.start_server(one, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*(writer.wait_closed() for writer in opened), return_exceptions=True)


async def _ask_a_liar(lie: Lie, wanted: Outcome) -> Tally:
    tally = Tally()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, path, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
        kind, size, id_ = path.rsplit("/", 3)[1:]
        plain = (method, kind) == ("GET", Kind.LENGTH)
        writer.write(lie(kind, int(size), id_) if plain else b"")
        if plain and tally.outcomes[wanted] > 0:
            client.stop()

    async with _serving(serve) as port:
        client = Client(port, tally, "liar")
        await client.live()
    return tally


@pytest.mark.parametrize("lie", LIES)
def test_a_client_notices_what_it_was_answered(lie: str) -> None:
    say, wanted = LIES[lie]
    tally = asyncio.run(_ask_a_liar(say, wanted))
    assert tally.outcomes[wanted] > 0
    assert tally.outcomes[Outcome.RIGHT] == 0


def test_a_request_that_gets_no_answer_hangs() -> None:
    async def asking() -> Tally:
        tally = Tally()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            client.stop()
            await reader.read()

        async with _serving(serve) as port:
            client = Client(port, tally, "patient", hang_seconds=0.1)
            await client.live()
        return tally

    assert asyncio.run(asking()).outcomes[Outcome.HUNG] == 1


def test_an_origins_record_outlives_a_kill(tmp_path: Path) -> None:
    async def write_and_kill() -> list[str]:
        await monolith.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", monolith.port)
        writer.write(b"POST /soak/write/reset/1/w-1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
        assert await reader.read() == b""
        monolith.kill()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return monolith.record()

    fence = tmp_path / "owner"
    fence.write_text("monolith")
    with two_origins(tmp_path, fence) as (monolith, _):
        asked, done = asyncio.run(write_and_kill())
    assert (asked, done[:9]) == ("asked w-1", "done w-1 ")


def test_an_origin_refuses_what_the_other_owns(tmp_path: Path) -> None:
    async def write() -> bytes:
        await monolith.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", monolith.port)
        writer.write(b"PUT /soak/write/length/1/w-1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi")
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return answer

    fence = tmp_path / "owner"
    fence.write_text("service")
    with two_origins(tmp_path, fence) as (monolith, _):
        answer = asyncio.run(write())
        assert monolith.record() == ["asked w-1", "refused w-1"]
    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b"X-Strangler-Moved: soak; epoch=1; effect=none\r\n" in answer
