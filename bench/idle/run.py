"""Let clients hold idle connections to every proxy in turn, and read what that costs it.

Memory is the kernel's proportional share (PSS) of all the proxy's processes, so that what they share counts
once. Buffers that the kernel itself keeps for a socket are in no process and not seen; all have the same.
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.idle.judge import Sample
from bench.processes import cpu_seconds, free_port, pinned, process_tree
from bench.proxy.peers import Peer, Setting
from bench.tools import NGINX, TASKSET
from bench.upstream import upstream_config
from strangler.errors import LoadFailed, TooFewCores

LOAD_CORE, PROXY_CORE = 0, 1
WARM_UP_SHARE = 20  # one in so many connections is opened, used and closed before anything is measured
ASKED = 15  # requests while all is idle


def measure(
    peers: Sequence[Peer], folder: Path, *, python: str, connections: int, rounds: int, seconds: float
) -> Iterator[Sample]:
    """Yield a sample for each round and peer. Everything is stopped at the end."""
    if not {LOAD_CORE, PROXY_CORE} <= os.sched_getaffinity(0):
        raise TooFewCores("the benchmark wants cores 0 and 1 to itself", next="nproc")
    with _origin(folder) as origin:
        for number in range(1, rounds + 1):
            for peer in peers:
                home = folder / f"{number}-{peer.name}"
                home.mkdir()
                port = free_port()
                # nginx closes idle connections once fewer than a sixteenth of its room is left
                room = connections * 5 // 4
                setting = Setting(port, free_port(), origin, peer.routes, home, python, room)
                command = peer.prepare(setting)
                with pinned(peer.name, command, cores=[PROXY_CORE], port=port, log=home / "log") as pid:
                    yield _sample(peer, number, pid, port, connections, seconds)


@contextmanager
def _origin(folder: Path) -> Iterator[int]:
    port = free_port()
    home = folder / "origin"
    home.mkdir()
    config = home / "nginx.conf"
    config.write_text(upstream_config(port, str(home)))
    command = [NGINX.path(), "-p", str(home), "-c", str(config)]
    with pinned("origin", command, cores=[LOAD_CORE], port=port, log=home / "log"):
        yield port


def _sample(peer: Peer, number: int, pid: int, port: int, connections: int, seconds: float) -> Sample:
    path = peer.routes[0].sample
    with held(port, path, max(1, connections // WARM_UP_SHARE)):
        pass
    time.sleep(seconds)  # until it has noticed that they left
    before = memory(pid)
    with held(port, path, connections):
        answer = _answer_ms(port, path)
        used = cpu_seconds(pid)
        time.sleep(seconds)
        cpu = (cpu_seconds(pid) - used) / seconds
        return Sample(peer.name, number, connections, before, memory(pid), answer, cpu)


def memory(pid: int) -> int:
    """Return the bytes that `pid` and its descendants use, what they share counted once."""
    return sum(map(_proportional, process_tree(pid)))


def _proportional(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024


@contextmanager
def held(port: int, path: str, connections: int) -> Iterator[None]:
    """Hold idle connections as long as the block runs. Raises LoadFailed if one does not live to its end."""
    command = [TASKSET.path(), "--cpu-list", str(LOAD_CORE), sys.executable, "-m", "bench.idle.holder"]
    command += ["--port", str(port), "--path", path, "--connections", str(connections)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = process.stdout.readline().strip()
            if found != str(connections):
                raise LoadFailed(
                    f"{found or 'no'} connections are held, wanted {connections}", next="python -m bench idle"
                )
            yield
            process.send_signal(signal.SIGTERM)
            if process.wait(30):
                raise LoadFailed("idle connections were closed", next="python -m bench idle")
        finally:
            process.kill()


def _answer_ms(port: int, path: str) -> float:
    """Return the median time that a request on a new connection takes."""
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        connection.getresponse().read()
        times.append((time.perf_counter() - began) * 1e3)
        connection.close()
    return sorted(times)[ASKED // 2]
