import pytest

from strangler import errors
from strangler.takeover.start import start
from tests.integration.takeover.sides import Side, Sides, fill, routes


def refusal(sides: Sides, kind: type[errors.Refused], table=None, group: str = "catalog") -> errors.Refused:
    with pytest.raises(kind) as caught:
        start(table or routes(), group, sides.environ, sides.var, execute=True)
    assert caught.value.next
    return caught.value


def test_an_unknown_group_is_refused_with_the_names_there_are(sqlite_sides):
    assert "catalog" in refusal(sqlite_sides, errors.UnknownGroup, group="catalogue").message


def test_a_service_that_owns_its_tables_is_never_overwritten(sqlite_sides):
    refusal(sqlite_sides, errors.AlreadyOwner, routes(owner="service"))
    assert sqlite_sides.target.ids("shop_item") == []


def test_a_missing_table_is_named_with_its_side(sqlite_sides):
    sqlite_sides.target.run("DROP TABLE shop_item")
    message = refusal(sqlite_sides, errors.TableMissing).message
    assert "shop_item" in message
    assert "service's" in message


def test_a_table_missing_in_the_monolith_is_named(sqlite_sides):
    sqlite_sides.source.run("DROP TABLE shop_item")
    assert "monolith's" in refusal(sqlite_sides, errors.TableMissing).message


def test_other_columns_are_refused_with_both_lists(sides):
    sides.target.run("ALTER TABLE shop_item ADD COLUMN colour text")
    message = refusal(sides, errors.ColumnsDiffer).message
    assert "nothing for the service's colour" in message
    assert "monolith has extra, id, made, price, shelf_id, sold" in message
    assert "service has colour, extra, id, made, price, shelf_id, sold" in message


def test_other_types_between_two_postgresqls_are_refused_by_name(postgres_sides):
    postgres_sides.source.run("CREATE TABLE t (id int PRIMARY KEY, price numeric(10,2))")
    postgres_sides.target.run("CREATE TABLE t (id int PRIMARY KEY, price numeric(10,3))")
    message = refusal(postgres_sides, errors.ColumnsDiffer, routes(tables=["t"])).message
    assert "price is numeric(10,2) in the monolith, numeric(10,3) in the service" in message


def test_a_table_without_a_primary_key_is_refused(sqlite_sides):
    for side in (sqlite_sides.source, sqlite_sides.target):
        side.run("CREATE TABLE plain (name text)")
    assert "plain" in refusal(sqlite_sides, errors.NoPrimaryKey, routes(tables=["plain"])).message


def test_a_source_that_does_not_open_is_told_from_a_target_that_does_not(sqlite_sides):
    nowhere = Side(f"sqlite:///{sqlite_sides.var}/nowhere.sqlite3")
    source_gone = Sides(nowhere, sqlite_sides.target, sqlite_sides.var)
    target_gone = Sides(sqlite_sides.source, nowhere, sqlite_sides.var)
    assert "nowhere.sqlite3" in refusal(source_gone, errors.SourceUnreachable).message
    assert "CATALOG_DATABASE_URL" in refusal(target_gone, errors.TargetUnreachable).message
    assert not (sqlite_sides.var / "nowhere.sqlite3").exists()


def test_a_postgresql_that_does_not_answer_is_a_refusal_and_no_traceback(sqlite_sides):
    nobody = Side("postgresql://postgres@127.0.0.1:1/catalog")
    refusal(Sides(sqlite_sides.source, nobody, sqlite_sides.var), errors.TargetUnreachable)


def test_there_is_no_way_from_postgresql_back_to_sqlite(mixed_sides):
    swapped = Sides(mixed_sides.target, mixed_sides.source, mixed_sides.var)
    refusal(swapped, errors.UnsupportedEngines)


def test_values_that_do_not_fit_are_all_named_and_nothing_is_kept(mixed_sides):
    fill(mixed_sides.source)
    mixed_sides.source.run(
        "UPDATE shop_item SET sold = 'maybe', made = 'never' WHERE id = 5;"
        "UPDATE shop_item SET extra = '{' WHERE id = 1"
    )
    message = refusal(mixed_sides, errors.UnfitValues).message
    for fault in ("id=5: sold = 'maybe'", "id=5: made = 'never'", "id=1: extra = '{'"):
        assert fault in message
    assert mixed_sides.target.ids("shop_item") == []


def test_a_price_that_would_be_rounded_is_named_and_never_copied(mixed_sides):
    fill(mixed_sides.source)
    mixed_sides.source.run("UPDATE shop_item SET price = 1.999 WHERE id = 5")
    message = refusal(mixed_sides, errors.UnfitValues).message
    assert "id=5: price = 1.999, wanted numeric(10,2)" in message
    assert mixed_sides.target.ids("shop_item") == []


def test_a_text_that_is_too_long_is_named_and_never_cut(mixed_sides):
    fill(mixed_sides.source)
    mixed_sides.source.run("UPDATE shop_shelf SET name = 'much more than twenty letters'")
    assert "wanted character varying(20)" in refusal(mixed_sides, errors.UnfitValues).message
    assert mixed_sides.target.ids("shop_shelf") == []


def test_a_row_whose_parent_is_gone_is_never_kept(sqlite_sides):
    sqlite_sides.source.run("INSERT INTO shop_item VALUES (9, 1, 404, 0, NULL, '[]')")
    refusal(sqlite_sides, errors.TargetRefusedRows)
    assert sqlite_sides.target.ids("shop_item") == []
