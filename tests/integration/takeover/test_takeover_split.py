"""One table of the monolith's becomes several of the service's, which share its key; and one again."""

import sqlite3
from dataclasses import replace
from datetime import date

import psycopg
import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.comparing import Kind
from strangler.takeover.mapping import PartMapping, TableMapping, read_mapping
from strangler.takeover.resume import resume
from strangler.takeover.retire import Asked, retire
from strangler.takeover.status import status
from strangler.takeover.switch import Step
from strangler.takeover.verify import VerifyReport
from tests.integration.takeover.sides import Side, Sides
from tests.integration.takeover.tabled import Tabled
from tests.integration.takeover.things import Killed, killing

MONOLITH = """
CREATE TABLE item (id {key} PRIMARY KEY, name varchar(20) NOT NULL, legacy varchar(9) NOT NULL,
    stock integer NOT NULL, weight {weight} NULL, place varchar(20) NULL, code varchar(9) NULL UNIQUE,
    CHECK (name <> 'none' OR stock = 0));
INSERT INTO item (id, name, legacy, stock, weight, place, code) VALUES
    (1, 'one', 'L1', 10, 1.5, 'north', 'a'), (2, 'two', 'L2', 20, NULL, NULL, 'b'),
    (3, 'three', 'L3', 30, 2.25, 'south', NULL), (4, 'four', 'L4', 40, 4, 'east', 'd')
"""
SERVICE = """
CREATE TABLE product (id {key} PRIMARY KEY, title varchar(20) NOT NULL);
CREATE TABLE product_stock (product_id {key} PRIMARY KEY{reference}, stock integer NOT NULL,
    weight {weight} NULL, location varchar(20) NULL, unit varchar(9) NOT NULL);
CREATE TABLE product_code (id {key} PRIMARY KEY{reference}, code varchar(9) NULL UNIQUE)
"""
REFERENCE = " REFERENCES product (id) DEFERRABLE INITIALLY DEFERRED"
STOCK = PartMapping(
    ("stock", "weight", "place"),
    {"id": "product_id", "place": "location"},
    {"stock": 5, "weight": 1.5, "place": "Müller's"},
    {"unit": "piece"},
)
MAPPING = TableMapping(
    "product",
    {"name": "title"},
    ("legacy",),
    {"legacy": "none"},
    split={"product_stock": STOCK, "product_code": PartMapping(("code",))},
)
TABLES = "product", "product_stock", "product_code"
ITEMS = "SELECT id, name, legacy, stock, weight, place, code FROM item ORDER BY id"
PRODUCTS = "SELECT id, title FROM product ORDER BY id"
STOCKS = "SELECT product_id, stock, weight, location, unit FROM product_stock ORDER BY product_id"
CODES = "SELECT id, code FROM product_code ORDER BY id"


def split(sides: Sides, reference: str = REFERENCE) -> Tabled:
    """Make the tables; `reference` is how a part refers to its parent."""
    for side, schema in ((sides.source, MONOLITH), (sides.target, SERVICE)):
        key, weight = ("integer", "decimal") if side.is_sqlite else ("bigint", "numeric(6,2)")
        side.run(schema.format(key=key, weight=weight, reference=reference))
    return Tabled(sides, MAPPING)


@pytest.fixture
def tabled(empty_sides: Sides) -> Tabled:
    return split(empty_sides)


@pytest.fixture
def unreferring(empty_sides: Sides) -> Tabled:
    """The same, and nothing keeps a part's row from being alone."""
    return split(empty_sides, reference="")


def own(tabled: Tabled) -> Tabled:
    """Let the service own."""
    tabled.start()
    tabled.verify()
    tabled.cutover()
    return tabled


def write(side: Side, script: str) -> None:
    """Write in one transaction."""
    side.run(f"BEGIN; {script}; COMMIT")


def mirrored(tabled: Tabled, script: str) -> list[tuple]:
    """Write as the service in one transaction; return what the monolith's mirror holds then."""
    write(tabled.sides.target, script)
    tabled.follow(Owner.SERVICE)
    return tabled.sides.source.ask(ITEMS)


def found(report: VerifyReport) -> list[tuple[str, Kind]]:
    return [(each.key, each.kind) for table in report.tables for each in table.differences]


def plan_says(tabled: Tabled) -> list[str]:
    return [f"{each.table}: {each.found}; {each.wanted}" for each in tabled.plan().findings if each.blocks]


