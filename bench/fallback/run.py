"""Measure every proxy under each failure, in interleaved rounds.

Reads and writes are each sent through a proxy started for them: what it learned from one must not help or
hurt the other.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.fallback.configs import PATH
from bench.fallback.failing import Failing
from bench.fallback.judge import Sample
from bench.fallback.peers import PEERS, Setting
from bench.fallback.writes import Performed, perform, performed, some_writes
from bench.paced import Pace, paced_clients
from bench.processes import free_port, pinned
from bench.seen import Seen
from strangler.errors import TooFewCores

LOAD_CORE, PROXY_CORE = 0, 1


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy before both origins, and what these write down."""

    port: int
    service: Path
    monolith: Path


def measure(
    names: Sequence[str], folder: Path, *, python: str, seconds: float, rounds: int, pace: Pace, writes: int
) -> Iterator[Sample]:
    """Yield a sample for each round, peer and failure. Everything is stopped at the end."""
    if not {LOAD_CORE, PROXY_CORE} <= os.sched_getaffinity(0):
        raise TooFewCores("the benchmark wants cores 0 and 1 to itself", next="nproc")
    for number in range(1, rounds + 1):
        for name in names:
            for failing in Failing:
                home = folder / f"{number}-{name}-{failing}"
                with _started(name, failing, home / "reads", python) as running:
                    seen = _read(running, seconds, pace)
                with _started(name, failing, home / "writes", python) as running:
                    where = _write(running, writes)
                yield Sample(name, failing, number, seen, where)


def _read(running: Running, seconds: float, pace: Pace) -> Seen:
    with paced_clients(running.port, f"{PATH}4711", pace, core=LOAD_CORE) as clients:
        time.sleep(seconds)
        return clients.finish()


def _write(running: Running, number: int) -> Performed:
    writes = some_writes(number)
    perform(running.port, writes)
    records = (file.read_text().splitlines() for file in (running.service, running.monolith))
    return performed(writes, *records)


@contextmanager
def _started(name: str, failing: Failing, folder: Path, python: str) -> Iterator[Running]:
    folder.mkdir(parents=True)
    records = {side: folder / f"{side}.record" for side in ("service", "monolith")}
    for record in records.values():
        record.touch()
    with (
        _origin("monolith", Failing.NOT, records["monolith"]) as monolith,
        _origin("service", failing, records["service"]) as service,
    ):
        setting = Setting(free_port(), service, monolith, folder, python)
        command = PEERS[name](setting)
        with pinned(name, command, cores=[PROXY_CORE], port=setting.port, log=folder / "log"):
            yield Running(setting.port, records["service"], records["monolith"])


@contextmanager
def _origin(name: str, failing: Failing, record: Path) -> Iterator[int]:
    port = free_port()
    if failing is Failing.DEAD:
        yield port
        return
    command = [sys.executable, "-m", "bench.fallback.origin", "--port", str(port), "--name", name]
    command += ["--failing", failing, "--record", str(record)]
    with pinned(name, command, cores=[LOAD_CORE], port=port, log=record.with_suffix(".log")):
        yield port
