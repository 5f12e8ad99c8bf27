"""Measure, each beside what it is compared with, in turn and in one run."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.takeover.place import Place, takeover_of
from bench.takeover.writers import writing
from proxy.routes import Owner
from strangler.takeover.cancel import cancel
from strangler.takeover.cutover import cutover
from strangler.takeover.flow import step
from strangler.takeover.handover import Handover, Where, opened
from strangler.takeover.rechecking import recheck
from strangler.takeover.rollback import rollback
from strangler.takeover.start import start
from strangler.takeover.switch import Step
from strangler.takeover.verify import verify

WRITERS = 4
BULK = "UPDATE product SET price = price + 1 WHERE id <= %s"
BULK_ROWS = 100_000
SINGLE = "UPDATE product SET price = price + 1 WHERE id = %s"
SINGLES = 3000
BETWEEN_SECONDS = 0.5  # from one cutover to the next


@dataclass(frozen=True, slots=True)
class Copied:
    """One backfill beside one plain COPY of the same rows, in rows a second."""

    written_to: bool
    plain: float
    ours: float


@dataclass(frozen=True, slots=True)
class Captured:
    """Updates a second without capture and with it; of single rows and of many at once."""

    single_without: float
    single_with: float
    bulk_without: float
    bulk_with: float


@dataclass(frozen=True, slots=True)
class Rechecked:
    """Rows a second that a follower applies, and that it compares again before it forgets they changed."""

    followed: float
    compared: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Cutovers and rollbacks under writers: how long nobody could write, and what the writers saw."""

    fenced: tuple[float, ...]
    crossing: tuple[float, ...]  # seconds of each acknowledged write that was under way meanwhile
    usual: tuple[float, ...]  # of every other
    writes: int
    lost: int


def copying(place: Place, rows: int, rounds: int, var: Path) -> Iterator[Copied]:
    """Yield a backfill beside a plain COPY, alone and while clients write, round after round."""
    monolith = place.database(rows)
    for _ in range(rounds):
        yield Copied(False, _plain(place, monolith, rows), _ours(place, monolith, rows, var))
        with writing(monolith, monolith, WRITERS):
            yield Copied(True, _plain(place, monolith, rows), _ours(place, monolith, rows, var))


def _plain(place: Place, source: str, rows: int) -> float:
    target = place.database()
    place.settle()
    began = time.perf_counter()
    out = subprocess.Popen(
        ["psql", "-qX", source, "-c", "COPY product TO STDOUT (FORMAT BINARY)"], stdout=subprocess.PIPE
    )
    into = ["psql", "-qX", target, "-c", "COPY product FROM STDIN (FORMAT BINARY)"]
    subprocess.run(into, stdin=out.stdout, check=True)
    out.wait()
    return rows / (time.perf_counter() - began)


def _ours(place: Place, source: str, rows: int, var: Path) -> float:
    where = takeover_of(source, place.database(), var)
    place.settle()
    rate = start(where.routes, where.group, where.environ, var, execute=True).rate
    cancel(where, execute=True)  # the next round finds the monolith as this one did
    return rate


def capturing(place: Place, rows: int, rounds: int, var: Path) -> Iterator[Captured]:
    """Yield what updates cost with capture, and without it before and after: the mean of both."""
    monolith = place.database(rows)
    for _ in range(rounds):
        before = _updates(place, monolith)
        where = takeover_of(monolith, place.database(), var)
        start(where.routes, where.group, where.environ, var, execute=True)
        captured = _updates(place, monolith)
        cancel(where, execute=True)
        after = _updates(place, monolith)
        single, bulk = (sum(both) / 2 for both in zip(before, after, strict=True))
        yield Captured(single, captured[0], bulk, captured[1])


def _updates(place: Place, url: str) -> tuple[float, float]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("VACUUM product")
        connection.execute(BULK, [BULK_ROWS])
        connection.execute("VACUUM product")
        place.settle()
        began = time.perf_counter()
        connection.execute(BULK, [BULK_ROWS])
        bulk = BULK_ROWS / (time.perf_counter() - began)
        began = time.perf_counter()
        for number in range(SINGLES):
            connection.execute(SINGLE, [number + 1])
        return SINGLES / (time.perf_counter() - began), bulk


def verifying(place: Place, rows: int, var: Path) -> float:
    """Return how many rows a second a verification reads, on both sides."""
    where = takeover_of(place.database(rows), place.database(), var)
    start(where.routes, where.group, where.environ, var, execute=True)
    return verify(where.routes, where.group, where.environ, var).rate


def rechecking(place: Place, rows: int, var: Path) -> Rechecked:
    """Change many rows of a verified table at once; follow them, then compare them again."""
    monolith = place.database(rows)
    where = takeover_of(monolith, place.database(), var)
    start(where.routes, where.group, where.environ, var, execute=True)
    verify(where.routes, where.group, where.environ, var)
    with closing(psycopg.connect(monolith, autocommit=True)) as connection:
        connection.execute(BULK, [BULK_ROWS])
    place.settle()
    with opened(where) as takeover:
        flow, lease = takeover.flow(Owner.MONOLITH), takeover.databases.take_leases().service
        began = time.perf_counter()
        step(flow, lease)
        followed = time.perf_counter() - began
        began = time.perf_counter()
        recheck(flow, lease)
        compared = time.perf_counter() - began
    return Rechecked(BULK_ROWS / followed, BULK_ROWS / compared)


def pausing(place: Place, rows: int, cutovers: int, var: Path) -> Pause:
    """Change the owner so many times, there and back, under writers; verified beforehand."""
    monolith, service = place.database(rows), place.database()
    where = takeover_of(monolith, service, var)
    start(where.routes, where.group, where.environ, var, execute=True)
    verify(where.routes, where.group, where.environ, var)
    place.settle()
    windows: list[tuple[float, float]] = []
    fenced: list[float] = []
    with writing(monolith, service, WRITERS) as ledger:
        for number in range(cutovers):
            time.sleep(BETWEEN_SECONDS)
            done, window = _timed(where, number)
            windows.append(window)
            fenced.append(done.fenced)
        time.sleep(BETWEEN_SECONDS)
    crossing = [w.seconds for w in ledger.writes if _crosses(w.began, w.began + w.seconds, windows)]
    usual = [w.seconds for w in ledger.writes if not _crosses(w.began, w.began + w.seconds, windows)]
    lost = ledger.lost(service if cutovers % 2 else monolith)
    return Pause(tuple(fenced), tuple(crossing), tuple(usual), len(ledger.writes), lost)


def _timed(where: Where, number: int) -> tuple[Handover, tuple[float, float]]:
    """Change the owner; return from when to when nobody could write, in Unix seconds."""
    began = time.time()
    done = (rollback if number % 2 else cutover)(where, execute=True)
    at = {timed.step: timed.seconds for timed in done.steps}
    ended = time.time()
    total = done.steps[-1].seconds
    origin = ended - total
    return done, (max(began, origin + at[Step.HELD]), origin + at[Step.COMMITTED])


def _crosses(began: float, ended: float, windows: list[tuple[float, float]]) -> bool:
    return any(began <= closed and ended >= opened for opened, closed in windows)