def expected(side: Side) -> list[list[tuple]]:
    """Return what the service's tables must hold, by what the monolith's holds."""
    rows = side.ask(ITEMS)
    return [
        [(key, name) for key, name, *_ in rows],
        [(key, stock, weight, place, "piece") for key, _, _, stock, weight, place, _ in rows],
        [(key, code) for key, *_, code in rows],
    ]


def held(side: Side) -> list[list[tuple]]:
    return [side.ask(query) for query in (PRODUCTS, STOCKS, CODES)]


def test_a_part_that_the_service_does_not_have_is_refused(tabled):
    unknown = replace(MAPPING, split={**MAPPING.split, "colour": PartMapping(("colour",))})
    said = plan_says(Tabled(tabled.sides, unknown))
    assert said == ["colour: the service's database has no such table; run the service's migrations"]


def test_every_offender_is_listed_at_once(tabled):
    wrong = {"product_stock": PartMapping(("stok", "id")), "product_code": PartMapping(("code", "legacy"))}
    assert len(plan_says(Tabled(tabled.sides, replace(MAPPING, split=wrong)))) == 3
    undefaulted = replace(
        MAPPING, default={}, split={**MAPPING.split, "product_stock": replace(STOCK, default={})}
    )
    assert len(plan_says(Tabled(tabled.sides, undefaulted))) == 2


@pytest.mark.parametrize("name", ["product", "product_code"])
def test_a_table_that_is_to_hold_two_is_refused(tabled, name):
    key = "integer" if tabled.sides.source.is_sqlite else "bigint"
    tabled.sides.source.run(f"CREATE TABLE {name} (id {key} PRIMARY KEY, code varchar(9) NULL)")
    both = replace(tabled, tables=("item", name))
    doubly = f"{name}: the service's table is doubly mapped, for item, {name}; one table for each"
    assert any(text.startswith(doubly) for text in plan_says(both))


def test_a_foreign_key_of_a_part_that_acts_by_itself_is_refused(empty_sides):
    tabled = split(empty_sides, reference=" REFERENCES product (id) ON DELETE CASCADE")
    assert [text for text in plan_says(tabled) if "product_stock" in text and "CASCADE" in text]


def test_plan_names_every_table_that_it_becomes(tabled):
    assert tabled.plan().possible
    assert tabled.plan().tables[0].into == "product, product_stock, product_code"


def test_every_column_arrives_in_its_table_and_what_changes_follows(tabled):
    tabled.start()
    source, target = tabled.sides.source, tabled.sides.target
    assert held(target) == expected(source)
    write(
        source,
        "UPDATE item SET stock = 11, name = 'I' WHERE id = 1; UPDATE item SET place = 'west' WHERE id = 2;"
        " DELETE FROM item WHERE id = 3;"
        " INSERT INTO item (id, name, legacy, stock) VALUES (9, 'nine', 'L9', 90)",
    )
    tabled.follow(Owner.MONOLITH)
    assert held(target) == expected(source)
    assert [stock for _, stock, *_ in target.ask(STOCKS)] == [11, 20, 40, 90]
    assert not tabled.verify().differing


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE item SET id = 20 WHERE id = 2",
        (
            "UPDATE item SET id = -1 WHERE id = 1; UPDATE item SET id = 1 WHERE id = 2;"
            " UPDATE item SET id = 2 WHERE id = -1"
        ),
        (
            "DELETE FROM item WHERE id = 2;"
            " INSERT INTO item (id, name, legacy, stock) VALUES (2, 'again', '', 7)"
        ),
        (
            "UPDATE item SET code = NULL WHERE id = 1; UPDATE item SET code = 'a' WHERE id = 2;"
            " UPDATE item SET code = 'b' WHERE id = 1"
        ),
        "DELETE FROM item",
    ],
    ids=["moved", "swapped", "again", "unique", "gone"],
)
@pytest.mark.parametrize("chunks", [1, 3])
def test_a_change_before_in_and_after_the_copy_reaches_every_part(tabled, script, chunks):
    with tabled.begun() as following:
        for _ in range(chunks):
            following.step()
        write(tabled.sides.source, script)
        following.settle()
    assert held(tabled.sides.target) == expected(tabled.sides.source)
    assert not tabled.verify().differing


