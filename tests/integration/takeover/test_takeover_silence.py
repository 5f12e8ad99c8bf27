"""A database that falls silent: packets are swallowed, nobody hangs up. Nobody waits for ever, and only that
database decides.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
import pytest

from proxy.routes import Owner
from strangler.errors import TargetRefusedRows, Undecided
from strangler.takeover.cutover import cutover
from strangler.takeover.engines import Engine
from strangler.takeover.handover import Where, opened
from strangler.takeover.postgres import PostgresStore
from strangler.takeover.postgres_transaction import PostgresTransaction
from strangler.takeover.postgres_watch import Watch
from strangler.takeover.resume import resume
from strangler.takeover.situation import State, situation
from strangler.takeover.state import Lease
from strangler.takeover.status import status
from strangler.takeover.switch import Reached, Step, nobody_cares
from strangler.takeover.sync import Follower
from tests.integration.takeover.cutting import Network
from tests.integration.takeover.sides import Side
from tests.integration.takeover.things import AT_ONCE, Things, at
from tests.relay import Relay, relayed, tcp_options

SILENCE = 2.0  # what lives on a busy machine is never silent for so long
SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE INSERT ON thing FOR EACH ROW EXECUTE FUNCTION slow();
"""
LATE = "UPDATE thing SET note = 'acknowledged'"
ADDRESSES = {"": (1, 10, 5, 4, 30_000), "&tcp_user_timeout=7000&keepalives_idle=3": (1, 3, 5, 4, 7_000)}
VARIABLES = {Owner.MONOLITH: "MONOLITH_DATABASE_URL", Owner.SERVICE: "CATALOG_DATABASE_URL"}


@dataclass(frozen=True)
class Far:
    """Things of which one side is reached through a relay, by the kit alone."""

    things: Things
    relay: Relay
    away: Owner

    def where(self, reached: Reached = nobody_cares, *, more: str = "") -> Where:
        """Return what the verbs take. `more` goes to the address."""
        near = self.things.where
        environ = {**near.environ, VARIABLES[self.away]: self.relay.url + more}
        patience = replace(AT_ONCE, silence=SILENCE)
        return replace(near, environ=environ, patience=patience, reached=reached)


@contextmanager
def far(things: Things, away: Owner) -> Iterator[Far]:
    """Copy everything, change it once more, and put one side far away."""
    things.copy()
    things.sides.source.run(LATE)
    with relayed(things.side(away).url) as relay:
        yield Far(things, relay, away)


def settled(things: Things, owner: Owner) -> bool:
    """Return whether one side owns, alone, with all that was written."""
    with opened(things.where) as takeover:
        now = situation(takeover)
    kept = {note for _, _, note, _ in things.rows(owner)} == {"acknowledged"}
    return kept and now.sound and now.owner is owner and things.writable_sides() == [owner]


@pytest.mark.parametrize("step", [Step.HELD, Step.FENCED, Step.DRAINED])
def test_an_owner_to_be_that_falls_silent_leaves_the_decision_to_it_and_resume_finishes(
    postgres_things, step
):
    with far(postgres_things, Owner.SERVICE) as there:
        with pytest.raises(
            Undecided, match=r"does not answer \(connection timeout expired\), so nobody knows"
        ):
            cutover(there.where(at(step, there.relay.swallow)), execute=True)
        assert postgres_things.writable_sides() == []
        there.relay.mend()
        resumed = resume(there.where(), execute=True)
    assert (resumed.found, resumed.owner) == (State.FENCED, Owner.SERVICE)
    assert settled(postgres_things, Owner.SERVICE)


@pytest.mark.parametrize("step", [Step.HELD, Step.FENCED])
def test_an_owner_that_falls_silent_behind_its_fence_keeps_the_ownership_and_resume_opens_it(
    postgres_things, step
):
    with far(postgres_things, Owner.MONOLITH) as there:
        with pytest.raises(Undecided, match="was given up, but the monolith's database does not answer"):
            cutover(there.where(at(step, there.relay.swallow)), execute=True)
        there.relay.mend()
        assert resume(there.where(), execute=True).owner is Owner.MONOLITH
    assert settled(postgres_things, Owner.MONOLITH)


def test_a_commit_whose_answer_is_swallowed_is_found_decided(postgres_things):
    with far(postgres_things, Owner.SERVICE) as there:
        swallow = at(Step.DRAINED, lambda: there.relay.swallow_the_answer_to(b"COMMIT"))
        with pytest.raises(Undecided, match="so nobody knows whether epoch 2"):
            cutover(there.where(swallow), execute=True)
        assert postgres_things.writable_sides() == [Owner.SERVICE]
        there.relay.mend()
        resumed = resume(there.where(), execute=True)
    assert (resumed.found, resumed.owner) == (State.UNADOPTED, Owner.SERVICE)
    assert settled(postgres_things, Owner.SERVICE)


def test_a_commit_whose_answer_alone_is_lost_is_known_to_be_decided(postgres_things):
    with far(postgres_things, Owner.SERVICE) as there:
        swallow = at(Step.DRAINED, lambda: there.relay.swallow_the_answer_to(b"COMMIT", heals=True))
        with pytest.raises(Undecided, match="is decided: the service owns"):
            cutover(there.where(swallow), execute=True)
        assert resume(there.where(), execute=True).found is State.UNADOPTED
    assert settled(postgres_things, Owner.SERVICE)


