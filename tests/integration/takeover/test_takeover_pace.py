"""A follower slows down by what is measured of the databases, while it runs, and says why."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.engines import Blocked
from strangler.takeover.flow import Stepped
from strangler.takeover.handover import opened
from strangler.takeover.pace import set_pace
from strangler.takeover.pacing import Pacer
from strangler.takeover.start import Listener, start
from strangler.takeover.state import Pace
from strangler.takeover.status import status
from strangler.takeover.sync import Follower
from tests.integration.takeover.things import Things

LOCK = "SELECT pg_advisory_lock(7)"


@contextmanager
def sessions_at_work(things: Things, number: int) -> Iterator[None]:
    """Let sessions wait for a lock, which to PostgreSQL is work, until the block ends."""
    url = things.sides.source.url
    with psycopg.connect(url, autocommit=True, application_name="strangler test") as holder:
        holder.execute(LOCK)
        waiting = [threading.Thread(target=things.sides.source.run, args=(LOCK,)) for _ in range(number)]
        for each in waiting:
            each.start()
        active = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = %s"
        while holder.execute(f"{active} AND wait_event_type = 'Lock'", [LOCK]).fetchone() != (number,):
            assert all(each.is_alive() for each in waiting)
        try:
            yield
        finally:
            holder.execute("SELECT pg_advisory_unlock(7)")
            for each in waiting:
                each.join()


@pytest.fixture
def following(things) -> Iterator[Follower]:
    """A follower of a takeover that is copied."""
    things.copy()
    follower = Follower(things.where)
    follower.turn()
    yield follower
    follower.close()


def test_a_critical_load_below_the_highest_is_refused(things):
    things.copy()
    with pytest.raises(errors.UnfitPace, match="--critical-active 3 is below --max-active 9"):
        set_pace(things.where, Pace(max_active=9, critical_active=3))


@pytest.mark.parametrize("pace", [Pace(max_lag=1), Pace(max_active=9), Pace(critical_active=9)])
def test_a_limit_to_what_sqlite_cannot_tell_is_refused(sqlite_things, pace):
    sqlite_things.copy()
    with pytest.raises(errors.UnfitPace, match="does not tell its standbys or sessions"):
        set_pace(sqlite_things.where, pace)
    set_pace(sqlite_things.where, Pace(max_wait=0.5, max_slower=3))


def test_within_its_limits_a_follower_is_not_slowed(things, following):
    set_pace(things.where, Pace(max_wait=1000, max_slower=1000))
    things.side(Owner.MONOLITH).run("UPDATE thing SET note = 'new'")
    assert following.turn() == 0.0
    assert things.equal()
    assert status(things.where).slow == ""


def test_start_stands_still_while_it_is_paused_and_hears_when_it_may_go_on(things):
    with things.open():
        set_pace(things.where, Pace(paused=True))
    said: list[str] = []
    rests: list[float] = []

    def pause(seconds: float) -> None:
        rests.append(seconds)
        assert status(things.where).slow == "paused"
        assert things.rows(Owner.SERVICE) == []
        if len(rests) == 3:
            set_pace(things.where, Pace())

    where = things.where
    listener = Listener(slowed=said.append, pause=pause)
    start(where.routes, "catalog", where.environ, where.var, execute=True, listener=listener)
    assert things.equal()
    assert (said[0], said[-1], len(rests)) == ("paused", "", 3)


def test_time_in_line_for_the_write_lock_slows_what_waits_there(sqlite_things):
    sqlite_things.copy()
    set_pace(sqlite_things.where, Pace(max_wait=1e-9))
    with opened(sqlite_things.where) as takeover:
        flow, pacer = takeover.flow(Owner.MONOLITH), Pacer(takeover.databases)
        lease = takeover.databases.take_leases().service
        with flow.target.transaction(lease):
            pass
        assert pacer.next_gait(flow).because == "write lock"
        assert "in line for the write lock" in status(sqlite_things.where).slow
        set_pace(sqlite_things.where, Pace())
        assert pacer.next_gait(flow).rest == 0.0
    assert status(sqlite_things.where).slow == ""


def test_a_writer_that_does_not_end_counts_as_time_in_line(sqlite_things):
    sqlite_things.copy()
    with opened(sqlite_things.where) as takeover, opened(sqlite_things.where) as another:
        lease = takeover.databases.take_leases().service
        with takeover.databases.service.transaction(lease):
            assert another.databases.service.load().waited == 0.0
            with pytest.raises(Blocked), another.databases.service.transaction(lease, wait=0.05):
                raise AssertionError("the lock was free")
            assert another.databases.service.load().waited >= 0.05


def test_rows_that_take_longer_than_at_first_slow_the_copy(things):
    things.copy()
    set_pace(things.where, Pace(max_slower=2))
    with opened(things.where) as takeover:
        flow, pacer = takeover.flow(Owner.MONOLITH), Pacer(takeover.databases)
        checkpoint = flow.checkpoint()
        chosen = pacer.next_gait(flow)
        for seconds in (1.0, 1.0, 1.0, 5.0, 5.0):
            pacer.rest_after(chosen, Stepped(checkpoint, copied=5000, table="thing"), seconds)
        assert pacer.next_gait(flow).because == "slow chunks"
    assert status(things.where).slow == "a row takes 5.0 times as long as at first, at most 2"


class TestPostgres:
    """What PostgreSQL tells of its load."""

    @pytest.fixture
    def following(self, postgres_things) -> Iterator[Follower]:
        """A follower of a takeover that is copied, and whom it tells what."""
        postgres_things.copy()
        follower = Follower(postgres_things.where)
        follower.turn()
        yield follower
        follower.close()

    def test_sessions_at_work_slow_a_follower_that_goes_on_all_the_same(self, postgres_things, following):
        set_pace(postgres_things.where, Pace(max_active=1))
        postgres_things.sides.source.run("UPDATE thing SET note = 'new'")
        with sessions_at_work(postgres_things, 3):
            assert following.turn() == 3.0
            found = status(postgres_things.where).slow
            assert found == "3 sessions of the monolith's database at work, at most 1"
        assert postgres_things.equal()
        following.turn()
        assert status(postgres_things.where).slow == ""

    def test_a_critical_load_lets_it_stand_still_until_it_is_over(self, postgres_things, following):
        told: list[str] = []
        following.told = lambda _group, text: told.append(text)
        set_pace(postgres_things.where, Pace(critical_active=1))
        postgres_things.sides.source.run("UPDATE thing SET note = 'new'")
        with sessions_at_work(postgres_things, 2):
            for _ in range(3):
                following.turn()
            assert not postgres_things.equal()
        following.turn()
        assert postgres_things.equal()
        assert told == ["stands still: critical load"]

    def test_no_standby_is_no_lag_and_the_kit_itself_is_no_load(self, postgres_things):
        postgres_things.copy()
        set_pace(postgres_things.where, Pace(max_lag=1.5, max_active=10, critical_active=20))
        with opened(postgres_things.where) as takeover:
            load = takeover.databases.monolith.load()
        assert (load.lag, load.active) == (0.0, 0)

    def test_a_role_that_may_not_see_other_sessions_is_refused_the_limit(self, postgres_things):
        postgres_things.copy()
        source = postgres_things.sides.source
        source.run(
            "DO $$ BEGIN CREATE ROLE strangler_test_blind LOGIN;"
            " EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
            "GRANT ALL ON SCHEMA strangler TO strangler_test_blind;"
            "GRANT ALL ON ALL TABLES IN SCHEMA strangler TO strangler_test_blind;"
            "GRANT SELECT ON thing TO strangler_test_blind"
        )
        url = f"{source.url}{'&' if '?' in source.url else '?'}user=strangler_test_blind"
        environ = {**postgres_things.where.environ, "MONOLITH_DATABASE_URL": url}
        with pytest.raises(errors.UnfitPace, match="a role that may see them"):
            set_pace(replace(postgres_things.where, environ=environ), Pace(max_lag=1))
