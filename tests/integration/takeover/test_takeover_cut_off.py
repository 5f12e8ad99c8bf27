"""Cut off, stopped or told twice: who wakes too late changes nothing, and nobody decides in the dark."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from proxy.routes import Owner
from strangler.errors import CoordinatorBusy, StranglerError
from strangler.takeover.cutover import cutover
from strangler.takeover.engines import LeaseLost
from strangler.takeover.flow import step_to
from strangler.takeover.handover import opened
from strangler.takeover.resume import resume
from strangler.takeover.rollback import rollback
from strangler.takeover.situation import situation
from strangler.takeover.switch import Step
from strangler.takeover.sync import Follower
from tests.integration.takeover.cutting import Network
from tests.integration.takeover.things import Things

STEPS = [step for step in Step if step not in {Step.ABORTED, Step.REOPENED}]
DECIDED = {Step.COMMITTED, Step.ADOPTED, Step.ROUTED, Step.RELEASED}
LOST = 7  # the exit code of an applier that was overtaken


@pytest.fixture
def network(postgres) -> Network:
    """The test server's network."""
    return Network(postgres)


@pytest.mark.parametrize("away", list(Owner))
@pytest.mark.parametrize("back", [False, True], ids=["cutover", "rollback"])
@pytest.mark.parametrize("at", STEPS)
def test_cut_off_from_a_database_at_any_step_nobody_decides_in_the_dark(
    postgres_things, network, at, back, away
):
    things = postgres_things
    things.copy()
    origin, to, verb = Owner.MONOLITH, Owner.SERVICE, cutover
    if back:
        cutover(things.where, execute=True)
        origin, to, verb = to, origin, rollback
    things.side(origin).run("UPDATE thing SET note = 'acknowledged'")
    lost, other = things.side(away), [owner for owner in Owner if owner is not away]

    def reached(now: Step) -> None:
        if now is at:
            network.cut(lost)

    with suppress(StranglerError):
        verb(things.reaching(reached).where, execute=True)
    writable = [owner for owner in other if things.writable(owner)]
    network.mend(lost)
    assert things.writable_sides() in ([], [origin], [to])
    assert set(writable) <= set(things.writable_sides())
    resume(things.where, execute=True)
    owner = to if at in DECIDED else origin
    with opened(things.where) as takeover:
        now = situation(takeover)
        assert now.sound
        assert now.owner is owner or at not in DECIDED
    assert things.writable_sides() == [now.owner]
    assert {row[2] for row in things.rows(now.owner)} == {"acknowledged"}


@contextmanager
def stopped_applier(things: Things, where: str) -> Iterator[subprocess.Popen]:
    """Give an applier's process that has stopped itself `before` its transaction or `inside` it."""
    sides = things.sides
    place = [sides.source.url, sides.target.url, str(sides.var), where]
    child = subprocess.Popen([sys.executable, "-m", "tests.integration.takeover.stopping_applier", *place])
    try:
        while psutil.Process(child.pid).status() != psutil.STATUS_STOPPED:
            assert child.poll() is None
        yield child
    finally:
        child.kill()
        child.wait()


def woken(zombie: subprocess.Popen) -> int:
    """Wake an applier and return its exit code."""
    os.kill(zombie.pid, signal.SIGCONT)
    return zombie.wait()


def test_an_applier_stopped_over_a_cutover_overwrites_nothing_when_it_wakes(things):
    things.copy()
    things.sides.source.run("UPDATE thing SET note = 'old'")
    with stopped_applier(things, "before") as zombie:
        cutover(things.where, execute=True)
        things.side(Owner.SERVICE).run("UPDATE thing SET note = 'newer'")
        assert woken(zombie) == LOST
    assert {note for _, _, note, _ in things.rows(Owner.SERVICE)} == {"newer"}
    assert things.writable_sides() == [Owner.SERVICE]


def test_an_applier_stopped_over_a_cutover_and_a_rollback_is_refused_though_the_direction_is_right(things):
    things.copy()
    things.sides.source.run("UPDATE thing SET note = 'old'")
    with stopped_applier(things, "before") as zombie:
        cutover(things.where, execute=True)
        things.side(Owner.SERVICE).run("UPDATE thing SET note = 'newer'")
        rollback(things.where, execute=True)
        assert woken(zombie) == LOST
    assert {note for _, _, note, _ in things.rows(Owner.SERVICE)} == {"newer"}


def test_an_applier_stopped_inside_its_transaction_is_waited_for_no_longer_than_said(things):
    things.copy()
    things.sides.source.run("UPDATE thing SET note = 'old'")
    with stopped_applier(things, "inside"):
        with pytest.raises(CoordinatorBusy, match=r"pid \d+, |which SQLite cannot name"):
            cutover(things.where, execute=True)
        assert things.writable(Owner.MONOLITH)
    cutover(things.where, execute=True)
    assert {note for _, _, note, _ in things.rows(Owner.SERVICE)} == {"old"}


def test_changes_that_are_delivered_twice_are_applied_once(things):
    things.copy()
    with things.open() as following, following.takeover.databases.monolith.snapshot() as moment:
        flow, lease = following.flow(), following.leases.service
        before = flow.checkpoint()
        things.sides.source.run("UPDATE thing SET note = 'new'")
        with flow.source.snapshot() as late:
            applied = step_to(flow, lease, late)
            again = step_to(flow, lease, late)
        assert applied.changed
        assert again.settled
        assert before is not None
        assert flow.checkpoint() == applied.checkpoint
        with suppress(LeaseLost):  # an older moment than what is applied: it says nothing that is newer
            step_to(flow, lease, moment)
        following.settle()
    assert things.equal()


def test_a_clock_that_jumps_decides_nothing(things):
    things.copy()
    chance = random.Random(3)
    follower = Follower(things.where, clock=lambda: chance.uniform(-(10**10), 10**10))
    try:
        for verb, owner in ((cutover, Owner.SERVICE), (rollback, Owner.MONOLITH)):
            verb(things.where, execute=True)
            things.side(owner).run(f"UPDATE thing SET note = '{owner}'")
            for _ in range(12):
                follower.turn()
            assert things.equal()
            assert things.writable_sides() == [owner]
    finally:
        follower.close()


def test_the_engine_reads_no_clock_but_to_report_and_to_pace():
    """What could decide by a clock would have to import one: these do, and say here what for."""
    engine = Path(sys.modules["strangler.takeover.flow"].__file__ or "").parent
    reading = {
        file.stem
        for file in engine.glob("*.py")
        if any(
            line.startswith(("import time", "from time", "import datetime", "from datetime"))
            for line in file.read_text(encoding="utf-8").splitlines()
        )
    }
    # switching: what each step took; sync: the readers' pins; start, verify: progress; patience, session: to
    # pause; sqlite: how long a lock was waited for; retire, archive: the date in an archive's name
    reports = {
        "switching",
        "sync",
        "start",
        "verify",
        "patience",
        "session",
        "values",
        "sqlite",
        "retire",
        "archive",
    }
    assert reading <= reports
