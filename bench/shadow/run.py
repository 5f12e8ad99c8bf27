"""Measure every proxy with each candidate in interleaved rounds.

Clients ask a few times on each connection and then connect anew: what the first request and what the later
ones on the same connection took is told apart, because a proxy may answer one at once and make the next wait.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.paced import Pace, paced_clients
from bench.processes import free_port, pinned
from bench.seen import Seen
from bench.shadow.candidates import SLOW_SECONDS, Candidate
from bench.shadow.comparer import swallowing_comparer
from bench.shadow.peers import PEERS, ROUTES, Copies, Peer, Setting
from bench.tools import NGINX
from bench.upstream import upstream_config
from strangler.errors import TooFewCores

LOAD_CORE, PROXY_CORE = 0, 1


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: what clients saw of one proxy with one candidate, and its own count of copies."""

    peer: str
    candidate: Candidate
    round: int
    seen: Seen
    copies: Copies | None


@dataclass(frozen=True, slots=True)
class Running:
    """A started proxy with one candidate."""

    name: str
    candidate: Candidate
    peer: Peer
    port: int


def measure(
    names: Sequence[str], folder: Path, *, python: str, seconds: float, rounds: int, pace: Pace
) -> Iterator[Sample]:
    """Yield a sample for each round, peer and candidate. Everything is stopped at the end."""
    if not {LOAD_CORE, PROXY_CORE} <= os.sched_getaffinity(0):
        raise TooFewCores("the benchmark wants cores 0 and 1 to itself", next="nproc")
    with ExitStack() as stack:
        comparer = folder / "pairs.sock"
        stack.enter_context(swallowing_comparer(comparer))
        control = stack.enter_context(_origin("control", folder))
        ports = {
            Candidate.NONE: None,
            Candidate.FAST: stack.enter_context(_origin("candidate", folder)),
            Candidate.SLOW: stack.enter_context(_slow_origin(folder)),
            Candidate.DEAD: free_port(),
        }
        running = [
            stack.enter_context(_started(name, candidate, port, control, comparer, folder, python))
            for name in names
            for candidate, port in ports.items()
        ]
        for number in range(1, rounds + 1):
            for started in running:
                yield _sample(started, number, seconds, pace)


@contextmanager
def _origin(name: str, folder: Path) -> Iterator[int]:
    port = free_port()
    home = folder / name
    home.mkdir()
    config = home / "nginx.conf"
    config.write_text(upstream_config(port, str(home), name))
    command = [NGINX.path(), "-p", str(home), "-c", str(config)]
    with pinned(name, command, cores=[LOAD_CORE], port=port, log=home / "log"):
        yield port


@contextmanager
def _slow_origin(folder: Path) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "bench.slow", "--port", str(port), "--seconds", f"{SLOW_SECONDS:g}"]
    with pinned("the slow candidate", command, cores=[LOAD_CORE], port=port, log=folder / "slow.log"):
        yield port


@contextmanager
def _started(
    name: str,
    candidate: Candidate,
    candidate_port: int | None,
    control_port: int,
    comparer: Path,
    folder: Path,
    python: str,
) -> Iterator[Running]:
    home = folder / f"{name}-{candidate}"
    home.mkdir()
    setting = Setting(free_port(), free_port(), control_port, candidate_port, comparer, home, python)
    peer = PEERS[name](setting)
    with pinned(name, peer.command(), cores=[PROXY_CORE], port=setting.port, log=home / "log"):
        yield Running(name, candidate, peer, setting.port)


def _sample(started: Running, number: int, seconds: float, pace: Pace) -> Sample:
    counts = started.candidate is not Candidate.NONE
    before = started.peer.copies() if counts else None
    with paced_clients(started.port, ROUTES[0].sample, pace, core=LOAD_CORE) as clients:
        time.sleep(seconds)
        seen = clients.finish()
    after = started.peer.copies() if counts else None
    copies = after.since(before) if before is not None and after is not None else None
    return Sample(started.name, started.candidate, number, seen, copies)