@pytest.mark.parametrize("back", [False, True], ids=["copied", "rolled-back"])
def test_the_parts_are_fenced_as_their_parent_is(tabled, back):
    tabled.start()
    if back:
        tabled.verify()
        tabled.cutover()
        tabled.rollback()
    for script in (
        "UPDATE product_stock SET stock = 0",
        "DELETE FROM product_code",
        "INSERT INTO product_code (id) VALUES (77)",
    ):
        with pytest.raises((sqlite3.IntegrityError, psycopg.DatabaseError), match="moved"):
            tabled.sides.target.run(script)


@pytest.mark.parametrize(
    ("script", "difference"),
    [
        ("DELETE FROM product_stock WHERE product_id = 2", ("id=2", Kind.DIFFERENT)),
        ("DELETE FROM product_code WHERE id = 3", ("id=3", Kind.DIFFERENT)),
        ("DELETE FROM product WHERE id = 4", ("id=4", Kind.DIFFERENT)),
        ("INSERT INTO product_code (id, code) VALUES (99, 'x')", ("id=99", Kind.EXTRA)),
        ("INSERT INTO product (id, title) VALUES (98, 'x')", ("id=98", Kind.EXTRA)),
        ("DELETE FROM product; DELETE FROM product_stock; DELETE FROM product_code", ("id=1", Kind.MISSING)),
        ("UPDATE product_stock SET location = 'x' WHERE product_id = 4", ("id=4", Kind.DIFFERENT)),
        ("UPDATE product_stock SET unit = 'box' WHERE product_id = 4", ("id=4", Kind.DIFFERENT)),
        ("UPDATE product SET title = 'x' WHERE id = 4", ("id=4", Kind.DIFFERENT)),
    ],
)
def test_a_row_that_differs_is_missing_or_surplus_in_any_of_the_tables_is_named(tabled, script, difference):
    tabled.start()
    tabled.sides.target.spoil(script, *TABLES)
    assert difference in found(tabled.verify())
    with pytest.raises(errors.NotVerified):
        tabled.cutover()


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        (
            "UPDATE product_stock SET stock = 11 WHERE product_id = 1",
            {1: ("one", "L1", 11, 1.5, "north", "a")},
        ),
        ("UPDATE product SET title = 'I' WHERE id = 1", {1: ("I", "L1", 10, 1.5, "north", "a")}),
        (
            (
                "UPDATE product_stock SET stock = 11, location = NULL WHERE product_id = 1;"
                " UPDATE product SET title = 'I' WHERE id = 1;"
                " UPDATE product_code SET code = NULL WHERE id = 1"
            ),
            {1: ("I", "L1", 11, 1.5, None, None)},
        ),
        (
            (
                "INSERT INTO product (id, title) VALUES (9, 'nine');"
                " INSERT INTO product_stock VALUES (9, 90, NULL, 'north', 'piece');"
                " INSERT INTO product_code (id, code) VALUES (9, 'i')"
            ),
            {9: ("nine", "none", 90, None, "north", "i")},
        ),
        (
            (
                "INSERT INTO product_stock VALUES (9, 90, 3, 'north', 'piece');"
                " INSERT INTO product (id, title) VALUES (9, 'nine')"
            ),
            {9: ("nine", "none", 90, 3, "north", None)},
        ),
        (
            "INSERT INTO product (id, title) VALUES (9, 'nine')",
            {9: ("nine", "none", 5, 1.5, "Müller's", None)},
        ),
        ("DELETE FROM product_stock WHERE product_id = 1", {1: ("one", "L1", 5, 1.5, "Müller's", "a")}),
        (
            (
                "DELETE FROM product_stock WHERE product_id = 1; DELETE FROM product_code WHERE id = 1;"
                " DELETE FROM product WHERE id = 1"
            ),
            {1: None},
        ),
        (
            (
                "DELETE FROM product_stock WHERE product_id = 1;"
                " INSERT INTO product_stock VALUES (1, 1, 1, 'again', 'piece')"
            ),
            {1: ("one", "L1", 1, 1, "again", "a")},
        ),
        (
            (
                "DELETE FROM product_stock WHERE product_id = 1; DELETE FROM product_code WHERE id = 1;"
                " DELETE FROM product WHERE id = 1; INSERT INTO product (id, title) VALUES (1, 'again')"
            ),
            {1: ("again", "L1", 5, 1.5, "Müller's", None)},
        ),
        (
            (
                "UPDATE product SET id = 20 WHERE id = 2;"
                " UPDATE product_stock SET product_id = 20 WHERE product_id = 2;"
                " UPDATE product_code SET id = 20 WHERE id = 2"
            ),
            {2: None, 20: ("two", "none", 20, None, None, "b")},
        ),
        (
            (
                "DELETE FROM product_stock WHERE product_id = 3;"
                " UPDATE product_stock SET product_id = 3 WHERE product_id = 2"
            ),
            {2: ("two", "L2", 5, 1.5, "Müller's", "b"), 3: ("three", "L3", 20, None, None, None)},
        ),
        (
            (
                "UPDATE product_code SET code = 'x' WHERE id = 1;"
                " UPDATE product_code SET code = 'a' WHERE id = 2;"
                " UPDATE product_code SET code = 'b' WHERE id = 1"
            ),
            {1: ("one", "L1", 10, 1.5, "north", "b"), 2: ("two", "L2", 20, None, None, "a")},
        ),
        (
            (
                "UPDATE product_stock SET stock = 0 WHERE product_id = 1;"
                " UPDATE product SET title = 'none' WHERE id = 1"
            ),
            {1: ("none", "L1", 0, 1.5, "north", "a")},
        ),
    ],
    ids=[
        "part",
        "parent",
        "all",
        "new",
        "part-first",
        "alone",
        "part-gone",
        "gone",
        "part-again",
        "again",
        "moved",
        "part-moved",
        "unique",
        "checked",
    ],
)
def test_what_the_service_writes_in_any_of_the_tables_is_one_row_of_the_mirror(tabled, script, rows):
    own(tabled)
    wanted = {key: rest for key, *rest in map(tuple, tabled.sides.source.ask(ITEMS))}
    wanted |= {key: list(row) if row else None for key, row in rows.items()}
    mirror = mirrored(tabled, script)
    assert mirror == [(key, *row) for key, row in sorted(wanted.items()) if row]
    assert not tabled.verify().differing


