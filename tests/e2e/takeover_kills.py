"""Kill the processes of a takeover under writers, again and again, and count what was lost.

`python -m tests.e2e.takeover_kills sqlite|postgresql KILLS [SEED]` runs it at length; a test runs it
briefly. Killed with
SIGKILL: coordinators at each numbered step and at any moment between them, and the process that syncs.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from proxy.routes import Owner
from strangler.errors import StranglerError
from strangler.takeover.cancel import cancel
from strangler.takeover.cutover import cutover
from strangler.takeover.handover import opened
from strangler.takeover.resume import resume
from strangler.takeover.rollback import rollback
from strangler.takeover.situation import State, situation
from strangler.takeover.switch import Step
from strangler.takeover.sync import Follower, sync
from tests.e2e.takeover_clients import Clients
from tests.e2e.takeover_sampler import Sampler
from tests.integration.takeover.sides import Side, Sides
from tests.integration.takeover.things import Things, make_things
from tests.postgres import Postgres, running_postgres

STEPS = [step for step in Step if step not in {Step.ABORTED, Step.REOPENED}]
LONGEST_SECONDS = 0.15  # after which a process that dies at any moment is killed
CLIENTS = 3
ONE_ROW = "UPDATE thing SET note = note WHERE id = 1"


@dataclass
class Tally:
    """What a run came to."""

    kills: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    samples: int = 0
    both_writable: int = 0
    epochs: int = 0

    @property
    def sound(self) -> bool:
        """Whether every promise held."""
        return not self.lost and not self.both_writable and self.acknowledged > 0


def torment(things: Things, kills: int, seed: int) -> Tally:
    """Change owners under clients, killing one process a round; return what came of it."""
    chance = random.Random(seed)
    tally = Tally()
    things.copy()
    with ExitStack() as stack:
        clients = stack.enter_context(Clients(things, CLIENTS))
        sides = things.sides.source, things.sides.target
        sampler = stack.enter_context(Sampler(sides, ONE_ROW))
        while tally.kills.total() < kills:
            _round(things, chance, tally)
    tally.acknowledged, tally.samples, tally.both_writable = (
        len(clients.ledger),
        sampler.samples,
        sampler.both,
    )
    resume(things.where, execute=True)
    with opened(things.where) as takeover:
        owner = takeover.databases.started().owner
        rows = takeover.databases.rows()
        assert len({row.epoch for row in rows}) == len(rows)
        tally.epochs = len(rows)
    assert things.writable_sides() == [owner]
    tally.lost = clients.missing(things.rows(owner))
    _settle(things)
    assert things.equal()
    assert not things.verify().differing
    return tally


def _round(things: Things, chance: random.Random, tally: Tally) -> None:
    follower = _child(things, "sync", "")
    with opened(things.where) as takeover:
        verb = "cutover" if situation(takeover).owner is Owner.MONOLITH else "rollback"
    how = chance.choice(["step", "moment", "sync", "zombie"])
    step = chance.choice(STEPS) if how == "step" else ""
    coordinator = _child(things, verb, step)
    if how == "moment":
        _kill_after(coordinator, chance.uniform(0, LONGEST_SECONDS) + 0.25)
        tally.kills["coordinator at a moment"] += 1
    elif how == "zombie":
        _freeze_over(follower, coordinator, chance)
        tally.kills["sync, frozen over it"] += 1
    elif how == "sync":
        _kill_after(follower, chance.uniform(0, LONGEST_SECONDS) + 0.25)
        tally.kills["sync at a moment"] += 1
    else:
        tally.kills[f"coordinator at {step}"] += 1
    coordinator.wait()
    follower.kill()
    follower.wait()
    _mend(things, chance, tally)


def _mend(things: Things, chance: random.Random, tally: Tally) -> None:
    with opened(things.where) as takeover:
        found = situation(takeover).state
    tally.ends[str(found)] += 1
    if found in {State.FENCED, State.ABORTED} and chance.random() < 0.5:
        cancel(things.where, execute=True)
    else:
        resume(things.where, execute=True)


def _settle(things: Things) -> None:
    follower = Follower(things.where)
    turns = iter(range(50))
    sync([follower], lambda: next(turns, None) is None, lambda _: None)


def _kill_after(process: subprocess.Popen, seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()


def _freeze_over(follower: subprocess.Popen, coordinator: subprocess.Popen, chance: random.Random) -> None:
    """Stop the follower at any moment, let the owner change without it, and wake it under the new one."""
    with suppress(subprocess.TimeoutExpired):
        follower.wait(chance.uniform(0, LONGEST_SECONDS) + 0.4)
    follower.send_signal(signal.SIGSTOP)
    with suppress(subprocess.TimeoutExpired):  # stopped inside its transaction it is waited for
        coordinator.wait(2 * LONGEST_SECONDS + 2)
    follower.send_signal(signal.SIGCONT)
    with suppress(subprocess.TimeoutExpired):
        follower.wait(LONGEST_SECONDS)


def _child(things: Things, verb: str, step: str) -> subprocess.Popen:
    place = json.dumps([things.sides.source.url, things.sides.target.url, str(things.sides.var)])
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.takeover_kills", "child", place, verb, step],
        stderr=subprocess.DEVNULL if verb == "sync" else None,
    )


def child(place: str, verb: str, step: str) -> None:
    """Do one verb in this process, and die at a step."""
    source, target, var = json.loads(place)
    things = Things(Sides(Side(source), Side(target), Path(var)))

    def reached(now: Step) -> None:
        if now == step:
            os.kill(os.getpid(), signal.SIGKILL)

    where = things.reaching(reached).where
    if verb == "sync":
        sync([Follower(where)], lambda: False, time.sleep)
    with suppress(StranglerError):
        (cutover if verb == "cutover" else rollback)(where, execute=True)


def things_on(engine: str, folder: Path, server: Postgres | None) -> Things:
    """Make two databases on an engine."""
    if engine == "sqlite":
        sides = [Side(f"sqlite:///{folder / name}.sqlite3") for name in ("monolith", "catalog")]
        for side in sides:
            side.run("PRAGMA journal_mode=WAL")
    else:
        assert server is not None
        sides = [Side(server.fresh()), Side(server.fresh())]
    return make_things(Sides(sides[0], sides[1], folder))


def main() -> None:
    """Run at length and print the tally."""
    engine, kills, seed = sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or ["1"])[0])
    with tempfile.TemporaryDirectory() as folder, running_postgres() as server:
        tally = torment(things_on(engine, Path(folder), server), kills, seed)
    print(tally)
    sys.exit(not tally.sound)


if __name__ == "__main__":
    if sys.argv[1] == "child":
        child(*sys.argv[2:])
    else:
        main()
