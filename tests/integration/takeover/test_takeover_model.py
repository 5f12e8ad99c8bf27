"""Coordinators, appliers and clients in any order: paused at any step, waking at any later one.

Two coordinators and two appliers, each of which may have been overtaken long ago, act on two real databases
in whatever order Hypothesis finds. Nobody claims a role first: only leases, epochs and rows stand between
them.
"""

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from proxy.routes import Owner
from strangler.errors import StranglerError
from strangler.takeover.engines import LeaseLost
from strangler.takeover.flow import step
from strangler.takeover.giving_up import abort, reopen
from strangler.takeover.handover import opened, switch_of
from strangler.takeover.resume import resume
from strangler.takeover.session import Leases, Takeover, other
from strangler.takeover.situation import situation
from strangler.takeover.state import OwnerRow
from strangler.takeover.switch import Switch
from strangler.takeover.switching import adopt, arm, commit, drain, fence
from tests.integration.takeover.sides import Side, Sides
from tests.integration.takeover.things import Following, Things, make_things
from tests.postgres import Postgres, database_name

KEYS = st.integers(1, 12)
WHO = st.integers(0, 1)
OWNERS = st.sampled_from(list(Owner))
TURNED_AWAY = (LeaseLost, StranglerError)


@dataclass
class Coordinator:
    """One process that changes owners, as far as it has come; `left` is what it would do next."""

    takeover: Takeover
    switch: Switch | None = None
    left: list[str] = field(default_factory=list)
    given_out: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Applier:
    """One process that applies, with the leases that it took once; another may have taken them since."""

    takeover: Takeover
    leases: Leases | None = None
    owner: Owner = Owner.MONOLITH


class TakeoverMachine(RuleBasedStateMachine):
    """All that can happen to a takeover that `copied` gives."""

    def __init__(self, copied: "Copied") -> None:
        super().__init__()
        self.copied = copied

    @initialize()
    def begin(self) -> None:
        self.opened = ExitStack()
        self.things = self.opened.enter_context(self.copied())
        self.acknowledged = {row[0]: row[2] for row in self.things.rows(Owner.MONOLITH)}
        self.turn = 0
        self.decided: OwnerRow | None = None
        self.coordinators = [Coordinator(self._open()) for _ in range(2)]
        for who in range(2):
            self.a_coordinator_sets_out(who)
        self.appliers = [Applier(self._open()) for _ in range(2)]

    def _open(self) -> Takeover:
        return self.opened.enter_context(opened(self.things.where))

    @rule(owner=OWNERS, key=KEYS)
    def a_client_writes(self, owner: Owner, key: int) -> None:
        self.turn += 1
        note = str(self.turn)
        with fences_refuse():
            self.things.side(owner).run(
                f"INSERT INTO thing (id, code, note) VALUES ({key}, 'c{key}', '{note}')"
                f" ON CONFLICT (id) DO UPDATE SET note = '{note}'"
            )
            self.acknowledged[key] = note

    @rule(owner=OWNERS, key=KEYS)
    def a_client_deletes(self, owner: Owner, key: int) -> None:
        with fences_refuse():
            there = self.things.side(owner)
            # A DELETE that meets no row passes a fence of SQLite: it must not count as one that was done.
            if there.ask(f"SELECT 1 FROM thing WHERE id = {key}"):
                there.run(f"UPDATE thing SET parent_id = NULL; DELETE FROM thing WHERE id = {key}")
                self.acknowledged.pop(key, None)

    @rule(who=WHO)
    def a_coordinator_sets_out(self, who: int) -> None:
        each = self.coordinators[who]
        now = situation(each.takeover)
        if now.sound:
            each.switch = switch_of(each.takeover, self.things.where, now.owner, now.attempt)
            each.left = ["arm", "fence", "drain", "commit", "adopt"]

    @precondition(lambda self: any(each.left for each in self.coordinators))
    @rule(who=WHO, steps=st.integers(1, 5))
    def a_coordinator_goes_on(self, who: int, steps: int) -> None:
        each = self.coordinators[who]
        for todo in each.left[:steps]:
            each.left.remove(todo)
            try:
                self._do(each, todo)
            except TURNED_AWAY:
                each.left = []
                return
            self.at_most_one_side_takes_writes()

    @rule(who=WHO)
    def a_coordinator_gives_up(self, who: int) -> None:
        each = self.coordinators[who]
        if each.switch is not None:
            each.left = []
            with contextlib.suppress(*TURNED_AWAY):
                abort(each.switch)

    @rule(who=WHO)
    def a_coordinator_opens_again_what_was_given_up(self, who: int) -> None:
        each = self.coordinators[who]
        now = situation(each.takeover)
        if now.state == "aborted":
            with contextlib.suppress(*TURNED_AWAY):
                reopen(switch_of(each.takeover, self.things.where, now.owner, now.attempt))

    def _do(self, each: Coordinator, todo: str) -> None:
        if todo == "drain":
            each.given_out = drain(each.switch)
        elif todo == "commit":
            self.decided = commit(each.switch, each.given_out)
        elif todo == "adopt":
            if self.decided is not None:
                adopt(each.switch, self.decided)
        else:
            {"arm": arm, "fence": fence, "abort": abort, "reopen": reopen}[todo](each.switch)

    @rule(who=WHO)
    def an_applier_sets_out(self, who: int) -> None:
        each = self.appliers[who]
        now = situation(each.takeover)
        if now.sound:
            each.leases, each.owner = each.takeover.databases.take_leases(), now.owner

    @rule(who=WHO)
    def an_applier_goes_on(self, who: int) -> None:
        each = self.appliers[who]
        if each.leases is not None:
            with contextlib.suppress(LeaseLost):
                step(each.takeover.flow(each.owner), each.leases.of(other(each.owner)))

    @rule()
    def somebody_resumes(self) -> None:
        resume(self.things.where, execute=True)

    @invariant()
    def at_most_one_side_takes_writes(self) -> None:
        assert len(self.things.writable_sides()) <= 1

    @invariant()
    def every_epoch_has_one_row(self) -> None:
        epochs = [row.epoch for row in self.coordinators[0].takeover.databases.rows()]
        assert len(epochs) == len(set(epochs))

    @invariant()
    def the_owner_has_every_acknowledged_write(self) -> None:
        owner = self.coordinators[0].takeover.databases.started().owner
        assert {row[0]: row[2] for row in self.things.rows(owner)} == self.acknowledged

    def teardown(self) -> None:
        if hasattr(self, "things"):
            with self.opened:
                resume(self.things.where, execute=True)
                now = situation(self.coordinators[0].takeover)
                assert self.things.writable_sides() == [now.owner]
                last = self._open()
                Following(last, last.databases.take_leases()).settle(now.owner)
                assert self.things.equal()