@pytest.mark.parametrize("step", [Step.DRAINED, Step.COMMITTED])
def test_an_old_owner_that_falls_silent_once_all_is_drained_changes_nothing_of_the_decision(
    postgres_things, step
):
    with far(postgres_things, Owner.MONOLITH) as there:
        with pytest.raises(Undecided, match="is decided: the service owns"):
            cutover(there.where(at(step, there.relay.swallow)), execute=True)
        assert postgres_things.writable_sides() == [Owner.SERVICE]
        there.relay.mend()
        assert resume(there.where(), execute=True).found is State.UNADOPTED
    assert settled(postgres_things, Owner.SERVICE)


def test_a_fence_whose_answer_alone_is_lost_is_lifted_again_at_once(postgres_things):
    with far(postgres_things, Owner.MONOLITH) as there:
        swallow = at(Step.HELD, lambda: there.relay.swallow_the_answer_to(b"COMMIT", heals=True))
        with pytest.raises(TargetRefusedRows, match="said nothing for 2 s"):
            cutover(there.where(swallow), execute=True)
    assert settled(postgres_things, Owner.MONOLITH)


def test_a_change_that_would_take_too_long_is_given_up_at_once_by_a_server_that_lives(postgres_things):
    with far(postgres_things, Owner.SERVICE) as there:

        def grow_slow() -> None:
            postgres_things.sides.target.run(SLOW)
            postgres_things.sides.source.run(LATE)

        with pytest.raises(TargetRefusedRows, match="canceling statement due to statement timeout"):
            cutover(there.where(at(Step.HELD, grow_slow)), execute=True)
    assert settled(postgres_things, Owner.MONOLITH)


@pytest.mark.parametrize("away", list(Owner))
def test_a_follower_cut_off_in_silence_says_so_and_follows_again(postgres_things, away):
    said: list[str] = []
    with far(postgres_things, away) as there:
        follower = Follower(there.where(more="&tcp_user_timeout=500"), lambda _group, text: said.append(text))
        try:
            follower.turn()
            assert postgres_things.equal()
            there.relay.swallow()
            follower.turn()
            assert "cut off, and tries again every 2 s: the database" in said[-1]
            if away is Owner.MONOLITH:  # where it is kept is near
                assert status(postgres_things.where).refused == said[-1]
            follower.turn()
            assert "does not open: connection timeout expired" in said[-1]
            there.relay.mend()
            postgres_things.sides.source.run("UPDATE thing SET note = 'later'")
            for _ in range(2):
                follower.turn()
        finally:
            follower.close()
    assert postgres_things.equal()
    assert status(postgres_things.where).refused == ""


@pytest.mark.parametrize("allowed", [True, False], ids=["given", "refused"])
def test_a_server_that_answers_for_another_connection_may_think_as_long_as_it_likes(postgres, allowed):
    answers: list[object] = []
    side = Side(postgres.fresh())
    with relayed(side.url) as relay, psycopg.connect(side.url) as busy:
        busy.execute("SELECT pg_advisory_xact_lock(7)")
        connection = Watch(f"{relay.url}&tcp_user_timeout=300").connect()
        Network(postgres).allow(side, allowed=allowed)

        def ask() -> None:
            answers.append(connection.execute("SELECT pg_advisory_lock(7)::text").fetchone())

        asking = threading.Thread(target=ask)
        asking.start()
        while relay.taken < 4:  # its own, and then it asked three times whether anybody is there
            assert asking.is_alive()
        busy.commit()
        asking.join()
        connection.close()
    assert answers == [("",)]


def test_rows_that_stop_coming_end_the_copy(postgres):
    database = postgres.fresh()
    with relayed(database) as relay:
        store = PostgresStore(f"{relay.url}&tcp_user_timeout=500")
        assert store.engine is Engine.POSTGRESQL
        with psycopg.connect(database, autocommit=True) as near:
            near.execute("CREATE TABLE much (id bigint PRIMARY KEY, body text)")
            near.execute("INSERT INTO much SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) n")
        shape = store.shape("much")
        assert shape is not None
        with store.snapshot() as moment:
            blocks = moment.chunk(shape, ("id", "body"), None, None, ordered=False).blocks()
            assert next(blocks)
            relay.swallow()
            with pytest.raises(psycopg.OperationalError, match="said nothing for"):
                for _ in blocks:
                    pass
        store.close()


def test_a_connection_has_what_its_address_says_and_else_what_the_kit_says(postgres):
    with relayed(postgres.fresh()) as relay:
        for own, wanted in ADDRESSES.items():
            with Watch(relay.url + own).connect() as connection:
                assert tcp_options(connection) == wanted


def test_whoever_keeps_writers_out_and_stops_is_ended_by_the_server(postgres_things):
    postgres_things.copy()
    with opened(postgres_things.where) as takeover:
        shapes = takeover.flow(Owner.MONOLITH).sources
    with psycopg.connect(postgres_things.sides.source.url) as connection:
        into = PostgresTransaction(connection, Lease("catalog", 1, ""), lambda _tables, _readers: ())
        into.lock_out_writers(shapes)
        assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("10s",)
