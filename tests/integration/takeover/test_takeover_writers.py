"""Who writes in the monolith is known before a cutover leaves anybody behind."""

import json
import sqlite3
from contextlib import closing

import psycopg
import pytest
from click.testing import CliRunner

from proxy.routes import Owner
from strangler import errors
from strangler.audit import Audit
from strangler.cli import main
from strangler.takeover.cancel import cancel
from strangler.takeover.cutover import cutover
from strangler.takeover.rollback import rollback
from strangler.takeover.writers import Change, note_writers
from tests.integration.takeover.sides import ROUTES
from tests.integration.takeover.things import Things

WRITE = "UPDATE thing SET note = 'w' WHERE id = 1"


def write(things: Things, statement: str = WRITE) -> None:
    things.side(Owner.MONOLITH).run(statement)


def looking(things: Things) -> Things:
    """Copy everything, then note who writes."""
    things.copy()
    assert note_writers(things.where, Change.START).noting
    return things


def names(things: Things) -> list[str]:
    return [writer.name for writer in note_writers(things.where).writers]


def test_nobody_is_noted_before_the_takeover_was_started(things):
    with pytest.raises(errors.NotStarted):
        note_writers(things.where, Change.START)


def test_nobody_is_noted_once_the_service_owns(things):
    things.copy()
    cutover(things.where, execute=True)
    with pytest.raises(errors.WrongOwner):
        note_writers(things.where, Change.START)


def test_a_cutover_that_would_leave_a_writer_behind_is_refused_and_names_it(things):
    looking(things)
    write(things)
    (name,) = names(things)
    for execute in (False, True):
        with pytest.raises(errors.WritersRemain) as refusal:
            cutover(things.where, execute=execute)
        assert f"{name}: thing, last " in refusal.value.message
        assert "strangler takeover cutover catalog --known" in refusal.value.next
    assert things.writable_sides() == [Owner.MONOLITH]


def test_an_acknowledged_writer_does_not_stop_a_cutover(things):
    looking(things)
    write(things)
    report = cutover(things.where, execute=True, known=names(things))
    assert [writer.route for writer in report.noted.writers] == [None]
    assert things.writable_sides() == [Owner.SERVICE]


def test_a_forced_cutover_leaves_writers_behind(things):
    looking(things)
    write(things)
    cutover(things.where, execute=True, forced=True)
    assert things.writable_sides() == [Owner.SERVICE]


def test_who_is_acknowledged_must_have_been_seen(things):
    looking(things)
    with pytest.raises(errors.UnknownWriter, match="no writer 'cron' was seen"):
        cutover(things.where, execute=True, known=["cron"])


def test_a_cutover_where_nobody_looked_goes_on_and_says_so(things):
    things.copy()
    write(things)
    report = cutover(things.where, execute=True)
    assert (report.noted.noting, report.noted.writers) == (False, ())


def test_noting_refuses_nothing_and_keeps_one_row_a_writer(things):
    looking(things)
    for number in range(20):
        write(things, f"INSERT INTO thing (id, code) VALUES ({number + 100}, 'n{number}')")
    write(things, "DELETE FROM thing WHERE id >= 100")
    (writer,) = note_writers(things.where).writers
    assert [(seen.table, seen.times) for seen in writer.seen] == [("thing", 1)]
    assert things.side(Owner.MONOLITH).ids("thing") == list(range(1, 9))


def test_a_statement_that_decides_conflicts_by_itself_is_noted_and_keeps_its_meaning(things):
    looking(things)
    write(things)
    write(things, "INSERT INTO thing (id, code) VALUES (1, 'c1') ON CONFLICT DO NOTHING")
    if things.sides.source.is_sqlite:
        write(things, "INSERT OR REPLACE INTO thing (id, code) VALUES (9, 'c9')")
        write(things, "INSERT OR IGNORE INTO thing (id, code) VALUES (10, 'c9')")
    assert len(names(things)) == 1


def test_starting_again_forgets_who_was_seen_and_stopping_does_not(things):
    looking(things)
    write(things)
    assert not note_writers(things.where, Change.STOP).noting
    assert len(names(things)) == 1
    assert note_writers(things.where, Change.START).writers == ()


def test_nobody_is_noted_any_more_once_stopped(things):
    looking(things)
    note_writers(things.where, Change.STOP)
    write(things)
    assert names(things) == []


def test_the_kit_itself_is_never_noted(things):
    looking(things)
    cutover(things.where, execute=True)
    rollback(things.where, execute=True)
    assert names(things) == []


