"""The owner changes, there and back: one owner at any time, whoever dies when, and no id twice."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg
import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.cancel import cancel
from strangler.takeover.cutover import cutover
from strangler.takeover.engines import LeaseLost
from strangler.takeover.giving_up import abort
from strangler.takeover.handover import opened, switch_of
from strangler.takeover.postgres_transaction import CAN_REPLACE_TRIGGERS
from strangler.takeover.resume import resume
from strangler.takeover.rollback import rollback
from strangler.takeover.situation import State, situation
from strangler.takeover.status import status
from strangler.takeover.switch import Step
from strangler.takeover.switching import arm, commit, drain, fence, finish
from tests.integration.takeover.things import Following, Killed, Things, killing


@dataclass
class Spy:
    """A gateway that remembers what it was told, and fails when it is meant to."""

    told: list[tuple] = field(default_factory=list)
    failing: str = ""

    def _hear(self, *what) -> None:
        self.told.append(what)
        if what[0] == self.failing:
            raise errors.NotAcknowledged("a worker is silent", next="strangler status")

    def require_answers(self, group):
        self._hear("require_answers", group)

    def hold(self, group):
        self._hear("hold", group)

    def release(self, group):
        self._hear("release", group)

    def route(self, group, owner):
        self._hear("route", group, owner)


TRIGGERS = {
    True: "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    False: "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
}


def triggers(things: Things) -> list[list[tuple]]:
    """Return the triggers of both databases."""
    return [side.ask(TRIGGERS[side.is_sqlite]) for side in (things.sides.source, things.sides.target)]


def change(things: Things, owner: Owner, note: str) -> None:
    things.side(owner).run(f"UPDATE thing SET note = '{note}'")


def owner_rows(things: Things) -> list[tuple]:
    """Return every row that decides an epoch, of both sides."""
    with opened(things.where) as takeover:
        return sorted((row.epoch, str(row.owner), str(row.outcome)) for row in takeover.databases.rows())


def settle(things: Things, owner: Owner) -> None:
    with opened(things.where) as takeover:
        Following(takeover, takeover.databases.take_leases()).settle(owner)


def test_the_service_writes_after_the_cutover_and_the_monolith_no_more(things):
    things.copy()
    assert things.writable_sides() == [Owner.MONOLITH]
    assert cutover(things.where, execute=True).owner is Owner.SERVICE
    assert things.writable_sides() == [Owner.SERVICE]
    assert things.equal()


def test_without_execute_a_cutover_changes_nothing_and_says_that_it_could(things):
    things.copy()
    assert cutover(things.where, execute=False).epoch == 2
    assert things.writable_sides() == [Owner.MONOLITH]


def test_what_was_written_until_the_fence_is_there_after_it(things):
    things.copy()
    late = things.reaching(lambda step: step is Step.ARMED and change(things, Owner.MONOLITH, "late"))
    cutover(late.where, execute=True)
    assert {note for _, _, note, _ in things.rows(Owner.SERVICE)} == {"late"}


def test_a_rollback_keeps_what_the_service_wrote_and_goes_twice_there_and_back(things):
    things.copy()
    for turn in range(2):
        cutover(things.where, execute=True)
        change(things, Owner.SERVICE, f"service {turn}")
        rollback(things.where, execute=True)
        assert things.equal()
        assert things.writable_sides() == [Owner.MONOLITH]
        assert things.rows(Owner.MONOLITH)[0][2] == f"service {turn}"
        change(things, Owner.MONOLITH, f"monolith {turn}")
    assert [row[0] for row in owner_rows(things)] == [1, 2, 3, 4, 5]
    settle(things, Owner.MONOLITH)
    assert not things.verify().differing


def test_the_monoliths_copy_follows_the_service(things):
    things.copy()
    cutover(things.where, execute=True)
    things.side(Owner.SERVICE).run(
        "DELETE FROM thing WHERE id = 5; UPDATE thing SET code = 'new' WHERE id = 3"
    )
    settle(things, Owner.SERVICE)
    assert things.equal()


def test_no_id_is_ever_given_out_twice(things):
    things.copy()
    given: list[int] = []

    def insert(owner: Owner) -> None:
        side = things.side(owner)
        side.run(f"INSERT INTO thing (code) VALUES ('n{len(given)}')")
        given.append(side.ask("SELECT max(id) FROM thing")[0][0])
        side.run(f"DELETE FROM thing WHERE id = {given[-1]}")  # the highest goes: max(id) says nothing of it

    for _ in range(2):
        insert(Owner.MONOLITH)
        insert(Owner.MONOLITH)
        cutover(things.where, execute=True)
        insert(Owner.SERVICE)
        rollback(things.where, execute=True)
    insert(Owner.MONOLITH)
    assert given == sorted(set(given))


def test_nothing_is_switched_that_was_not_verified(things):
    with things.open() as following:
        following.settle()
    with pytest.raises(errors.NotVerified, match="thing"):
        cutover(things.where, execute=True)
    assert things.writable_sides() == [Owner.MONOLITH]


def test_nothing_is_switched_whose_capture_was_broken(things):
    things.copy()
    if things.sides.source.is_sqlite:
        things.sides.source.run("DROP TRIGGER strangler_capture_delete_thing")
    else:
        things.sides.source.run("ALTER TABLE thing DISABLE TRIGGER strangler_capture_delete")
    with pytest.raises(errors.TableDirty, match="strangler_capture_delete"):
        cutover(things.where, execute=True)
    assert things.writable_sides() == [Owner.MONOLITH]


def test_the_wrong_direction_is_refused(things):
    things.copy()
    with pytest.raises(errors.WrongOwner):
        rollback(things.where, execute=True)
    cutover(things.where, execute=True)
    with pytest.raises(errors.WrongOwner):
        cutover(things.where, execute=True)


def test_writes_are_held_before_the_fence_routed_after_the_row_and_released_at_last(things):
    things.copy()
    spy = Spy()
    held_before = []
    where = replace(things.where, gateway=spy, reached=lambda step: held_before.append((step, len(spy.told))))
    cutover(where, execute=True)
    assert spy.told[1:] == [
        ("hold", "catalog"),
        ("route", "catalog", Owner.SERVICE),
        ("release", "catalog"),
    ]
    assert (Step.FENCED, 2) in held_before
    assert (Step.COMMITTED, 2) in held_before


def test_a_proxy_that_does_not_answer_is_refused_before_anything_is_touched(things):
    things.copy()
    spy, steps = Spy(failing="require_answers"), []
    before = triggers(things)
    with pytest.raises(errors.NotAcknowledged):
        cutover(replace(things.where, gateway=spy, reached=steps.append), execute=True)
    assert (spy.told, steps) == ([("require_answers", "catalog")], [])
    assert triggers(things) == before
    assert owner_rows(things) == [(1, "monolith", "committed")]


def test_the_way_back_waits_for_no_proxy(things):
    things.copy()
    cutover(things.where, execute=True)
    rollback(replace(things.where, gateway=Spy(failing="require_answers")), execute=True)
    assert things.writable_sides() == [Owner.MONOLITH]


def test_writes_are_released_whatever_fails(things):
    things.copy()
    spy = Spy()

    def fail(step: Step) -> None:
        if step is Step.FENCED:
            raise errors.TableDirty("a test", next="")

    with pytest.raises(errors.TableDirty):
        cutover(replace(things.where, gateway=spy, reached=fail), execute=True)
    assert spy.told[-1] == ("release", "catalog")
    assert things.writable_sides() == [Owner.MONOLITH]
    assert owner_rows(things)[-1] == (2, "service", "aborted")


def test_a_proxy_that_does_not_answer_undoes_nothing_that_is_decided(things):
    things.copy()
    with pytest.raises(errors.NotAcknowledged):
        cutover(replace(things.where, gateway=Spy(failing="route")), execute=True)
    assert things.writable_sides() == [Owner.SERVICE]
    assert resume(things.where, execute=True).found is State.OWNED


BEFORE = [Step.ARM, Step.ARMED, Step.HELD]
FENCED = [Step.FENCED, Step.DRAINED]
AFTER = [Step.COMMITTED, Step.ADOPTED, Step.ROUTED, Step.RELEASED]


@pytest.mark.parametrize("back", [False, True], ids=["cutover", "rollback"])
@pytest.mark.parametrize("step", [*BEFORE, *FENCED, *AFTER])
def test_killed_at_any_step_resume_leaves_one_owner_and_loses_nothing(things, step, back):
    things.copy()
    origin, target, verb = Owner.MONOLITH, Owner.SERVICE, cutover
    if back:
        cutover(things.where, execute=True)
        origin, target, verb = target, origin, rollback
    change(things, origin, "acknowledged")
    with pytest.raises(Killed):
        verb(things.reaching(killing(step)).where, execute=True)
    assert len(things.writable_sides()) <= 1
    resume(things.where, execute=True)
    wanted = origin if step in BEFORE else target
    assert things.writable_sides() == [wanted]
    assert {note for _, _, note, _ in things.rows(wanted)} == {"acknowledged"}
    assert resume(things.where, execute=True).found is State.OWNED
    change(things, wanted, "later")
    settle(things, wanted)
    assert things.equal()


@pytest.mark.parametrize("step", [*FENCED, *AFTER])
def test_killed_at_any_step_cancel_gives_up_what_is_undecided_and_nothing_else(things, step):
    things.copy()
    change(things, Owner.MONOLITH, "acknowledged")
    with pytest.raises(Killed):
        cutover(things.reaching(killing(step)).where, execute=True)
    if step in FENCED:
        cancel(things.where, execute=True)
        assert things.writable_sides() == [Owner.MONOLITH]
        assert cutover(things.where, execute=True).epoch == 3
    else:
        with pytest.raises(errors.WrongOwner):
            cancel(things.where, execute=True)
    assert things.writable_sides() == [Owner.SERVICE]
    assert {note for _, _, note, _ in things.rows(Owner.SERVICE)} == {"acknowledged"}


@pytest.mark.parametrize("step", [Step.ABORTED, Step.REOPENED])
def test_killed_while_it_gives_up_resume_opens_the_monolith_again(things, step):
    things.copy()
    with pytest.raises(Killed):
        cutover(things.reaching(killing(Step.DRAINED)).where, execute=True)
    with pytest.raises(Killed):
        cancel(things.reaching(killing(step)).where, execute=True)
    resume(things.where, execute=True)
    assert things.writable_sides() == [Owner.MONOLITH]


def test_a_commit_that_races_an_abort_wins_or_loses_whole(things):
    things.copy()
    with opened(things.where) as takeover:
        slow = switch_of(takeover, things.where, Owner.MONOLITH, 2)
        arm(slow)
        fence(slow)
        given_out = drain(slow)
        with opened(things.where) as again:
            quick = switch_of(again, things.where, Owner.MONOLITH, 2)
            abort(quick)
            with pytest.raises(LeaseLost):
                commit(slow, given_out)
    assert things.writable_sides() == [Owner.MONOLITH]
    assert owner_rows(things)[-1] == (2, "service", "aborted")


def test_an_abort_that_comes_after_the_commit_changes_nothing(things):
    things.copy()
    with opened(things.where) as takeover:
        switch = switch_of(takeover, things.where, Owner.MONOLITH, 2)
        arm(switch)
        fence(switch)
        finish(switch, lambda _: None)
        with pytest.raises(LeaseLost):
            abort(switch)
    assert things.writable_sides() == [Owner.SERVICE]


def test_a_second_coordinator_is_turned_away_while_the_first_is_at_work(things):
    things.copy()

    def second(step: Step) -> None:
        if step is Step.FENCED:
            with pytest.raises(errors.CoordinatorBusy, match="pid"):
                cutover(things.where, execute=True)

    cutover(things.reaching(second).where, execute=True)
    assert things.writable_sides() == [Owner.SERVICE]


def test_a_zombie_that_wakes_after_the_cutover_overwrites_nothing(things):
    things.copy()
    with things.open() as zombie:
        flow, lease = zombie.flow(), zombie.leases.service
        with flow.source.snapshot() as old:
            cutover(things.where, execute=True)
            change(things, Owner.SERVICE, "newer")
            with pytest.raises(LeaseLost), flow.target.transaction(lease) as into:
                into.delete(flow.pairs[0].target, ("id",), iter([(1,)]))
            assert old.count(flow.pairs[0].source) == 8
        with pytest.raises(LeaseLost):
            fence_again(zombie, things)
    assert things.writable_sides() == [Owner.SERVICE]
    assert {note for _, _, note, _ in things.rows(Owner.SERVICE)} == {"newer"}


def fence_again(zombie, things):
    """Do what a coordinator does that was stopped before its fence and wakes up now."""
    with zombie.takeover.databases.monolith.transaction(zombie.leases.monolith) as into:
        into.fence(zombie.flow().sources, "catalog", 2)


def test_an_owner_to_be_that_is_gone_leaves_the_fence_up_and_says_so(sqlite_things):
    things = sqlite_things
    things.copy()
    file = things.sides.target.url.removeprefix("sqlite:///")

    def lose(step: Step) -> None:
        if step is Step.FENCED:
            things.sides.target.run("ALTER TABLE strangler_lease RENAME TO elsewhere")

    with pytest.raises(errors.Undecided, match="nobody may write"):
        cutover(things.reaching(lose).where, execute=True)
    assert not things.writable(Owner.MONOLITH)
    things.sides.target.run("ALTER TABLE elsewhere RENAME TO strangler_lease")
    assert file
    resume(things.where, execute=True)
    assert things.writable_sides() == [Owner.SERVICE]


def test_a_row_that_others_in_the_monolith_refer_to_does_not_go_from_it_and_the_way_back_says_so(things):
    kind = "INTEGER" if things.sides.source.is_sqlite else "bigint"
    things.sides.source.run(
        f"CREATE TABLE line (id {kind} PRIMARY KEY,"
        " thing_id bigint REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO line VALUES (1, 3)"
    )
    things.copy()
    cutover(things.where, execute=True)
    things.side(Owner.SERVICE).run("DELETE FROM thing WHERE id = 3")
    with pytest.raises(errors.TargetRefusedRows, match=r"(?i)foreign key"):
        rollback(things.where, execute=True)
    assert things.writable_sides() == [Owner.SERVICE]
    things.sides.source.run("DELETE FROM line")
    rollback(things.where, execute=True)
    assert 3 not in things.side(Owner.MONOLITH).ids("thing")
    assert things.writable_sides() == [Owner.MONOLITH]


def test_cancel_with_nothing_half_done_ends_the_takeover_and_its_capture(things):
    things.copy()
    assert cancel(things.where, execute=True).ended
    change(things, Owner.MONOLITH, "unseen")
    assert status(things.where).phase == "monolith"
    assert things.writable_sides() == [Owner.MONOLITH]
    things.copy()
    assert things.equal()


def test_status_says_what_is_half_done(things):
    things.copy()
    with pytest.raises(Killed):
        cutover(things.reaching(killing(Step.DRAINED)).where, execute=True)
    with opened(things.where) as takeover:
        assert situation(takeover).state is State.FENCED
    assert status(things.where).state is State.FENCED
    with pytest.raises(errors.Undecided, match="was begun"):
        cutover(things.where, execute=True)


@contextmanager
def readers(things: Things) -> Iterator[int]:
    """Read on both sides and keep the locks of that until the block ends; yield the servers' version."""
    with (
        psycopg.connect(things.sides.source.url) as here,
        psycopg.connect(things.sides.target.url) as there,
    ):
        for reader in (here, there):
            reader.execute("SELECT count(*) FROM thing")
        yield here.info.server_version


