"""Keys of every kind: rows are told apart, in one order, on both sides."""

import psycopg
import pytest

from proxy.routes import Owner
from tests.integration.takeover.sides import Sides
from tests.integration.takeover.tabled import Tabled


def made(sides: Sides, schema: str, rows: str = "") -> Tabled:
    for side in (sides.source, sides.target):
        side.run(schema)
    sides.source.run(rows)
    return Tabled(sides)


def both(tabled: Tabled, query: str) -> list[tuple]:
    there, here = (side.ask(query) for side in (tabled.sides.source, tabled.sides.target))
    assert there == here
    return here


def to_and_fro(tabled: Tabled, here: str, there: str) -> None:
    """Copy, change, cut over, change, roll back; everything must be equal all the time."""
    tabled.start()
    tabled.sides.source.run(here)
    assert tabled.verify().differing == 0
    tabled.cutover()
    tabled.sides.target.run(there)
    assert tabled.verify().differing == 0
    tabled.rollback()
    tabled.sides.source.run(here)
    tabled.follow(Owner.MONOLITH)
    assert tabled.verify().differing == 0


def test_a_table_without_a_primary_key_is_followed_by_what_is_unique_and_never_null(empty_sides):
    tabled = made(
        empty_sides,
        "CREATE TABLE item (maybe int UNIQUE, region varchar(5) NOT NULL, number int NOT NULL,"
        " name varchar(9), UNIQUE (region, number))",
        "INSERT INTO item VALUES (NULL, 'a', 1, 'x'), (NULL, 'a', 2, 'y'), (NULL, 'b', 1, 'z')",
    )
    assert tabled.plan().tables[0].key == ("region", "number")
    to_and_fro(
        tabled,
        "UPDATE item SET name = name || '!'; UPDATE item SET number = number + 10 WHERE region = 'b'",
        "DELETE FROM item WHERE number = 2; INSERT INTO item VALUES (5, 'c', 0, NULL)",
    )
    assert both(tabled, "SELECT maybe, region, number, name FROM item ORDER BY region, number") == [
        (None, "a", 1, "x!!"),
        (None, "b", 21, "z!!"),
        (5, "c", 0, None),
    ]


def test_what_is_unique_but_may_be_null_or_is_unique_in_part_is_no_key(empty_sides):
    tabled = made(
        empty_sides,
        "CREATE TABLE item (a int UNIQUE, b int NOT NULL); CREATE UNIQUE INDEX part ON item (b) WHERE b > 0",
    )
    assert "no primary key" in tabled.plan().findings[0].found


FOLDING = "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
TEXT_KEYS = "('a', 1), ('B', 2), ('b', 3), ('Ä', 4), ('_', 5), ('z', 6), ('', 7), ('aa', 8), ('A', 9)"


# Which of these a server has is its builder's choice; the first two sort by bytes, and every server has them.
WANTED = ("C", "POSIX", "en-x-icu", "sv-x-icu", "en_US.utf8", "C.utf8")


@pytest.mark.parametrize("here", WANTED)
@pytest.mark.parametrize("there", ["C", "sv-x-icu"])
def test_text_keys_arrive_whatever_collation_each_side_has(postgres_sides, here, there):
    known = {name for (name,) in postgres_sides.source.ask("SELECT collname FROM pg_collation")}
    for side, collation in ((postgres_sides.source, here), (postgres_sides.target, there)):
        name = collation if collation in known else "default"
        side.run(f'CREATE TABLE item (id text COLLATE "{name}" PRIMARY KEY, n int)')
    postgres_sides.source.run(f"INSERT INTO item VALUES {TEXT_KEYS}")
    follow_through_every_chunk(Tabled(postgres_sides), TEXT_KEYS.count("("))


def test_text_keys_arrive_where_sqlite_takes_no_notice_of_case(empty_sides):
    if not empty_sides.source.is_sqlite:
        empty_sides.source.run("CREATE TABLE item (id text PRIMARY KEY, n int)")
    else:
        empty_sides.source.run("CREATE TABLE item (id text COLLATE NOCASE NOT NULL PRIMARY KEY, n int)")
    empty_sides.target.run("CREATE TABLE item (id text NOT NULL PRIMARY KEY, n int)")
    empty_sides.source.run(
        "INSERT INTO item VALUES ('a', 1), ('B', 2), ('c', 3), ('_', 4), ('Z', 5), ('Ä', 6)"
    )
    follow_through_every_chunk(Tabled(empty_sides), 6)


def follow_through_every_chunk(tabled: Tabled, rows: int) -> None:
    """Change every row, its key too, after each chunk; nothing may be missed."""
    with tabled.begun() as following:
        for number in range(rows):
            tabled.sides.source.run(f"UPDATE item SET n = n + {number + 1}00")
            tabled.sides.source.run("UPDATE item SET id = upper(id) WHERE id = 'c'")
            following.step()
        following.settle()
    assert tabled.verify().differing == 0
    assert len(tabled.sides.target.ask("SELECT id FROM item")) == rows


def test_a_collation_by_which_other_texts_are_equal_is_refused(postgres_sides):
    try:
        tabled = made(postgres_sides, f"{FOLDING}; CREATE TABLE item (id text COLLATE folding PRIMARY KEY)")
    except psycopg.errors.FeatureNotSupported:
        return  # a server without ICU has no such collation
    assert "by which other texts are equal" in tabled.plan().findings[0].found


def test_a_key_of_lists_is_refused(postgres_sides):
    tabled = made(postgres_sides, "CREATE TABLE item (id int[] PRIMARY KEY)")
    assert "holds lists" in tabled.plan().findings[0].found


def test_composite_keys_may_be_zero_or_less(empty_sides):
    tabled = made(
        empty_sides,
        "CREATE TABLE item (a int NOT NULL, b int NOT NULL, n int, PRIMARY KEY (a, b))",
        "INSERT INTO item VALUES (0, 0, 1), (0, -1, 2), (-5, 9, 3), (-5, -9, 4), (7, 0, 5)",
    )
    to_and_fro(tabled, "UPDATE item SET n = n + 1", "UPDATE item SET b = b - 20 WHERE a = -5")
    assert len(both(tabled, "SELECT a, b, n FROM item ORDER BY a, b")) == 5


def test_ids_that_are_part_of_a_composite_key_are_given_out_once(postgres_sides):
    tabled = made(
        postgres_sides,
        "CREATE TABLE item (shop int NOT NULL, id bigint GENERATED BY DEFAULT AS IDENTITY, number bigserial,"
        " PRIMARY KEY (shop, id))",
        "INSERT INTO item (shop) SELECT 1 FROM generate_series(1, 50); DELETE FROM item WHERE id > 10",
    )
    tabled.start()
    tabled.verify()
    tabled.cutover()
    tabled.sides.target.run("INSERT INTO item (shop) VALUES (1)")
    ((number, serial),) = tabled.sides.target.ask("SELECT id, number FROM item ORDER BY id DESC LIMIT 1")
    assert number > 50
    assert serial > 50
    tabled.verify()
    tabled.rollback()
    tabled.sides.source.run("INSERT INTO item (shop) VALUES (1)")
    assert tabled.sides.source.ask("SELECT max(id) FROM item")[0][0] > number
