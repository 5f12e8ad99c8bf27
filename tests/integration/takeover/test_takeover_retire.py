"""The one-way step: the monolith's copy becomes an archive, whoever dies when, and nobody writes it."""

import sqlite3
from dataclasses import replace
from datetime import date

import psycopg
import pytest
from psycopg import sql

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.cancel import cancel
from strangler.takeover.cutover import cutover
from strangler.takeover.drop_archive import drop_archive
from strangler.takeover.plan import plan
from strangler.takeover.retire import Asked, RetireStep, retire
from strangler.takeover.rollback import rollback
from strangler.takeover.start import start
from strangler.takeover.status import status
from strangler.takeover.sync import Follower
from strangler.takeover.verify import verify
from tests.integration.takeover.sides import Side, Sides
from tests.integration.takeover.things import Killed, Things, killing

TODAY = date(2026, 1, 9)
ARCHIVE = "thing_retired_20260109"
YES = Asked(confirmed="thing", execute=True)


@pytest.fixture
def owned(things) -> Things:
    """A takeover whose service owns since a moment ago."""
    return own(things)


def own(things: Things) -> Things:
    things.copy()
    cutover(things.where, execute=True)
    things.side(Owner.SERVICE).run("UPDATE thing SET note = 'last' WHERE id = 3")
    return things


def refer_to_things(things: Things) -> None:
    kind = "INTEGER" if things.sides.source.is_sqlite else "bigint"
    things.sides.source.run(
        f"CREATE TABLE line (id {kind} PRIMARY KEY,"
        " thing_id bigint REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO line VALUES (1, 3)"
    )


def tables(side: Side) -> set[str]:
    """Return the tables that are called like the thing."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'thing%'"
        if side.is_sqlite
        else "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'thing%'"
    )
    return {name for (name,) in side.ask(query)}


def archived(things: Things) -> list[tuple]:
    """Return the archive's rows."""
    return things.sides.source.ask(f"SELECT id, code, note, parent_id FROM {ARCHIVE} ORDER BY id")


def refuses_writes(side: Side, table: str) -> bool:
    try:
        side.run(f"UPDATE {table} SET note = 'x' WHERE id = 1")
    except (sqlite3.IntegrityError, psycopg.DatabaseError) as refusal:
        return f"strangler: table {table} moved (takeover catalog, epoch 2)" in str(refusal)
    return False


def test_retiring_wants_the_service_as_owner(things):
    things.copy()
    with pytest.raises(errors.WrongOwner, match="wanted the service"):
        retire(things.where, YES, TODAY)


@pytest.mark.parametrize("said", ["", "catalog", "thing,other"])
def test_retiring_wants_the_tables_names(owned, said):
    with pytest.raises(errors.NotConfirmed) as refusal:
        retire(owned.where, Asked(confirmed=said, keep_owner=True, execute=True), TODAY)
    assert refusal.value.next == "strangler takeover retire catalog --keep-owner --execute --confirm thing"
    assert tables(owned.sides.source) == {"thing"}


def test_without_execute_retiring_only_says_what_it_would_do(owned):
    report = retire(owned.where, Asked(confirmed="thing"), TODAY)
    assert (report.archived, report.executed) == ({"thing": ARCHIVE}, False)
    assert tables(owned.sides.source) == {"thing"}
    assert status(owned.where).phase == "service"


def test_an_archive_has_every_row_another_name_and_a_fence(owned):
    for _ in range(2):
        retire(owned.where, YES, TODAY)
    assert archived(owned) == owned.rows(Owner.SERVICE)
    assert tables(owned.sides.source) == {ARCHIVE}
    assert refuses_writes(owned.sides.source, ARCHIVE)
    found = status(owned.where)
    assert (found.phase, found.fenced, found.kept) == ("retired", True, (ARCHIVE,))


@pytest.mark.parametrize("step", RetireStep)
def test_a_retirement_that_was_killed_goes_on_where_it_was(owned, step):
    with pytest.raises(Killed):
        retire(owned.where, YES, TODAY, killing(step))
    assert tables(owned.sides.source) == ({ARCHIVE} if step is RetireStep.ARCHIVED else {"thing"})
    assert status(owned.where).phase == ("service" if step is RetireStep.PROVED else "retired")
    assert status(owned.where).fenced
    tomorrow = TODAY if step is RetireStep.PROVED else date(2026, 1, 10)
    retire(owned.where, YES, tomorrow)
    assert archived(owned) == owned.rows(Owner.SERVICE)
    assert refuses_writes(owned.sides.source, ARCHIVE)
    assert owned.writable(Owner.SERVICE)


