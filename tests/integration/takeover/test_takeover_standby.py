"""What is in the write-ahead log and visible to nobody yet: a commit that waits for its standby."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from proxy.routes import Owner
from strangler.takeover.cutover import cutover
from strangler.takeover.handover import opened
from strangler.takeover.pace import set_pace
from strangler.takeover.pacing import Pacer
from strangler.takeover.patience import Patience
from strangler.takeover.state import Pace
from strangler.takeover.status import status
from tests.integration.takeover.sides import Side, Sides
from tests.integration.takeover.things import Things, make_things
from tests.own_postgres import Server, servers

NOBODY = "synchronous_standby_names = 'a_standby_that_never_comes'"
STANDBY_IS_BACK = "synchronous_standby_names = ''"
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture(scope="module")
def replicated() -> Iterator[Server]:
    """A server of its own, whose standby can be away."""
    with tempfile.TemporaryDirectory(prefix="s") as folder, servers(Path(folder), ("m",)) as started:
        yield started["m"]


@pytest.fixture
def things(replicated, postgres, tmp_path) -> Things:
    """A takeover from that server to another, copied. The kit's own commits there wait for no standby."""
    things = make_things(Sides(Side(replicated.url), Side(postgres.fresh()), tmp_path))
    things.sides.source.run(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = local', current_database());"
        " END $$"
    )
    things.copy()
    yield things
    things.sides.source.run("DROP TABLE thing CASCADE; DROP SCHEMA strangler CASCADE")


@contextmanager
def a_commit_that_hangs(things: Things, server: Server) -> Iterator[None]:
    """Change a row in a transaction whose commit is written, and waits for a standby until the block ends."""
    server.configure(NOBODY)

    def write() -> None:
        things.sides.source.run("SET synchronous_commit = on; UPDATE thing SET note = 'new' WHERE id = 5")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not things.sides.source.ask(WAITING):
            assert writer.is_alive()
        yield
    finally:
        server.configure(STANDBY_IS_BACK)
        writer.join()


def test_a_standby_that_stands_still_slows_the_follower_until_it_has_caught_up(things, replicated):
    set_pace(things.where, Pace(max_lag=0.05))
    with (
        tempfile.TemporaryDirectory(prefix="s") as folder,
        replicated.standby(Path(folder) / "s") as url,
        psycopg.connect(url, autocommit=True) as standby,
        opened(things.where) as takeover,
    ):
        flow, pacer = takeover.flow(Owner.MONOLITH), Pacer(takeover.databases)
        until(lambda: things.sides.source.ask("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"))

        def behind() -> bool:
            things.sides.source.run("UPDATE thing SET note = 'more' WHERE id = 7")
            return pacer.next_gait(flow).because == "standby lag"

        until(lambda: not behind())
        standby.execute("SELECT pg_wal_replay_pause()")
        until(behind)
        assert "a standby is" in status(things.where).slow
        standby.execute("SELECT pg_wal_replay_resume()")
        until(lambda: not behind())
    assert status(things.where).slow == ""


def until(what: Callable[[], object]) -> None:
    """Try again, a bounded number of times, until it is so."""
    assert any(what() for _ in range(10_000))


def note(things: Things, owner: Owner) -> str | None:
    return next(note for number, _, note, _ in things.rows(owner) if number == 5)


def test_a_commit_that_waits_for_its_standby_arrives_once_it_is_visible(things, replicated):
    with things.open() as following:
        with a_commit_that_hangs(things, replicated):
            following.settle()
            things.sides.source.run("UPDATE thing SET note = 'meanwhile' WHERE id = 6")
            following.settle()
            assert note(things, Owner.MONOLITH) is note(things, Owner.SERVICE) is None
        following.settle()
    assert note(things, Owner.SERVICE) == "new"
    assert things.equal()


def test_the_fence_waits_for_a_commit_that_waits_for_its_standby_and_takes_it_along(things, replicated):
    waits: list[list[tuple]] = []

    def the_standby_comes_back(_seconds: float) -> None:
        waits.append(things.sides.source.ask(WAITING))
        replicated.configure(STANDBY_IS_BACK)

    patience = Patience(wait=0.2, tries=50, pause=the_standby_comes_back)
    with a_commit_that_hangs(things, replicated):
        cutover(replace(things.where, patience=patience), execute=True)
    assert waits
    assert len(waits[0]) == 1
    assert note(things, Owner.SERVICE) == "new"
    assert things.writable_sides() == [Owner.SERVICE]


def test_a_fence_whose_own_commit_waits_for_the_standby_lets_nobody_decide_before_it(things, replicated):
    """The other way round: every writer has ended, and it is the fence that is not replicated yet."""
    decided: list[bool] = []
    seen = threading.Event()

    def watch() -> None:
        while not things.sides.source.ask(WAITING):
            if seen.is_set():
                return
        owners = things.sides.target.ask("SELECT epoch FROM strangler.owner WHERE outcome = 'committed'")
        decided.append(any(epoch > 1 for (epoch,) in owners))
        replicated.configure(STANDBY_IS_BACK)

    replicated.configure(NOBODY)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        cutover(things.where, execute=True)
    finally:
        seen.set()
        watcher.join()
        replicated.configure(STANDBY_IS_BACK)
    assert decided == [False]
    assert things.writable_sides() == [Owner.SERVICE]
    with psycopg.connect(replicated.url) as late, pytest.raises(psycopg.DatabaseError) as refusal:
        late.execute("UPDATE thing SET note = 'late' WHERE id = 5")
    assert refusal.value.sqlstate == "SF001"