class TestPostgres:
    """What a fence on PostgreSQL waits for and refuses."""

    def test_an_open_transaction_makes_the_cutover_give_up_naming_it(self, postgres_things):
        things = postgres_things
        things.copy()
        with psycopg.connect(things.sides.source.url) as writer:
            writer.execute("UPDATE thing SET note = 'open' WHERE id = 1")
            with pytest.raises(errors.WritersInTheWay) as refusal:
                cutover(things.where, execute=True)
            said = r"pid (\d+), idle in transaction, for [\d:]+\.\d+: UPDATE thing SET note = 'open'"
            named = re.search(said, refusal.value.message)
            assert named
            assert named[1] == str(writer.info.backend_pid)
            writer.commit()
        assert things.writable_sides() == [Owner.MONOLITH]
        cutover(things.where, execute=True)
        assert things.rows(Owner.SERVICE)[0][2] == "open"

    def test_a_truncate_just_before_the_fence_leaves_the_owner(self, postgres_things):
        things = postgres_things
        things.copy()
        source = things.sides.source
        late = things.reaching(lambda step: step is Step.ARMED and source.run("TRUNCATE thing CASCADE"))
        with pytest.raises(errors.NotVerified, match=r"not copied yet|was not verified"):
            cutover(late.where, execute=True)
        assert things.writable_sides() == [Owner.MONOLITH]
        assert not things.rows(Owner.MONOLITH)

    def test_the_fence_waits_for_a_writer_that_ends_in_time_and_takes_it_along(self, postgres_things):
        things = postgres_things
        things.copy()
        writer = psycopg.connect(things.sides.source.url)

        def begin(step: Step) -> None:
            if step is Step.ARMED:
                writer.execute("UPDATE thing SET note = 'in time' WHERE id = 1")
                threading.Timer(0.05, writer.commit).start()

        with writer:
            cutover(things.reaching(begin).where, execute=True)
        assert things.rows(Owner.SERVICE)[0][2] == "in time"

    @pytest.mark.parametrize(
        "write",
        [
            "UPDATE thing SET note = 'x' WHERE id = 1",
            "UPDATE thing SET note = 'x' WHERE id = -1",
            "DELETE FROM thing WHERE id = -1",
            "INSERT INTO thing SELECT * FROM thing WHERE false",
            "INSERT INTO thing (id, code) VALUES (1, 'c1') ON CONFLICT DO NOTHING",
            "TRUNCATE thing",
            "SET session_replication_role = replica; UPDATE thing SET note = 'x'",
        ],
    )
    def test_no_write_passes_the_fence_not_even_one_of_no_row(self, postgres_things, write):
        postgres_things.copy()
        cutover(postgres_things.where, execute=True)
        with pytest.raises(psycopg.DatabaseError) as refusal:
            postgres_things.sides.source.run(write)
        assert refusal.value.sqlstate == "SF001"

    def test_a_transaction_with_an_older_snapshot_is_refused(self, postgres_things):
        things = postgres_things
        things.copy()
        with psycopg.connect(things.sides.source.url) as old:
            old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            old.execute("SELECT count(*) FROM thing")
            cutover(things.where, execute=True)
            with pytest.raises(psycopg.DatabaseError) as refusal:
                old.execute("UPDATE thing SET note = 'old' WHERE id = 1")
            assert refusal.value.sqlstate == "SF001"

    def test_readers_are_not_kept_waiting(self, postgres_things):
        things = postgres_things
        things.copy()
        with readers(things) as server_version:
            cutover(things.where, execute=True)
            if server_version >= CAN_REPLACE_TRIGGERS:
                rollback(things.where, execute=True)
                cutover(things.where, execute=True)
        assert things.writable_sides() == [Owner.SERVICE]

    def test_a_reader_in_the_way_of_a_rollback_is_named_where_triggers_cannot_be_replaced(
        self, postgres_things
    ):
        things = postgres_things
        things.copy()
        cutover(things.where, execute=True)
        with readers(things) as server_version:
            if server_version < CAN_REPLACE_TRIGGERS:
                with pytest.raises(errors.WritersInTheWay, match=r"pid \d+, idle in .* FROM thing"):
                    rollback(things.where, execute=True)
        assert things.writable_sides() == [Owner.SERVICE]
        rollback(things.where, execute=True)
        assert things.writable_sides() == [Owner.MONOLITH]

    def test_a_cached_sequence_gives_out_nothing_again(self, postgres_things):
        things = postgres_things
        things.sides.source.run("ALTER SEQUENCE thing_id_seq CACHE 50")
        things.copy()
        with psycopg.connect(things.sides.source.url, autocommit=True) as session:
            session.execute("INSERT INTO thing (code) VALUES ('a')")
            cutover(things.where, execute=True)
            things.sides.target.run("INSERT INTO thing (code) VALUES ('b')")
            rollback(things.where, execute=True)
            session.execute("INSERT INTO thing (code) VALUES ('c')")  # from the session's cache
            things.sides.source.run("INSERT INTO thing (code) VALUES ('d')")
        ids = things.sides.source.ask("SELECT id FROM thing WHERE code IN ('a', 'b', 'c', 'd')")
        assert len({number for (number,) in ids}) == 4

    def test_rejected_inserts_burn_ids_and_none_comes_back(self, postgres_things):
        things = postgres_things
        things.copy()
        cutover(things.where, execute=True)
        for _ in range(3):
            assert not things.writable(Owner.MONOLITH)
            with pytest.raises(psycopg.DatabaseError):
                things.sides.source.run("INSERT INTO thing (code) VALUES ('burnt')")
        things.sides.target.run("INSERT INTO thing (code) VALUES ('kept')")
        rollback(things.where, execute=True)
        things.sides.source.run("INSERT INTO thing (code) VALUES ('next')")
        assert [code for _, code, _, _ in things.rows(Owner.MONOLITH)][-2:] == ["kept", "next"]
