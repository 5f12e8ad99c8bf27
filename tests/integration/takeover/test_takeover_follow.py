"""The follower is always exactly what the owner once was, whatever is written, in whatever order, when."""

import threading
from contextlib import closing
from dataclasses import dataclass, replace

import psycopg
import pytest

from proxy.routes import Owner
from strangler.takeover.carrying import Carrier
from strangler.takeover.engines import LeaseLost
from strangler.takeover.flow import mistrust, step
from strangler.takeover.postgres_schema import capture_functions
from tests.integration.takeover.things import Killed

CHANGES = {
    "a row changes before its chunk": "UPDATE thing SET note = 'new' WHERE id = 8",
    "a row changes after its chunk": "UPDATE thing SET note = 'new' WHERE id = 1",
    "a row goes": "DELETE FROM thing WHERE id = 1",
    "a row goes and comes again": "DELETE FROM thing WHERE id = 2;"
    " INSERT INTO thing (id, code) VALUES (2, 'again')",
    "a key changes forwards": "UPDATE thing SET id = 90 WHERE id = 1",
    "a key changes backwards": "UPDATE thing SET id = -5 WHERE id = 8; UPDATE thing SET"
    " parent_id = -5 WHERE id = 1",
    "keys change in a chain": "UPDATE thing SET id = 90 WHERE id = 1; UPDATE thing SET id = 1 WHERE id = 2",
    "keys are swapped": "UPDATE thing SET id = 90 WHERE id = 1; UPDATE thing SET id = 1 WHERE id = 8;"
    " UPDATE thing SET id = 8 WHERE id = 90; UPDATE thing SET parent_id = NULL",
    "a unique value moves": "UPDATE thing SET code = 'x' WHERE id = 1; UPDATE thing SET code ="
    " 'c1' WHERE id = 2;"
    " UPDATE thing SET code = 'c2' WHERE id = 1",
    "a unique value moves to a row that comes later": "UPDATE thing SET code = 'x' WHERE id = 1;"
    " INSERT INTO thing (id, code) VALUES (70, 'c1')",
    "all rows go": "UPDATE thing SET parent_id = NULL; DELETE FROM thing",
    "all rows change": "UPDATE thing SET note = 'n' || id",
    "keys at the edges": "INSERT INTO thing (id, code) VALUES (0, 'zero'), (-9223372036854775808, 'least'),"
    " (9223372036854775807, 'most')",
}


@dataclass
class Dying:
    """A carrier that dies when rows are to be inserted, the old ones being deleted."""

    carrier: Carrier

    def delete(self, into, pair, keys):
        return self.carrier.delete(into, pair, keys)

    def insert(self, into, pair, rows):
        raise Killed


@pytest.mark.parametrize("steps", [1, 9])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_arrives_before_in_and_after_the_backfill(things, change, steps):
    with things.open() as following:
        for _ in range(steps):
            following.step()
        things.sides.source.run(CHANGES[change])
        following.settle()
    assert things.equal()
    assert not things.verify().differing


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_every_step_leaves_what_is_copied_as_the_owner_was_at_that_moment(things, steps):
    with things.open() as following:
        for number in range(steps):
            things.sides.source.run(f"UPDATE thing SET note = 'round {number}'")
            following.step()
    there = things.rows(Owner.SERVICE)
    assert there == things.rows(Owner.MONOLITH)[: len(there)]
    assert len(there) == min(8, 2 * steps)


def test_a_step_that_is_killed_never_was_and_the_next_goes_on(things):
    with things.open() as following:
        following.step()
        before = things.rows(Owner.SERVICE), following.flow().checkpoint()
        things.sides.source.run("UPDATE thing SET note = 'new'")
        dying = replace(following.flow(), carrier=Dying(following.flow().carrier))
        with pytest.raises(Killed):
            step(dying, following.leases.service)
        assert (things.rows(Owner.SERVICE), following.flow().checkpoint()) == before
        following.settle()
    assert things.equal()


def test_running_start_again_goes_on_where_it_was_and_copies_nothing_twice(things):
    with things.open() as following:
        following.step()
        following.step()
    with things.open() as following:
        copied = 0
        while not (done := following.step()).settled:
            copied += done.copied
    assert copied == 4
    assert things.equal()


def test_a_second_process_takes_the_lease_and_the_first_can_apply_no_more(things):
    with things.open() as zombie:
        zombie.step()
        with things.open() as following:
            following.settle()
            things.sides.source.run("UPDATE thing SET note = 'new'")
            with pytest.raises(LeaseLost):
                zombie.step()
            following.settle()
    assert things.equal()


def test_a_capture_that_is_gone_makes_the_table_dirty_at_the_next_step(things):
    with things.open() as following:
        following.settle()
        if things.sides.source.is_sqlite:
            things.sides.source.run("DROP TRIGGER strangler_capture_update_thing")
        else:
            things.sides.source.run(
                "ALTER TABLE thing DISABLE TRIGGER ALL; ALTER TABLE thing ENABLE TRIGGER ALL"
            )
        done = following.step()
    assert "strangler_capture_update" in done.checkpoint.dirty["thing"]


