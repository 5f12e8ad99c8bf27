"""`strangler sync` keeps every follower following, whichever way, and steps back for whoever decides."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.cutover import cutover
from strangler.takeover.handover import opened
from strangler.takeover.pace import set_pace
from strangler.takeover.resume import resume
from strangler.takeover.rollback import rollback
from strangler.takeover.state import Pace
from strangler.takeover.switch import Step
from strangler.takeover.sync import Follower, sync
from tests.integration.takeover.things import Killed, Things


class Listening:
    """A follower's listener, and a bounded number of its turns."""

    def __init__(self, things: Things) -> None:
        self.said: list[str] = []
        self.until: list[float] = []
        self.changed: list[float] = []
        self.clock = iter(range(100, 10_000))
        self.follower = Follower(
            things.where,
            lambda _group, text: self.said.append(text),
            self._synced,
            lambda: float(next(self.clock)),
        )

    def _synced(self, _group: str, until: float, changed: float) -> None:
        self.until.append(until)
        self.changed.append(changed)

    def turns(self, number: int = 12) -> None:
        """Take some turns without waiting."""
        left = iter(range(number))
        sync([self.follower], lambda: next(left, None) is None, lambda _: None)

    def keep_turning(self, number: int = 12) -> None:
        """Take some turns and stay."""
        for _ in range(number):
            self.follower.turn()


@pytest.fixture
def listening(things):
    there = Listening(things)
    yield there
    there.follower.close()


def test_what_the_owner_writes_arrives_whoever_owns(things, listening):
    things.copy()
    things.side(Owner.MONOLITH).run("UPDATE thing SET note = 'one'")
    listening.keep_turning()
    assert things.equal()
    cutover(things.where, execute=True)
    things.side(Owner.SERVICE).run("UPDATE thing SET note = 'two'; DELETE FROM thing WHERE id = 4")
    listening.keep_turning()
    assert things.equal()
    rollback(things.where, execute=True)
    things.side(Owner.MONOLITH).run("UPDATE thing SET note = 'three'")
    listening.keep_turning()
    assert things.equal()
    assert listening.said == [
        "following the monolith since epoch 1",
        "following the service since epoch 2",
        "following the monolith since epoch 3",
    ]


def test_the_backfill_goes_on_where_start_was_killed(things, listening):
    with things.open() as following:
        following.step()
    listening.keep_turning()
    assert things.equal()


def test_a_second_sync_follows_nothing_and_waits(things, listening):
    things.copy()
    listening.keep_turning(2)
    second = Listening(things)
    second.turns(2)
    assert any("is at work on the takeover" in text for text in second.said)
    listening.follower.close()
    second.turns(2)
    assert second.said[-1].startswith("following the monolith")


def test_it_waits_until_a_takeover_is_started(things, listening):
    listening.keep_turning(2)
    assert any("no takeover of group 'catalog' was started" in text for text in listening.said)
    things.copy()
    listening.keep_turning(2)
    assert listening.said[-1] == "following the monolith since epoch 1"


def test_it_touches_nothing_while_a_change_of_owner_is_half_done(things, listening):
    things.copy()

    def die(step: Step) -> None:
        if step is Step.FENCED:
            raise Killed

    with pytest.raises(Killed):
        cutover(things.reaching(die).where, execute=True)
    listening.keep_turning(3)
    assert listening.said == ["a change of owner is fenced: strangler takeover resume catalog"]
    resume(things.where, execute=True)
    listening.keep_turning(3)
    assert listening.said[-1] == "following the service since epoch 2"


def test_a_cutover_takes_over_from_a_running_sync(things, listening):
    things.copy()
    listening.keep_turning(2)
    cutover(things.where, execute=True)
    assert things.writable_sides() == [Owner.SERVICE]


def test_a_verb_waits_for_the_follower_that_is_taking_its_leases(things):
    things.copy()
    looks = []
    with opened(things.where) as following, opened(things.where) as verb, ExitStack() as taking:
        assert taking.enter_context(following.databases.nobody_at_work())

        def look_again(seconds: float) -> None:
            looks.append(seconds)
            if len(looks) == 5:
                taking.close()

        verb.databases.coordinate(look_again)
        with following.databases.nobody_at_work() as alone:
            assert not alone
    assert len(looks) == 5


