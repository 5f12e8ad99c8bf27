"""Rows of any size travel in bounded memory: one at a time, whatever else the table holds."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.routes import Owner
from strangler.takeover.flow import step
from strangler.takeover.handover import Where, opened
from strangler.takeover.patience import Patience
from strangler.takeover.session import other
from strangler.takeover.start import begin
from strangler.takeover.verify import verify
from tests.integration.takeover.sides import Side, Sides, routes

MEGABYTE = 1024 * 1024
LARGE = 50 * MEGABYTE
ROWS = 6
COLUMNS = 600
# About four copies of one row, in drivers' buffers and ours; all rows together are more than that.
MOST = (ROWS - 1) * LARGE // MEGABYTE


def where(sides: Sides, table: str) -> Where:
    return Where(routes(tables=[table]), "catalog", sides.environ, sides.var)


def follow(source: str, target: str, var: str, table: str, results: "multiprocessing.Queue[int]") -> None:
    """Follow until there is nothing left to do, in this process; put how much memory it took, in MB."""
    before = peak_megabytes()
    with opened(where(Sides(Side(source), Side(target), Path(var)), table)) as takeover:
        begin(takeover, Patience())
        lease = takeover.databases.take_leases().of(other(Owner.MONOLITH))
        while not step(takeover.flow(Owner.MONOLITH), lease).settled:
            pass
    results.put(peak_megabytes() - before)


def peak_megabytes() -> int:
    """Return the most memory that this process ever had, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024


def memory_to_follow(sides: Sides, table: str) -> int:
    """Follow in a process of its own; return how many MB that took at most."""
    spawning = multiprocessing.get_context("spawn")
    results = spawning.Queue()
    child = spawning.Process(
        target=follow, args=(sides.source.url, sides.target.url, str(sides.var), table, results)
    )
    child.start()
    child.join()
    assert child.exitcode == 0
    return int(results.get())


@pytest.fixture
def large(empty_sides: Sides) -> Iterator[Sides]:
    """Rows of 50 MB in a table on both sides."""
    for side in (empty_sides.source, empty_sides.target):
        side.run("CREATE TABLE large (id bigint PRIMARY KEY, body text, note text)")
    body = (
        f"substr(hex(zeroblob({LARGE // 2})), 1) || id"
        if empty_sides.source.is_sqlite
        else f"repeat(md5(id::text), {LARGE // 32})"
    )
    ids = ", ".join(f"({number})" for number in range(1, ROWS + 1))
    empty_sides.source.run(f"INSERT INTO large (id) VALUES {ids}; UPDATE large SET body = {body}")
    yield empty_sides
    for side in (empty_sides.source, empty_sides.target):
        side.run("DROP TABLE large")


def sizes(side: Side) -> list[tuple]:
    return side.ask("SELECT id, length(body), substr(body, 1000, 20), note FROM large ORDER BY id")


def test_rows_of_fifty_megabytes_are_followed_and_verified_in_bounded_memory(large):
    assert memory_to_follow(large, "large") < MOST
    # The large value does not change and is not logged: it must be read again whole, wherever it is kept.
    large.source.run("UPDATE large SET note = 'new' WHERE id < 3")
    assert memory_to_follow(large, "large") < MOST
    assert sizes(large.target) == sizes(large.source)
    assert [note for _, _, _, note in sizes(large.target)][:3] == ["new", "new", None]
    assert sizes(large.target)[0][1] >= LARGE
    there = where(large, "large")
    assert not verify(there.routes, "catalog", large.environ, large.var).differing


def test_a_row_of_six_hundred_columns_is_followed(empty_sides):
    names = [f"c{number}" for number in range(COLUMNS)]
    for side in (empty_sides.source, empty_sides.target):
        columns = ", ".join(f"{name} text" for name in names)
        side.run(f"CREATE TABLE wide (id bigint PRIMARY KEY, {columns})")
    try:
        values = ", ".join(f"'{name}'" for name in names)
        empty_sides.source.run(f"INSERT INTO wide VALUES (1, {values}), (2, {values})")
        memory_to_follow(empty_sides, "wide")
        empty_sides.source.run("UPDATE wide SET c599 = 'new' WHERE id = 2")
        memory_to_follow(empty_sides, "wide")
        there = where(empty_sides, "wide")
        assert not verify(there.routes, "catalog", empty_sides.environ, empty_sides.var).differing
        assert empty_sides.target.ask("SELECT c0, c599 FROM wide ORDER BY id") == [
            ("c0", "c599"),
            ("c0", "new"),
        ]
    finally:
        for side in (empty_sides.source, empty_sides.target):
            side.run("DROP TABLE wide")