def test_a_parts_row_that_comes_later_or_goes_first_is_another_step_of_the_same_row(tabled):
    own(tabled)
    mirrored(tabled, "INSERT INTO product (id, title) VALUES (9, 'nine')")
    assert mirrored(tabled, "INSERT INTO product_code (id, code) VALUES (9, 'i')")[-1][-1] == "i"
    mirror = mirrored(tabled, "DELETE FROM product_code WHERE id = 9; DELETE FROM product WHERE id = 9")
    assert [row[0] for row in mirror] == [1, 2, 3, 4]


def test_a_parts_row_before_its_parent_waits_is_named_and_arrives_with_it(unreferring):
    tabled = own(unreferring)
    before = tabled.sides.source.ask(ITEMS)
    alone = "INSERT INTO product_stock VALUES (9, 90, NULL, NULL, 'piece')"
    assert mirrored(tabled, alone) == before
    assert found(tabled.verify()) == [("id=9", Kind.MISSING)]
    with pytest.raises(errors.NotVerified):
        tabled.rollback()
    mirror = mirrored(tabled, "INSERT INTO product (id, title) VALUES (9, 'nine')")
    assert mirror == [*before, (9, "nine", "none", 90, None, None, None)]
    assert not tabled.verify().differing
    tabled.rollback()
    assert held(tabled.sides.target) == expected(tabled.sides.source)


def test_a_parts_row_that_its_parent_left_behind_is_named(unreferring):
    tabled = own(unreferring)
    mirror = mirrored(tabled, "DELETE FROM product WHERE id = 2")
    assert [row[0] for row in mirror] == [1, 3, 4]
    assert ("id=2", Kind.MISSING) in found(tabled.verify())
    with pytest.raises(errors.NotVerified):
        tabled.rollback()


def test_a_row_without_its_parts_equals_their_defaults_and_gets_them_on_the_way_back(tabled):
    own(tabled)
    mirrored(tabled, "DELETE FROM product_stock WHERE product_id = 2; DELETE FROM product_code WHERE id = 1")
    assert not tabled.verify().differing
    tabled.rollback()
    assert (2, 5, 1.5, "Müller's", "piece") in tabled.sides.target.ask(STOCKS)
    assert held(tabled.sides.target) == expected(tabled.sides.source)
    assert not tabled.verify().differing
    tabled.sides.source.run("UPDATE item SET stock = 6 WHERE id = 2")
    tabled.follow(Owner.MONOLITH)
    assert held(tabled.sides.target) == expected(tabled.sides.source)
    tabled.cutover()
    assert mirrored(tabled, "UPDATE product_stock SET stock = 7 WHERE product_id = 2")[1][3] == 7