def test_a_verb_waits_for_no_other_verb_and_names_it(things):
    things.copy()
    looks = []
    with opened(things.where) as first, opened(things.where) as second:
        first.databases.coordinate()
        with pytest.raises(errors.CoordinatorBusy, match=rf"pid {os.getpid()} is at work"):
            second.databases.coordinate(looks.append)
    assert len(looks) == 1


def test_verifying_is_never_refused_because_somebody_follows(things):
    things.copy()
    done = threading.Event()

    def follow() -> None:
        listening = Listening(things)
        while not done.is_set():
            listening.follower.turn()
        listening.follower.close()

    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(follow)
        try:
            assert not any(things.verify().differing for _ in range(20))
        finally:
            done.set()
        following.result()


def test_paused_it_stands_still_and_goes_on_when_it_may(things, listening):
    things.copy()
    set_pace(things.where, Pace(paused=True))
    things.side(Owner.MONOLITH).run("UPDATE thing SET note = 'new'")
    listening.keep_turning()
    assert not things.equal()
    set_pace(things.where, Pace())
    listening.keep_turning()
    assert things.equal()


def test_a_bounded_copy_waits_as_long_as_its_rows_cost(things, listening):
    with things.open():
        set_pace(things.where, Pace(rows=4))
    assert max(listening.follower.turn() for _ in range(3)) == 2.0


def test_a_column_added_on_both_sides_is_never_lost_to_what_was_verified_without_it(things, listening):
    things.copy()
    listening.keep_turning(3)
    add = "ALTER TABLE thing ADD COLUMN extra text"
    things.sides.source.run(f"{add}; UPDATE thing SET extra = 'kept' WHERE id = 1")
    listening.keep_turning(3)
    with pytest.raises(errors.ColumnsDiffer, match="extra"):
        cutover(things.where, execute=True)
    things.sides.target.run(add)
    with pytest.raises(errors.TableDirty, match="no longer those that were copied"):
        cutover(things.where, execute=True)
    assert things.writable_sides() == [Owner.MONOLITH]
    with things.open() as following:
        following.settle()
    things.sides.source.run("UPDATE thing SET extra = 'later' WHERE id = 2")
    listening.keep_turning(12)
    assert not things.verify().differing
    cutover(things.where, execute=True)
    rows = things.sides.target.ask("SELECT extra FROM thing WHERE id < 3 ORDER BY id")
    assert rows == [("kept",), ("later",)]


def test_a_type_that_changes_under_the_capture_makes_the_table_dirty(postgres_things):
    things = postgres_things
    things.copy()
    for side in (things.sides.source, things.sides.target):
        side.run("ALTER TABLE thing ALTER note TYPE varchar(20) USING upper(note)")
    with pytest.raises(errors.TableDirty, match="no longer those that were copied"):
        cutover(things.where, execute=True)


def test_pacing_what_was_not_started_is_refused(things):
    with pytest.raises(errors.NotStarted):
        set_pace(things.where, Pace())


def test_a_broken_capture_is_said_and_never_mended_in_silence(things, listening):
    things.copy()
    if things.sides.source.is_sqlite:
        things.sides.source.run("DROP TRIGGER strangler_capture_insert_thing")
    else:
        things.sides.source.run("ALTER TABLE thing DISABLE TRIGGER strangler_capture_insert")
    listening.keep_turning()
    assert any("thing is DIRTY" in text and "strangler_capture_insert" in text for text in listening.said)
    with pytest.raises(errors.TableDirty):
        cutover(things.where, execute=True)


def test_the_proxy_hears_how_far_the_copy_is_by_a_clock_read_before_the_moment(things, listening):
    things.copy()
    listening.keep_turning(3)
    assert listening.until == [100.0, 101.0, 102.0]


def test_the_proxy_hears_when_the_copy_last_changed(things, listening):
    things.copy()
    listening.keep_turning()
    assert set(listening.changed) == {0}
    things.side(Owner.MONOLITH).run("UPDATE thing SET note = 'one'")
    told = len(listening.until)
    listening.keep_turning()
    (changed,) = set(listening.changed[told:])
    assert listening.until[told - 1] < changed < listening.until[told]
    listening.keep_turning()
    assert listening.changed[-1] == changed
