import tracemalloc

import pytest

from strangler.takeover.start import Listener, start
from tests.integration.takeover.sides import Sides, fill, routes

TABLES = ("shop_shelf", "shop_item")

EVERY_VALUE = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE every (id int PRIMARY KEY, n numeric, p numeric(10,2), d double precision, r real,
    at timestamptz, naive timestamp, day date, clock time, span interval, doc jsonb, raw bytea,
    list int[], empty text, fixed char(5), feeling mood, stretch int4range,
    twice int GENERATED ALWAYS AS (id * 2) STORED, "odd ""name" text);
"""
EVERY_ROW = """
INSERT INTO every (id, n, p, d, r, at, naive, day, clock, span, doc, raw, list, empty, fixed, feeling,
    stretch, "odd ""name") VALUES
    (1, 'NaN', 1.10, '-0', 'Infinity', 'infinity', '0044-03-15 12:00:00 BC', '-infinity', '24:00',
     '1 mon 2 days', '{"b": 1.10, "a": "\\u00e9"}', '\\x00ff', '{1,NULL,3}', '', 'ab', 'glad', '[1,5)', 'x'),
    (2, '1e-30', NULL, 0.1234567890123456789, 'NaN', '2024-01-01 00:00:00.123456+14', NULL, NULL, NULL,
     '-1 year 25:00:00', 'null', '', '{}', NULL, NULL, NULL, 'empty', 'null');
"""


def copy(sides: Sides, **options):
    return start(routes(), "catalog", sides.environ, sides.var, **{"execute": True, **options})


def rows(side, table: str) -> list[tuple]:
    return side.ask(f"SELECT * FROM {table} ORDER BY id")


def test_without_execute_everything_is_counted_and_nothing_written(sides):
    report = copy(sides, execute=False)
    assert not report.executed
    assert [(table.table, table.rows, table.replaced) for table in report.tables] == [
        ("shop_shelf", 3, 0),
        ("shop_item", 2, 0),
    ]
    assert sides.target.ids("shop_item") == []


def test_every_row_arrives_and_the_report_says_how_many(sides):
    report = copy(sides)
    assert {table.table: table.rows for table in report.tables} == {"shop_shelf": 3, "shop_item": 2}
    assert [sides.target.ids(table) for table in TABLES] == [[1, 2, 3], [1, 5]]


def test_rows_between_equal_engines_are_equal(sides):
    copy(sides)
    if sides.source.is_sqlite == sides.target.is_sqlite:
        assert [rows(sides.target, table) for table in TABLES] == [
            rows(sides.source, table) for table in TABLES
        ]
    else:
        wanted = [("19.99", True, "2024-01-01 10:00:00+00", '{"a": 1.5}'), ("20.00", False, None, "[]")]
        sides.target.run("ALTER ROLE CURRENT_USER SET TimeZone = 'UTC'")
        query = "SELECT price::text, sold, made::text, extra::text FROM shop_item ORDER BY id"
        assert sides.target.ask(query) == wanted


def test_what_was_there_is_replaced_and_a_second_run_changes_nothing(sides):
    fill(sides.target)
    sides.target.run("UPDATE shop_shelf SET name = 'stale'")
    first = copy(sides)
    second = copy(sides)
    assert [table.replaced for table in first.tables] == [3, 2]
    assert (first.copied, second.copied) == (5, 0)
    assert sides.target.ask("SELECT name FROM shop_shelf WHERE id = 1") == [("Bücher",)]


def test_an_empty_table_empties_its_copy(empty_sides):
    fill(empty_sides.target)
    copy(empty_sides)
    assert empty_sides.target.ids("shop_shelf") == []


def test_what_is_written_while_the_copy_is_made_arrives_too(sides):
    late = iter(["INSERT INTO shop_shelf (id, name) VALUES (77, 'late'); UPDATE shop_item SET shelf_id = 77"])
    copy(sides, listener=Listener(lambda _: sides.source.run(next(late, "SELECT 1"))))
    copy(sides)
    assert sides.target.ids("shop_shelf") == [1, 2, 3, 77]
    assert sides.target.ask("SELECT DISTINCT shelf_id FROM shop_item") == [(77,)]


def test_the_services_own_writers_are_refused_from_the_start(sides):
    copy(sides)
    with pytest.raises(Exception, match="shop_shelf moved \\(takeover catalog, epoch 1\\)"):
        sides.target.run("INSERT INTO shop_shelf (id, name) VALUES (9, '')")


def test_between_two_postgresqls_every_value_is_the_same_bytes(postgres_sides):
    for side in (postgres_sides.source, postgres_sides.target):
        side.run(EVERY_VALUE)
    postgres_sides.source.run(EVERY_ROW)
    table = routes(tables=["every"])
    start(table, "catalog", postgres_sides.environ, postgres_sides.var, execute=True)
    as_text = "SELECT every::text FROM every ORDER BY id"
    assert postgres_sides.target.ask(as_text) == postgres_sides.source.ask(as_text)


@pytest.mark.parametrize(
    "value",
    ["1", "1.0", "'1'", "x'31'", "NULL", "''", "9223372036854775807", "0.1", "1e300", "'a' || char(0)"],
)
def test_between_two_sqlites_every_value_keeps_its_stored_type(sqlite_sides, value):
    for side in (sqlite_sides.source, sqlite_sides.target):
        side.run("CREATE TABLE loose (id text PRIMARY KEY, v)")
    sqlite_sides.source.run(f"INSERT INTO loose VALUES ('é', {value})")
    table = routes(tables=["loose"])
    start(table, "catalog", sqlite_sides.environ, sqlite_sides.var, execute=True)
    stored = "SELECT id, typeof(v), quote(v) FROM loose"
    assert sqlite_sides.target.ask(stored) == sqlite_sides.source.ask(stored)


def test_generated_columns_are_computed_and_not_copied(sqlite_sides):
    for side in (sqlite_sides.source, sqlite_sides.target):
        side.run("CREATE TABLE twice (id INTEGER PRIMARY KEY, doubled AS (id * 2) STORED)")
    sqlite_sides.source.run("INSERT INTO twice (id) VALUES (4)")
    start(routes(tables=["twice"]), "catalog", sqlite_sides.environ, sqlite_sides.var, execute=True)
    assert sqlite_sides.target.ask("SELECT * FROM twice") == [(4, 8)]


TWENTY_MEGABYTES = {
    "sqlite": (
        "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2010) "
        "INSERT INTO shop_item SELECT i, 1, 1, 0, NULL, '[\"' || hex(randomblob(5000)) || '\"]' FROM n"
    ),
    "postgresql": (
        "INSERT INTO shop_item SELECT i, 1, 1, false, NULL, to_jsonb(repeat(md5(i::text), 312)) "
        "FROM generate_series(10, 2010) AS n (i)"
    ),
}


def test_a_copy_never_holds_more_than_a_few_rows_in_memory(sides):
    sides.source.run(TWENTY_MEGABYTES["sqlite" if sides.source.is_sqlite else "postgresql"])
    tracemalloc.start()
    copy(sides)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