def test_a_retired_group_has_no_other_verb(owned):
    retire(owned.where, YES, TODAY)
    where = owned.where
    place = (where.routes, "catalog", where.environ, where.var)
    for verb in (
        lambda: rollback(where, execute=True),
        lambda: cutover(where, execute=True),
        lambda: cancel(where, execute=True),
        lambda: verify(*place),
        lambda: plan(*place),
        lambda: start(*place, execute=True),
    ):
        with pytest.raises(errors.WrongOwner, match="for good"):
            verb()
    assert archived(owned) == owned.rows(Owner.SERVICE)


def test_a_follower_that_was_at_work_ends_with_the_retirement(owned):
    told: list[str] = []
    follower = Follower(owned.where, lambda _group, text: told.append(text))
    while follower.turn() == 0.0:
        pass
    retire(owned.where, YES, TODAY)
    owned.side(Owner.SERVICE).run("UPDATE thing SET note = 'later' WHERE id = 3")
    for _ in range(3):
        follower.turn()
    follower.close()
    assert "retired" in told[-1]
    assert (3, "c3", "last", None) in archived(owned)


def test_tables_that_others_refer_to_are_named_and_nothing_is_retired(owned):
    refer_to_things(owned)
    for execute in (False, True):
        with pytest.raises(errors.ReferredTo, match=r"thing: line\.thing_id"):
            retire(owned.where, replace(YES, execute=execute), TODAY)
    assert status(owned.where).phase == "service"


def test_tables_that_others_refer_to_may_stay_in_place_until_nobody_does(owned):
    refer_to_things(owned)
    report = retire(owned.where, replace(YES, keep_referred=True), TODAY)
    assert (report.archived, report.in_place) == ({}, {"thing": ("line.thing_id",)})
    assert refuses_writes(owned.sides.source, "thing")
    assert status(owned.where).kept == ("thing",)
    owned.sides.source.run("INSERT INTO line VALUES (2, 4)")
    with pytest.raises(errors.ReferredTo):
        retire(owned.where, YES, TODAY)
    assert drop_archive(owned.where, "thing", execute=True).tables == ()
    owned.sides.source.run("DROP TABLE line")
    retire(owned.where, YES, TODAY)
    assert tables(owned.sides.source) == {ARCHIVE}


def test_only_an_archive_is_dropped_and_only_by_its_name(owned):
    with pytest.raises(errors.WrongOwner, match="not retired"):
        drop_archive(owned.where, "thing", execute=True)
    retire(owned.where, YES, TODAY)
    assert drop_archive(owned.where, ARCHIVE, execute=False).tables == (ARCHIVE,)
    with pytest.raises(errors.NotConfirmed, match="archived tables"):
        drop_archive(owned.where, "thing", execute=True)
    assert archived(owned) == owned.rows(Owner.SERVICE)
    for left in ((ARCHIVE,), ()):
        assert drop_archive(owned.where, ARCHIVE, execute=True).tables == left
    assert tables(owned.sides.source) == set()
    assert status(owned.where).kept == ()
    assert owned.writable(Owner.SERVICE)


def test_an_archive_is_dropped_whole_or_not_at_all(owned):
    retire(owned.where, YES, TODAY)

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        drop_archive(owned.where, ARCHIVE, execute=True, ending=die)
    assert archived(owned) == owned.rows(Owner.SERVICE)
    drop_archive(owned.where, ARCHIVE, execute=True)
    assert tables(owned.sides.source) == set()


def test_a_new_table_of_the_old_name_is_neither_archived_nor_dropped(owned):
    retire(owned.where, YES, TODAY)
    owned.sides.source.run("CREATE TABLE thing (id bigint)")
    retire(owned.where, YES, TODAY)
    drop_archive(owned.where, ARCHIVE, execute=True)
    retire(owned.where, YES, TODAY)
    assert drop_archive(owned.where, ARCHIVE, execute=True).tables == ()
    assert tables(owned.sides.source) == {"thing"}


def test_an_archive_that_others_came_to_refer_to_is_not_dropped(owned):
    retire(owned.where, YES, TODAY)
    owned.sides.source.run(f"CREATE TABLE line (thing_id bigint REFERENCES {ARCHIVE} (id))")
    with pytest.raises(errors.ReferredTo, match=r"line\.thing_id"):
        drop_archive(owned.where, ARCHIVE, execute=True)
    assert archived(owned) == owned.rows(Owner.SERVICE)