def test_starting_again_copies_a_dirty_table_anew(things):
    things.copy()
    if things.sides.source.is_sqlite:
        things.sides.source.run(
            "DROP TRIGGER strangler_capture_update_thing; UPDATE thing SET note = 'unseen'"
        )
    else:
        things.sides.source.run("ALTER TABLE thing DISABLE TRIGGER ALL; UPDATE thing SET note = 'unseen'")
    with things.open() as following:
        assert not following.settle().checkpoint.dirty
    assert things.equal()


def test_a_follower_whose_fence_is_gone_gets_it_back_and_is_doubted(things):
    things.copy()
    with things.open() as following:
        with following.takeover.databases.service.transaction(following.leases.service) as into:
            into.lift_fence(following.flow().targets)
        assert things.writable(Owner.SERVICE)
        assert mistrust(following.flow(), following.leases.service, 1)
        assert "thing" in following.flow().checkpoint().dirty
    assert not things.writable(Owner.SERVICE)


def test_the_log_is_forgotten_once_it_is_applied(things):
    with things.open() as following:
        following.settle()
        things.sides.source.run("UPDATE thing SET note = 'new'")
        done = following.settle()
        with following.takeover.databases.monolith.transaction(following.leases.monolith) as into:
            into.forget_log(following.flow().sources, done.checkpoint.position)
        log = "strangler_log_thing" if things.sides.source.is_sqlite else "strangler.log_thing"
        assert things.sides.source.ask(f"SELECT count(*) FROM {log}") == [(0,)]
        things.sides.source.run("UPDATE thing SET note = 'newer' WHERE id = 3")
        following.settle()
    assert things.equal()


class TestPostgres:
    """What only PostgreSQL can do to a follower."""

    def test_a_lower_number_that_commits_later_is_not_lost(self, postgres_things):
        source = postgres_things.sides.source.url
        with postgres_things.open() as following:
            following.settle()
            with psycopg.connect(source) as early, psycopg.connect(source) as late:
                early.execute("SELECT pg_current_xact_id()")
                late.execute("UPDATE thing SET note = 'late' WHERE id = 2")
                late.commit()
                following.settle()
                early.execute("UPDATE thing SET note = 'early' WHERE id = 1")
                early.commit()
            following.settle()
        assert postgres_things.equal()

    def test_the_last_committer_wins_whatever_the_numbers_say(self, postgres_things):
        source = postgres_things.sides.source.url
        with postgres_things.open() as following:
            following.settle()
            with psycopg.connect(source) as low, psycopg.connect(source) as high:
                low.execute("SELECT pg_current_xact_id()")
                high.execute("UPDATE thing SET note = 'first' WHERE id = 1")
                high.commit()
                low.execute("UPDATE thing SET note = 'second' WHERE id = 1")
                low.commit()
            following.settle()
        assert postgres_things.rows(Owner.SERVICE)[0][2] == "second"

    def test_an_open_transaction_elsewhere_holds_nothing_up(self, postgres_things):
        source = postgres_things.sides.source.url
        with postgres_things.open() as following, psycopg.connect(source) as idle:
            idle.execute("SELECT pg_current_xact_id()")
            postgres_things.sides.source.run("UPDATE thing SET note = 'new'")
            following.settle()
            assert postgres_things.equal()

    def test_the_log_of_a_transaction_that_is_open_is_kept_until_it_is_applied(self, postgres_things):
        source = postgres_things.sides.source.url
        with postgres_things.open() as following:
            following.settle()
            with psycopg.connect(source) as writer:
                writer.execute("UPDATE thing SET note = 'open' WHERE id = 4")
                done = following.settle()
                monolith = following.takeover.databases.monolith
                with monolith.transaction(following.leases.monolith) as into:
                    into.forget_log(following.flow().sources, done.checkpoint.position)
            following.settle()
        assert postgres_things.equal()

    @pytest.mark.parametrize("how", ["TRUNCATE thing", "TRUNCATE thing CASCADE"])
    @pytest.mark.parametrize("steps", [1, 9])
    def test_truncate_empties_the_follower_in_the_same_step(self, postgres_things, how, steps):
        with postgres_things.open() as following:
            for _ in range(steps):
                following.step()
            postgres_things.sides.source.run(how)
            following.step()
            assert postgres_things.rows(Owner.SERVICE) == []
            postgres_things.sides.source.run("INSERT INTO thing (id, code) VALUES (1, 'c1')")
            following.settle()
        assert postgres_things.equal()
        assert not postgres_things.verify().differing

    def test_a_truncate_that_is_rolled_back_empties_nothing(self, postgres_things):
        with postgres_things.open() as following:
            following.settle()
            with psycopg.connect(postgres_things.sides.source.url) as connection:
                connection.execute("TRUNCATE thing")
                connection.rollback()
            assert following.step().settled
        assert len(postgres_things.rows(Owner.SERVICE)) == 8

    def test_foreign_keys_are_back_and_checked_once_everything_is_copied(self, postgres_things):
        keys = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'thing'::regclass AND contype = 'f'"
        with postgres_things.open() as following:
            following.step()
            assert postgres_things.sides.target.ask(keys) == [(0,)]
            following.settle()
        assert postgres_things.sides.target.ask(keys) == [(1,)]

    def test_replicas_and_superusers_are_captured_too(self, postgres_things):
        with postgres_things.open() as following:
            following.settle()
            postgres_things.sides.source.run(
                "SET session_replication_role = replica; UPDATE thing SET note = 'replica'"
            )
            following.settle()
        assert postgres_things.equal()

    def test_a_writer_without_any_right_on_the_kits_tables_can_write(self, postgres_things):
        source = postgres_things.sides.source
        role = f"plain_{abs(hash(source.url)) % 10**8}"
        source.run(f"CREATE ROLE {role}; GRANT SELECT, UPDATE ON thing TO {role}")
        try:
            with postgres_things.open() as following:
                following.settle()
                source.run(f"SET ROLE {role}; UPDATE thing SET note = 'plain'")
                following.settle()
            assert postgres_things.equal()
        finally:
            source.run(f"DROP OWNED BY {role}; DROP ROLE {role}")

    def test_writers_in_many_threads_lose_nothing(self, postgres_things):
        stop = threading.Event()

        def write(number: int) -> None:
            with closing(psycopg.connect(postgres_things.sides.source.url, autocommit=True)) as connection:
                turn = 0
                while not stop.is_set():
                    turn += 1
                    key = number * 100_000 + turn
                    connection.execute("INSERT INTO thing (id, code) VALUES (%s, %s)", [key, str(key)])
                    connection.execute("UPDATE thing SET note = %s WHERE id = %s", [str(turn), key])
                    if turn % 3 == 0:
                        connection.execute("DELETE FROM thing WHERE id = %s", [key - 1])
                    if turn % 5 == 0:
                        connection.execute("UPDATE thing SET id = -id WHERE id = %s", [key])

        writers = [threading.Thread(target=write, args=(number,)) for number in (1, 2, 3)]
        with postgres_things.open() as following:
            for writer in writers:
                writer.start()
            for _ in range(60):
                following.step()
            stop.set()
            for writer in writers:
                writer.join()
            following.settle()
        assert postgres_things.equal()
        assert not postgres_things.verify().differing


