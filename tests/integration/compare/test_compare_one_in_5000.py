"""A lone difference of form among thousands, through the comparer's own process path, is never lost."""

import asyncio
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from proxy.pairs import encode
from proxy.routes import GateOptions
from strangler.compare import show
from strangler.compare.drain import Drain
from strangler.compare.findings import Subject
from strangler.compare.judge import compare
from strangler.compare.reading import Reader
from strangler.compare.writing import Writer
from strangler.evidence import known_of
from strangler.gate import Passage, ask_gate
from tests.cases.compare.answers import answer, pair, request

ROUTE = "catalog.products"
NOW = 1_700_000_000.0


@pytest.fixture
def folder():
    """Return a folder whose sockets have short paths."""
    made = Path(tempfile.mkdtemp(prefix="cmp-"))
    yield made
    shutil.rmtree(made)


def _pair(number: int):
    body = f'{{"id":{number},"price":"10.50"}}'
    service = body.replace('"10.50"', "10.5") if number == 3333 else body
    asked = request("GET", f"/api/products/{number}/")
    return pair(answer(body), answer(service), asked, id=f"r{number}", at=NOW + number / 1000)


async def _send_all(path: Path, drain: Drain, frames: list[bytes]) -> None:
    running = asyncio.create_task(drain.run(path))
    while not path.exists():
        await asyncio.sleep(0)
    _, stream = await asyncio.open_unix_connection(str(path))
    for frame in frames:
        stream.write(frame)
        await stream.drain()
    stream.close()
    await stream.wait_closed()
    drain.stop()
    await running


def test_one_mismatch_in_5000_keeps_the_gate_shut_and_is_shown_with_its_request(folder):
    store = folder / "compare.sqlite3"
    with closing(Writer(store)) as writer:
        frames = [encode(_pair(number)) for number in range(5000)]
        asyncio.run(_send_all(folder / "pairs.sock", Drain(writer, compare), frames))
    known = known_of(store, ROUTE, GateOptions().fresh, NOW + 10)
    gate = ask_gate(GateOptions(), known)
    assert (gate.passage, gate.samples, gate.diffs) == (Passage.REFUSED, 5000, 1)
    with Reader(store) as reader:
        (found,) = (each for each in reader.findings() if each.finding.subject is Subject.DIFFERENCE)
    sheet = show.sheet(show.find(store, str(found.example)), {})
    assert sheet.request[0] == "GET /api/products/3333/"
    assert f"comparison {found.example}" in gate.reasons[0]


def test_without_the_mismatch_the_same_load_opens_the_gate(folder):
    store = folder / "compare.sqlite3"
    with closing(Writer(store)) as writer:
        clean = (msgspec.structs.replace(_pair(1), id=str(n), at=NOW + n / 1000) for n in range(5000))
        asyncio.run(_send_all(folder / "pairs.sock", Drain(writer, compare), list(map(encode, clean))))
    gate = ask_gate(GateOptions(), known_of(store, ROUTE, GateOptions().fresh, NOW + 10))
    assert gate.passage is Passage.PASS
    assert gate.bound < 0.1