class TestPostgres:
    """Who owns an archive, where databases know owners."""

    @pytest.fixture
    def owned(self, postgres_things) -> Things:
        """A takeover whose service owns, its table in the monolith's database owned by a role of its own."""
        self.make_role(postgres_things.sides.source)
        postgres_things.sides.source.run(
            "ALTER TABLE thing OWNER TO strangler_test_shop;"
            " GRANT CREATE ON SCHEMA public TO strangler_test_shop"
        )
        return own(postgres_things)

    def make_role(self, side: Side) -> None:
        """Make the monolith's role where there is none: roles are of the server, not of the database."""
        side.run(
            "DO $$ BEGIN CREATE ROLE strangler_test_shop LOGIN;"
            " EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        )

    def as_shop(self, things: Things, statement: str) -> None:
        """Run a statement as the monolith."""
        with psycopg.connect(things.sides.source.url, autocommit=True) as connection:
            connection.execute("SET SESSION AUTHORIZATION strangler_test_shop")
            connection.execute(sql.SQL(statement))

    def owner(self, things: Things, table: str) -> str:
        return things.sides.source.ask(
            f"SELECT relowner::regrole::text FROM pg_class WHERE relname = '{table}'"
        )[0][0]

    def test_the_monolith_may_read_an_archive_and_neither_open_nor_migrate_it(self, owned):
        self.as_shop(owned, "ALTER TABLE thing DISABLE TRIGGER aaa_strangler_fence")
        owned.sides.source.run("ALTER TABLE thing ENABLE ALWAYS TRIGGER aaa_strangler_fence")
        assert retire(owned.where, YES, TODAY).still_able == ()
        self.as_shop(owned, f"SELECT * FROM {ARCHIVE}")
        for statement in (
            f"ALTER TABLE {ARCHIVE} DISABLE TRIGGER aaa_strangler_fence",
            f"DROP TRIGGER aaa_strangler_fence ON {ARCHIVE}",
            f"ALTER TABLE {ARCHIVE} ADD COLUMN more int",
            f"ALTER TABLE {ARCHIVE} RENAME TO thing",
            f"DROP TABLE {ARCHIVE}",
            f"DELETE FROM {ARCHIVE}",
            f"TRUNCATE {ARCHIVE}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                self.as_shop(owned, statement)

    def test_what_refers_to_a_table_in_place_is_checked_as_before(self, owned):
        refer_to_things(owned)
        owned.sides.source.run("ALTER TABLE line OWNER TO strangler_test_shop")
        retire(owned.where, replace(YES, keep_referred=True), TODAY)
        assert self.owner(owned, "thing") == "strangler_archive"
        self.as_shop(owned, "INSERT INTO line VALUES (2, 4)")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            self.as_shop(owned, "INSERT INTO line VALUES (3, 404)")

    def test_an_owner_who_is_a_superuser_is_named(self, postgres_things):
        owner = self.owner(postgres_things, "thing")
        assert retire(own(postgres_things).where, YES, TODAY).still_able == (owner,)

    def test_a_role_that_may_not_give_tables_away_is_told_and_may_leave_them_to_their_owner(self, owned):
        things = self.connecting_as_shop(owned)
        with pytest.raises(errors.LacksRights, match="none of them was touched") as refusal:
            retire(things.where, YES, TODAY)
        assert "--keep-owner" in refusal.value.next
        assert status(things.where).phase == "service"
        retire(things.where, replace(YES, keep_owner=True), TODAY)
        assert self.owner(owned, ARCHIVE) == "strangler_test_shop"
        assert refuses_writes(owned.sides.source, ARCHIVE)
        retire(owned.where, YES, TODAY)
        assert self.owner(owned, ARCHIVE) == "strangler_archive"
        with pytest.raises(errors.LacksRights, match="nothing was dropped"):
            drop_archive(things.where, ARCHIVE, execute=True)
        assert archived(owned) == owned.rows(Owner.SERVICE)

    def connecting_as_shop(self, things: Things) -> Things:
        """Return the same takeover, the kit connecting to the monolith's database as the monolith does."""
        things.sides.source.run(
            "GRANT ALL ON SCHEMA strangler TO strangler_test_shop;"
            " GRANT ALL ON ALL TABLES IN SCHEMA strangler TO strangler_test_shop;"
            " ALTER TABLE strangler.log_thing OWNER TO strangler_test_shop"
        )
        url = things.sides.source.url
        as_shop = f"{url}{'&' if '?' in url else '?'}user=strangler_test_shop"
        return Things(Sides(Side(as_shop), things.sides.target, things.sides.var))

    def test_whoever_reads_the_table_is_named_and_nothing_is_retired(self, owned):
        with psycopg.connect(owned.sides.source.url, application_name="report") as reader:
            reader.execute("SELECT count(*) FROM thing")
            with pytest.raises(errors.WritersInTheWay, match=r"SELECT count\(\*\) FROM thing"):
                retire(owned.where, YES, TODAY)
        assert status(owned.where).phase == "service"
        retire(owned.where, YES, TODAY)
        assert tables(owned.sides.source) == {ARCHIVE}
