"""Columns that only one side has: dropped ones keep their values, constant ones are what they always are."""

from dataclasses import replace

import pytest

from proxy.routes import Owner
from strangler import errors
from strangler.takeover.mapping import TableMapping, read_mapping
from tests.integration.takeover.sides import Sides
from tests.integration.takeover.tabled import Tabled

MONOLITH = """
CREATE TABLE item (id {key} PRIMARY KEY, name varchar(20) NOT NULL, legacy varchar(9) NOT NULL,
    weight integer NULL, stars integer NOT NULL DEFAULT 3);
INSERT INTO item (id, name, legacy, weight, stars) VALUES (1, 'one', 'L1', 10, 1), (2, 'two', 'L2', NULL, 2),
    (3, 'three', 'L3', 30, 3);
"""
SERVICE = """
CREATE TABLE product (id {key} PRIMARY KEY, title varchar(20) NOT NULL, origin varchar(9) NOT NULL,
    rank {rank} NULL)
"""
MAPPING = TableMapping(
    "product",
    {"name": "title"},
    ("legacy", "weight", "stars"),
    {"legacy": "none"},
    {"origin": "shop", "rank": 7},
)
ROWS = "SELECT id, name, legacy, weight, stars FROM item ORDER BY id"
PRODUCTS = "SELECT id, title, origin, rank FROM product ORDER BY id"


@pytest.fixture
def tabled(empty_sides: Sides) -> Tabled:
    for side, schema in ((empty_sides.source, MONOLITH), (empty_sides.target, SERVICE)):
        key = "integer" if side.is_sqlite else "bigint"
        side.run(schema.format(key=key, rank="decimal" if side.is_sqlite else "numeric(4,1)"))
    return Tabled(empty_sides, MAPPING)


def test_constants_and_renamed_columns_arrive_and_dropped_ones_do_not(tabled):
    tabled.start()
    tabled.sides.source.run(
        "UPDATE item SET name = 'II', legacy = 'X' WHERE id = 2; DELETE FROM item WHERE id = 3"
    )
    tabled.follow(Owner.MONOLITH)
    assert tabled.sides.target.ask(PRODUCTS) == [(1, "one", "shop", 7), (2, "II", "shop", 7)]
    assert tabled.verify().differing == 0


def test_reverse_sync_keeps_what_only_the_monolith_has_and_gives_new_rows_their_defaults(tabled):
    tabled.start()
    tabled.verify()
    tabled.cutover()
    tabled.sides.target.run(
        "UPDATE product SET title = 'I' WHERE id = 1; DELETE FROM product WHERE id = 2;"
        " INSERT INTO product (id, title, origin, rank) VALUES (9, 'nine', 'shop', 7)"
    )
    tabled.follow(Owner.SERVICE)
    assert tabled.sides.source.ask(ROWS) == [
        (1, "I", "L1", 10, 1),
        (3, "three", "L3", 30, 3),
        (9, "nine", "none", None, 3),
    ]
    assert tabled.verify().differing == 0


def test_a_rollback_keeps_what_only_the_monolith_has_and_the_service_follows_again(tabled):
    tabled.start()
    tabled.verify()
    tabled.cutover()
    tabled.sides.target.run("UPDATE product SET title = 'I' WHERE id = 1")
    tabled.verify()
    tabled.rollback()
    tabled.sides.source.run("UPDATE item SET name = 'II', weight = 5 WHERE id = 2")
    tabled.follow(Owner.MONOLITH)
    assert tabled.sides.source.ask(ROWS)[:2] == [(1, "I", "L1", 10, 1), (2, "II", "L2", 5, 2)]
    assert tabled.sides.target.ask(PRODUCTS)[:2] == [(1, "I", "shop", 7), (2, "II", "shop", 7)]
    assert tabled.verify().differing == 0


def test_a_service_that_changes_a_constant_is_found_by_verification(tabled):
    tabled.start()
    tabled.verify()
    tabled.cutover()
    tabled.sides.target.run("UPDATE product SET origin = 'other' WHERE id = 3")
    found = tabled.verify().tables[0]
    assert [(each.key, each.kind) for each in found.differences] == [("id=3", "different")]


def test_a_mapping_that_changes_after_the_copy_makes_the_table_dirty_until_it_is_copied_anew(tabled):
    tabled.start()
    tabled.verify()
    other = Tabled(tabled.sides, replace(MAPPING, constant={"origin": "mall", "rank": 7}))
    with pytest.raises(errors.TableDirty):
        other.cutover()
    other.start()
    assert tabled.sides.target.ask("SELECT DISTINCT origin FROM product") == [("mall",)]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (TableMapping("product", {"nome": "title"}), "rename of nome, which the monolith does not have"),
        (TableMapping("product", drop=("colour",)), "drop of colour, which the monolith does not have"),
        (
            TableMapping("product", constant={"colour": 1}),
            "constant of colour, which the service does not have",
        ),
        (TableMapping("product", default={"legacy": "x"}), "default of legacy, which is not dropped"),
        (TableMapping("product", {"legacy": "l"}, ("legacy",)), "legacy is dropped and renamed"),
        (
            TableMapping("product", {"name": "title", "weight": "title"}),
            "title is doubly mapped, by 2 things",
        ),
        (TableMapping("product", {"name": "title"}, constant={"title": "x"}), "title is doubly mapped"),
        (TableMapping("product", drop=("id",)), "id is dropped, and part of the key"),
        (TableMapping("product", drop=("legacy",)), "legacy is dropped, and NOT NULL without a default"),
        (TableMapping("product", constant={"origin": 5}), "5 for the service's origin, which is"),
        (TableMapping("product", constant={"rank": "high"}), "'high' for the service's rank, which is"),
        (
            TableMapping("product", drop=("legacy",), default={"legacy": 5}),
            "5 for the monolith's legacy, which is",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_plan(tabled, mapping, said):
    if "'high'" in said and tabled.sides.target.is_sqlite:
        tabled.sides.target.run(
            "DROP TABLE product; CREATE TABLE product (id integer PRIMARY KEY, rank real)"
        )
    blocking = [each.found for each in Tabled(tabled.sides, mapping).plan().findings if each.blocks]
    assert any(said in found for found in blocking), blocking


def test_a_dropped_column_that_is_unique_is_refused(tabled):
    tabled.sides.source.run("CREATE UNIQUE INDEX by_legacy ON item (legacy)")
    blocking = [each.found for each in tabled.plan().findings if each.blocks]
    assert blocking == ["legacy is dropped, and unique in the monolith's database"]


def test_every_misfit_is_listed_at_once(tabled):
    found = (
        Tabled(tabled.sides, TableMapping("product", {"a": "b"}, ("c",), {"d": 1}, {"e": 2})).plan().findings
    )
    assert len([each for each in found if each.blocks]) == 4


def test_a_file_says_all_of_it(tmp_path):
    (tmp_path / "takeover.toml").write_text(
        '[tables.item]\ntable = "product"\n'
        'rename = { name = "title" }\ndrop = ["legacy", "weight", "stars"]\n'
        'default = { legacy = "none" }\nconstant = { origin = "shop", rank = 7 }\n'
    )
    assert read_mapping(tmp_path / "takeover.toml").table("item") == MAPPING