def test_a_mirror_that_differs_from_the_defaults_of_a_missing_part_is_found(tabled):
    own(tabled)
    mirrored(tabled, "DELETE FROM product_stock WHERE product_id = 2")
    tabled.sides.source.spoil("UPDATE item SET stock = 20 WHERE id = 2", "item")
    assert found(tabled.verify()) == [("id=2", Kind.DIFFERENT)]


def test_a_default_that_changes_makes_the_table_dirty(tabled):
    tabled.start()
    tabled.verify()
    other = replace(STOCK, default={**STOCK.default, "stock": 6})
    changed = Tabled(tabled.sides, replace(MAPPING, split={**MAPPING.split, "product_stock": other}))
    with pytest.raises(errors.TableDirty):
        changed.cutover()


def test_a_capture_that_a_part_has_lost_makes_its_parent_dirty_and_says_where(tabled):
    own(tabled)
    if tabled.sides.target.is_sqlite:
        tabled.sides.target.run("DROP TRIGGER strangler_capture_update_product_stock")
    else:
        tabled.sides.target.run("ALTER TABLE product_stock DISABLE TRIGGER strangler_capture_update")
    tabled.follow(Owner.SERVICE)
    shown = status(tabled.where).tables[0]
    assert shown.table == "product"
    assert shown.dirty.startswith("product_stock: trigger strangler_capture_update")
    with pytest.raises(errors.TableDirty):
        tabled.rollback()


def test_a_column_that_a_part_gets_makes_its_parent_dirty(tabled):
    own(tabled)
    with tabled.opened() as following:
        tabled.sides.target.run("ALTER TABLE product_stock ADD COLUMN colour integer NULL")
        dirty = following.step(Owner.SERVICE).checkpoint.dirty
    assert dirty == {"product": "product_stock: its columns are no longer those that were copied"}


def test_changes_of_every_part_are_counted_until_they_are_applied(tabled):
    own(tabled)
    write(tabled.sides.target, "UPDATE product_stock SET stock = 1; UPDATE product_code SET code = NULL")
    assert status(tabled.where).behind == 8
    tabled.follow(Owner.SERVICE)
    assert status(tabled.where).behind == 0


@pytest.mark.parametrize("back", [False, True], ids=["cutover", "rollback"])
@pytest.mark.parametrize("step", [step for step in Step if step not in {Step.ABORTED, Step.REOPENED}])
def test_killed_at_any_step_resume_leaves_one_whole_copy(tabled, step, back):
    tabled.start()
    tabled.verify()
    origin, to = (Owner.SERVICE, Owner.MONOLITH) if back else (Owner.MONOLITH, Owner.SERVICE)
    if back:
        tabled.cutover()
        write(
            tabled.sides.target,
            "DELETE FROM product_stock WHERE product_id = 1; UPDATE product_code SET code = NULL",
        )
    else:
        tabled.sides.source.run("UPDATE item SET stock = 11 WHERE id = 1")
    dying = replace(tabled, reached=killing(step))
    with pytest.raises(Killed):
        (dying.rollback if back else dying.cutover)()
    resume(tabled.where, execute=True)
    tabled.follow(origin if step in {Step.ARM, Step.ARMED, Step.HELD} else to)
    assert not tabled.verify().differing
    assert tabled.sides.source.ask(ITEMS)[0][3] == (5 if back else 11)


def test_a_retired_group_archives_the_one_table_and_the_parts_go_on(tabled):
    own(tabled)
    write(tabled.sides.target, "UPDATE product_stock SET stock = 12 WHERE product_id = 1")
    retire(tabled.where, Asked("item", keep_owner=True, execute=True), date(2026, 1, 9))
    assert tabled.sides.source.ask("SELECT stock FROM item_retired_20260109 WHERE id = 1") == [(12,)]
    tabled.sides.target.run("UPDATE product_stock SET stock = 13 WHERE product_id = 1")