def test_the_keys_of_one_statement_are_one_entry_of_the_log_and_those_of_a_long_one_several(postgres_things):
    source = postgres_things.sides.source
    with postgres_things.open() as following:
        following.settle()
        shape = following.flow().sources[0]
        source.run("UPDATE thing SET note = 'once'")
        assert source.ask("SELECT cardinality(id) FROM strangler.log_thing") == [(8,)]
        for function in capture_functions(shape, keys_an_entry=3):
            source.run(function.as_string())
        source.run("DELETE FROM strangler.log_thing; UPDATE thing SET note = 'in parts'")
        parts = source.ask("SELECT cardinality(id) FROM strangler.log_thing ORDER BY 1 DESC")
        assert parts == [(3,), (3,), (2,)]
        assert following.step().changed == 8
    assert postgres_things.equal()


@pytest.mark.parametrize(
    "statement", ["UPDATE thing SET note = 'n' WHERE id < 0", "DELETE FROM thing WHERE id < 0"]
)
def test_a_statement_that_meets_no_row_is_not_logged(postgres_things, statement):
    with postgres_things.open() as following:
        following.settle()
        postgres_things.sides.source.run(statement)
        assert postgres_things.sides.source.ask("SELECT count(*) FROM strangler.log_thing") == [(0,)]


SETS_KEYS = """
CREATE FUNCTION far() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := NEW.id + 100; RETURN NEW; END $$;
CREATE TRIGGER far BEFORE UPDATE ON thing FOR EACH ROW WHEN (NEW.note = 'far') EXECUTE FUNCTION far()
"""


def test_a_key_that_a_trigger_changes_is_captured(postgres_things):
    postgres_things.sides.source.run(SETS_KEYS)
    with postgres_things.open() as following:
        following.settle()
        postgres_things.sides.source.run("UPDATE thing SET note = 'far' WHERE id = 2")
        following.settle()
    assert postgres_things.equal()
    assert (102,) in postgres_things.sides.target.ask("SELECT id FROM thing")


def test_a_trigger_that_may_change_keys_and_comes_after_the_capture_makes_the_table_dirty(postgres_things):
    with postgres_things.open() as following:
        following.settle()
        postgres_things.sides.source.run(SETS_KEYS + "; UPDATE thing SET note = 'far' WHERE id = 2")
        assert "far came after the capture" in following.step().checkpoint.dirty["thing"]
    with postgres_things.open() as following:
        assert not following.settle().checkpoint.dirty
        postgres_things.sides.source.run("UPDATE thing SET note = 'far' WHERE id = 3")
        following.settle()
    assert postgres_things.equal()