@contextlib.contextmanager
def fences_refuse() -> Iterator[None]:
    """Take a fence's refusal for the answer that it is."""
    try:
        yield
    except Exception as refusal:
        if "moved (takeover catalog, epoch" not in str(refusal):
            raise


Copied = Callable[[], AbstractContextManager[Things]]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Copied:
    """What gives a takeover between copies of two SQLite files, everything copied there already."""
    begun = tmp_path_factory.mktemp("begun")
    things = make_things(_files_in(begun))
    things.copy()

    @contextlib.contextmanager
    def give() -> Iterator[Things]:
        with tempfile.TemporaryDirectory() as name:
            yield Things(_files_in(shutil.copytree(begun, Path(name) / "copy")))

    return give


def _files_in(folder: Path) -> Sides:
    sides = [Side(f"sqlite:///{folder / each}.sqlite3") for each in ("monolith", "catalog")]
    for side in sides:
        side.run("PRAGMA journal_mode=WAL")
    return Sides(*sides, folder)


def between_databases(server: Postgres, copied: Sides) -> Copied:
    """Return what gives a takeover between copies of two databases, everything copied there already."""

    @contextlib.contextmanager
    def give() -> Iterator[Things]:
        sides = [Side(server.fresh(side.url)) for side in (copied.source, copied.target)]
        yield Things(Sides(sides[0], sides[1], copied.var))
        for side in sides:
            server.drop(database_name(side.url))

    return give


PROGRAMS = {
    "two cutovers": (
        ["arm", "fence", "drain", "commit", "adopt"],
        ["arm", "fence", "drain", "commit", "adopt"],
    ),
    "a cutover and an abort": (["arm", "fence", "drain", "commit", "adopt"], ["abort", "reopen"]),
}


@pytest.mark.parametrize("programs", PROGRAMS)
@pytest.mark.parametrize("pushed", [False, True], ids=["lease taken first", "lease taken between"])
def test_every_order_of_two_coordinators_keeps_one_owner(files, programs, pushed):
    """Play all orders of both programs; the second takes the lease before the first begins, or in between."""
    one, two = PROGRAMS[programs]
    for places in itertools.combinations(range(len(one) + len(two)), len(one)):
        machine = TakeoverMachine(files)
        machine.begin()
        try:
            _play(machine, one, two, set(places), pushed=pushed)
        finally:
            machine.teardown()


def _play(machine, one, two, places, *, pushed: bool) -> None:
    left = [list(one), list(two)]
    first, second = machine.coordinators
    where = machine.things.where
    first.switch = switch_of(first.takeover, where, Owner.MONOLITH, 2)
    if not pushed:
        second.switch = switch_of(second.takeover, where, Owner.MONOLITH, 2)
    for place in range(len(one) + len(two)):
        who = 0 if place in places else 1
        each = machine.coordinators[who]
        if who and left[1] == two and pushed:
            second.switch = switch_of(second.takeover, where, Owner.MONOLITH, 2)
        with contextlib.suppress(*TURNED_AWAY):
            machine._do(each, left[who].pop(0))
        for owner in Owner:
            machine.a_client_writes(owner, place + 1)
        machine.at_most_one_side_takes_writes()
        machine.every_epoch_has_one_row()
        machine.the_owner_has_every_acknowledged_write()


MANY = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FEW = settings(MANY, max_examples=6, stateful_step_count=25)


def test_in_any_order_one_side_takes_writes_and_none_is_lost(files):
    run_state_machine_as_test(lambda: TakeoverMachine(files), settings=MANY)


@pytest.mark.timeout(600)
def test_in_any_order_the_same_holds_on_postgresql(postgres, postgres_things):
    postgres_things.copy()
    copied = between_databases(postgres, postgres_things.sides)
    run_state_machine_as_test(lambda: TakeoverMachine(copied), settings=FEW)