def test_a_key_of_several_columns_is_shared_whatever_their_order(empty_sides):
    empty_sides.source.run(
        "CREATE TABLE item (shop varchar(9), id bigint, name text, stock bigint, PRIMARY KEY (shop, id));"
        " INSERT INTO item VALUES ('a', 1, 'a1', 1), ('a', 2, 'a2', 2), ('b', 1, 'b1', 3)"
    )
    empty_sides.target.run(
        "CREATE TABLE product (id bigint, shop varchar(9), name text NULL, PRIMARY KEY (id, shop));"
        " CREATE TABLE stock (of bigint, at varchar(9), stock bigint NULL, PRIMARY KEY (at, of))"
    )
    part = PartMapping(("stock",), {"shop": "at", "id": "of"})
    tabled = own(Tabled(empty_sides, TableMapping("product", split={"stock": part})))
    write(
        empty_sides.target,
        "UPDATE stock SET stock = 9 WHERE at = 'b' AND of = 1; DELETE FROM stock WHERE at = 'a' AND of = 2;"
        " UPDATE product SET id = 7 WHERE shop = 'a' AND id = 1;"
        " UPDATE stock SET of = 7 WHERE at = 'a' AND of = 1",
    )
    tabled.follow(Owner.SERVICE)
    assert empty_sides.source.ask("SELECT * FROM item ORDER BY shop, id") == [
        ("a", 2, "a2", None),
        ("a", 7, "a1", 1),
        ("b", 1, "b1", 9),
    ]
    assert not tabled.verify().differing
    tabled.rollback()
    assert not tabled.verify().differing


@pytest.mark.parametrize("part", ["", "[tables.item.split]\nstock = 5", "[tables.item.split.stock]"])
def test_a_file_that_splits_wrongly_is_refused(tmp_path, part):
    (tmp_path / "takeover.toml").write_text(part or '[tables.item.split.stock]\ncolumns = ["a"]\nkey = "b"\n')
    with pytest.raises(errors.BadMapping, match=r"tables.item.split"):
        read_mapping(tmp_path / "takeover.toml")


def test_a_file_says_all_of_a_split(tmp_path):
    (tmp_path / "takeover.toml").write_text(
        '[tables.item]\ntable = "product"\nrename = { name = "title" }\ndrop = ["legacy"]\n'
        'default = { legacy = "none" }\n'
        '[tables.item.split.product_stock]\ncolumns = ["stock", "weight", "place"]\n'
        'rename = { id = "product_id", place = "location" }\n'
        'default = { stock = 5, weight = 1.5, place = "Müller\'s" }\nconstant = { unit = "piece" }\n'
        '[tables.item.split.product_code]\ncolumns = ["code"]\n'
    )
    assert read_mapping(tmp_path / "takeover.toml").table("item") == MAPPING


class TestOnPostgres:
    """What only PostgreSQL can do."""

    @pytest.fixture
    def tabled(self, postgres_sides) -> Tabled:
        return split(postgres_sides)

    def test_a_part_that_is_truncated_is_at_its_defaults_and_nothing_else_is_lost(self, tabled):
        mirror = mirrored(
            own(tabled),
            "TRUNCATE product_stock; INSERT INTO product_stock VALUES (2, 1, 1, 'again', 'piece');"
            " UPDATE product SET title = 'I' WHERE id = 1",
        )
        assert mirror[0] == (1, "I", "L1", 5, 1.5, "Müller's", "a")
        assert mirror[1] == (2, "two", "L2", 1, 1, "again", "b")
        assert [row[2] for row in mirror] == ["L1", "L2", "L3", "L4"]
        with pytest.raises(errors.NotVerified):
            tabled.rollback()
        assert not tabled.verify().differing
        tabled.rollback()
        assert held(tabled.sides.target) == expected(tabled.sides.source)

    def test_a_parent_that_is_truncated_empties_the_mirror(self, tabled):
        mirror = mirrored(
            own(tabled), "TRUNCATE product CASCADE; INSERT INTO product (id, title) VALUES (9, 'nine')"
        )
        assert mirror == [(9, "nine", "none", 5, 1.5, "Müller's", None)]
        assert not tabled.verify().differing

    def test_the_one_table_that_is_truncated_empties_every_part(self, tabled):
        tabled.start()
        tabled.sides.source.run(
            "TRUNCATE item; INSERT INTO item (id, name, legacy, stock) VALUES (9, 'nine', '', 1)"
        )
        tabled.follow(Owner.MONOLITH)
        assert held(tabled.sides.target) == expected(tabled.sides.source)
        assert not tabled.verify().differing

    def test_a_parts_row_without_its_parent_is_refused_by_its_foreign_key(self, tabled):
        own(tabled)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            tabled.sides.target.run("INSERT INTO product_code (id) VALUES (77)")
