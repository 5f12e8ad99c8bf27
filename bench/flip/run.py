"""Move one route to and fro while clients ask for it, and judge each move by what the clients were answered.

When the last worker has the new table is read off the answers, the same way for every proxy: a request that
the old side answered was matched by a worker without it. The clients' pace bounds how fine that is.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.flip.peers import PEERS, ROUTES, Peer, Setting
from bench.flip.side import Side
from bench.paced import Pace, paced_clients
from bench.processes import free_port, pinned
from bench.seen import Seen
from bench.tools import NGINX
from bench.upstream import upstream_config
from strangler.errors import TooFewCores

LOAD_CORE = 0
CORES = (0, 1)  # the workers may use both, as they would on a machine of their own
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Move:
    """One move of the route: when it was begun, when workers were told, when the whole change was done."""

    to: Side
    began: float
    told: float
    returned: float
    acknowledged: float | None  # seconds, as the proxy's own workers say


@dataclass(frozen=True, slots=True)
class FlipRun:
    """All moves of one peer, and what the clients saw meanwhile."""

    peer: str
    moves: tuple[Move, ...]
    seen: Seen


def measure(
    names: Sequence[str], folder: Path, *, python: str, flips: int, interval: float, pace: Pace
) -> Iterator[FlipRun]:
    """Yield one run for each peer, each beside the same two origins. Everything is stopped at the end."""
    if not set(CORES) <= os.sched_getaffinity(0):
        raise TooFewCores("the benchmark wants cores 0 and 1 to itself", next="nproc")
    with ExitStack() as stack:
        origins = {side: stack.enter_context(_origin(side, folder)) for side in Side}
        for name in names:
            home = folder / name
            home.mkdir()
            setting = Setting(free_port(), origins, home, python)
            moves, seen = _run(name, PEERS[name](setting), setting, flips, interval, pace)
            yield FlipRun(name, tuple(moves), seen)


@contextmanager
def _origin(side: Side, folder: Path) -> Iterator[int]:
    port = free_port()
    home = folder / f"origin-{side}"
    home.mkdir()
    config = home / "nginx.conf"
    config.write_text(upstream_config(port, str(home), side))
    command = [NGINX.path(), "-p", str(home), "-c", str(config)]
    with pinned(f"origin {side}", command, cores=[LOAD_CORE], port=port, log=home / "log"):
        yield port


def _run(
    name: str, peer: Peer, setting: Setting, flips: int, interval: float, pace: Pace
) -> tuple[list[Move], Seen]:
    log = setting.folder / "log"
    with pinned(name, peer.command(), cores=CORES, port=setting.port, log=log) as pid:
        peer.wait()
        with paced_clients(setting.port, ROUTES[0].sample, pace, core=LOAD_CORE) as clients:
            time.sleep(WARM_UP_SECONDS)
            moves = []
            for number in range(flips):
                moves.append(_move(peer, pid, Side.MONOLITH if number % 2 else Side.SERVICE))
                time.sleep(interval)
            return moves, clients.finish()


def _move(peer: Peer, pid: int, to: Side) -> Move:
    began = time.monotonic()
    told = peer.move(pid, to)
    return Move(to, began, told.at, time.monotonic(), told.acknowledged)
