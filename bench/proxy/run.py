"""Measure the peers in interleaved rounds, after showing that each does the same work.

The proxy under measurement has core 1 to itself; the origin and the load generator share core 0.
"""

import http.client
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import run_load, write_script
from bench.processes import cpu_seconds, free_port, pinned
from bench.proxy.peers import Peer, Setting
from bench.proxy.workload import bench_routes
from bench.tools import NGINX
from bench.upstream import BODY, SEEN, SEEN_PATH, upstream_config
from strangler.errors import TooFewCores, UnequalWork

LOAD_CORE, PROXY_CORE = 0, 1
CONNECTIONS = 32
WARM_UP_SECONDS = 1
ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one peer: its processes' CPU microseconds per request, and what the load saw."""

    peer: str
    round: int
    cpu_us: float
    core_busy: float
    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Running:
    """A started peer, ready for load."""

    name: str
    pid: int
    port: int
    script: Path


def measure(
    peers: Sequence[Peer], folder: Path, *, python: str, seconds: int, rounds: int
) -> Iterator[Sample]:
    """Yield a sample for each peer and round, the origin alone first. Everything is stopped at the end."""
    if not {LOAD_CORE, PROXY_CORE} <= os.sched_getaffinity(0):
        raise TooFewCores("the benchmark wants cores 0 and 1 to itself", next="nproc")
    with ExitStack() as stack:
        origin = stack.enter_context(_origin(folder))
        running = [
            origin,
            *(stack.enter_context(_proxy(peer, origin.port, folder, python)) for peer in peers),
        ]
        for started in running:
            _load(started, WARM_UP_SECONDS, 0)
        for number in range(1, rounds + 1):
            for started in running:
                yield _load(started, seconds, number)


@contextmanager
def _origin(folder: Path) -> Iterator[Running]:
    port = free_port()
    home = folder / ORIGIN
    home.mkdir()
    config = home / "nginx.conf"
    config.write_text(upstream_config(port, str(home)))
    command = [NGINX.path(), "-p", str(home), "-c", str(config)]
    script = write_script(home / "load.lua", [route.sample for route in bench_routes(50)])
    with pinned(ORIGIN, command, cores=[LOAD_CORE], port=port, log=home / "log") as pid:
        yield Running(ORIGIN, pid, port, script)


@contextmanager
def _proxy(peer: Peer, origin_port: int, folder: Path, python: str) -> Iterator[Running]:
    home = folder / peer.name
    home.mkdir()
    setting = Setting(free_port(), free_port(), origin_port, peer.routes, home, python)
    script = write_script(home / "load.lua", peer.paths)
    command = peer.prepare(setting)
    with pinned(peer.name, command, cores=[PROXY_CORE], port=setting.port, log=home / "log") as pid:
        check_equal_work(peer.name, setting.port, peer.routes[-1].sample)
        yield Running(peer.name, pid, setting.port, script)


def check_equal_work(name: str, port: int, path: str) -> None:
    """Ask once for an answer and once for the headers the origin saw. Raises UnequalWork."""
    answer = _get(port, path)
    if answer != BODY:
        raise UnequalWork(
            f"{name} answered {answer[:80]!r} on {path}, wanted the origin's document", next="make bench"
        )
    seen = json.loads(_get(port, SEEN_PATH))
    missing = [header for header in SEEN if not seen[header]]
    if missing:
        raise UnequalWork(
            f"{name} sent the origin no {', '.join(missing)}; every peer must", next="make bench"
        )


def _get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _load(started: Running, seconds: int, number: int) -> Sample:
    before = cpu_seconds(started.pid)
    load = run_load(started.port, started.script, seconds=seconds, connections=CONNECTIONS, core=LOAD_CORE)
    used = cpu_seconds(started.pid) - before
    return Sample(
        peer=started.name,
        round=number,
        cpu_us=used / load.requests * 1e6,
        core_busy=used / load.seconds,
        per_second=load.per_second,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
    )