def test_cutover_and_cancel_end_the_noting(things):
    looking(things)
    cancel(things.where, execute=True)
    write(things)
    looking(things)
    cutover(things.where, execute=True)
    rollback(things.where, execute=True)
    write(things)
    report = note_writers(things.where)
    assert (report.noting, report.writers) == (False, ())


def test_noting_does_not_disturb_capture_nor_verification(things):
    looking(things)
    write(things)
    assert not things.verify().differing
    assert things.equal()


class TestPostgres:
    """What PostgreSQL knows of a connection, and that noting it never makes anybody wait."""

    def test_role_application_and_address_are_told(self, postgres_things):
        looking(postgres_things)
        with psycopg.connect(postgres_things.sides.source.url, application_name="nightly.sh") as job:
            job.execute(WRITE)
        ((seen,),) = (writer.seen for writer in note_writers(postgres_things.where).writers)
        assert (seen.application, seen.role) == ("nightly.sh", job_role(postgres_things))
        assert seen.name == f"nightly.sh as {seen.role} from {seen.address}"

    def test_a_statement_of_no_row_and_truncate_are_noted(self, postgres_things):
        looking(postgres_things)
        for application, statement in (("none", "DELETE FROM thing WHERE false"), ("all", "TRUNCATE thing")):
            with psycopg.connect(postgres_things.sides.source.url, application_name=application) as job:
                job.execute(statement)
        assert {name.split()[0] for name in names(postgres_things)} == {"none", "all"}

    @pytest.mark.parametrize("level", list(psycopg.IsolationLevel))
    def test_two_open_transactions_neither_wait_nor_fail(self, postgres_things, level):
        looking(postgres_things)
        url = postgres_things.sides.source.url
        write(postgres_things)  # a note that both want to renew
        ages(url)
        with psycopg.connect(url) as one, psycopg.connect(url) as two:
            for each in (one, two):
                each.isolation_level = level
                each.execute("SET lock_timeout = '1s'")
                each.execute("SET enable_seqscan = off")  # a whole table that was read conflicts by itself
            for round_ in range(2):
                for number, each in enumerate((one, two), start=1):
                    each.execute(f"UPDATE thing SET note = 'x' WHERE id = {number + 2 * round_}")
                    ages(url)
            one.commit()
            two.commit()
        (writer,) = note_writers(postgres_things.where).writers
        assert len(writer.seen) == 1

    def test_a_full_table_takes_nobody_more_and_refuses_nobody(self, postgres_things):
        looking(postgres_things)
        postgres_things.sides.source.run(
            "INSERT INTO strangler.writer (takeover, relation, process, role, application, address)"
            " SELECT 'other', '', repeat('x', 1000), '', '', n::text FROM generate_series(1, 10000) n"
        )
        write(postgres_things)
        assert names(postgres_things) == []


def job_role(things: Things) -> str:
    return things.sides.source.ask("SELECT session_user")[0][0]


def ages(url: str) -> None:
    """Let every note that can be touched be older than what is noted anew."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE strangler.writer SET last_seen = last_seen - interval '60 s' WHERE id IN"
            " (SELECT id FROM strangler.writer FOR UPDATE SKIP LOCKED)"
        )


class TestSqlite:
    """A process says who it is by a function that its connection answers."""

    def test_a_process_that_nobody_named_is_somebody(self, sqlite_things):
        looking(sqlite_things)
        file = sqlite_things.sides.source.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(WRITE)
            connection.commit()
        assert names(sqlite_things) == ["somebody"]

    def test_the_command_lists_refuses_and_records_who_was_acknowledged(self, sqlite_things, tmp_path):
        looking(sqlite_things)
        write(sqlite_things)
        table = tmp_path / "proxy" / "routes.toml"
        table.parent.mkdir()
        table.write_text(ROUTES.format(owner="monolith").replace('["shop_item", "shop_shelf"]', '["thing"]'))
        environment = {"STRANGLER_ROOT": str(tmp_path), "STRANGLER_VAR": str(tmp_path / "var")}

        def command(*arguments: str):
            words = ["takeover", *arguments]
            return CliRunner().invoke(main, words, env=environment | sqlite_things.sides.environ)

        shown = command("writers", "catalog").output
        assert "no route  somebody: thing, last " in shown
        refused = command("cutover", "catalog", "--execute", "--json")
        assert (refused.exit_code, json.loads(refused.output)["error"]["id"]) == (2, "S423")
        done = command("cutover", "catalog", "--execute", "--known", "somebody")
        assert done.exit_code == 0, done.output
        change = next(Audit(tmp_path / "var" / "audit.jsonl").read().changes).record
        assert change.known == ("somebody",)
