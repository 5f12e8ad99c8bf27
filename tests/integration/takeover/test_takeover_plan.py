"""`takeover plan` lists everything that stands in the way, at once, and touches nothing."""

import pytest

from strangler import errors
from strangler.takeover.mapping import Mapping, TableMapping, read_mapping
from strangler.takeover.plan import PlanReport, plan
from strangler.takeover.start import start
from strangler.takeover.verify import verify
from tests.integration.takeover.sides import Sides, fill, routes


def planned(sides: Sides, tables=None, mappings: Mapping | None = None) -> PlanReport:
    return plan(routes(tables=tables), "catalog", sides.environ, sides.var, mappings)


def said(report: PlanReport, *, blocks: bool) -> str:
    return "\n".join(
        f"{each.table}: {each.found}; {each.wanted}" for each in report.findings if each.blocks is blocks
    )


def kits_own(sides: Sides) -> list[str]:
    """Return everything of the kit's in both databases."""
    found = []
    for side in (sides.source, sides.target):
        query = (
            "SELECT name FROM sqlite_master WHERE name LIKE 'strangler%'"
            if side.is_sqlite
            else "SELECT tgname FROM pg_trigger WHERE tgname LIKE '%strangler%'"
            " UNION SELECT nspname FROM pg_namespace WHERE nspname = 'strangler'"
        )
        found += [name for (name,) in side.ask(query)]
    return found


def test_what_fits_is_possible_and_counted(sides):
    report = planned(sides)
    assert report.possible
    assert [(each.table, each.key, each.rows) for each in report.tables] == [
        ("shop_shelf", ("id",), 3),
        ("shop_item", ("id",), 2),
    ]


def test_everything_in_the_way_is_listed_at_once_and_nothing_is_touched(sides):
    for side in (sides.source, sides.target):
        side.run("CREATE TABLE keyless (name text)")
    sides.source.run("CREATE TABLE only_here (id int PRIMARY KEY)")
    sides.target.run("ALTER TABLE shop_item ADD COLUMN colour text")
    tables = ["shop_shelf", "shop_item", "keyless", "only_here"]
    blocking = said(planned(sides, tables), blocks=True)
    for what in ("keyless: no primary key", "only_here: the service's database has no such table", "colour"):
        assert what in blocking
    with pytest.raises(errors.Refused) as refusal:
        start(routes(tables=tables), "catalog", sides.environ, sides.var, execute=True)
    assert all(what in refusal.value.message for what in ("keyless", "only_here", "colour"))
    assert kits_own(sides) == []


def test_values_that_do_not_fit_are_listed_before_anything_is_touched(mixed_sides):
    fill(mixed_sides.source)
    mixed_sides.source.run(
        "UPDATE shop_item SET price = 1.005, made = 'never' WHERE id = 5;"
        "UPDATE shop_shelf SET name = 'more than twenty letters long' WHERE id = 2;"
        "UPDATE shop_item SET extra = 'x' || char(0) WHERE id = 1"
    )
    blocking = said(planned(mixed_sides), blocks=True)
    for fault in (
        "id=5: price = 1.005",
        "id=5: made = 'never'",
        "id=2: name = 'more than",
        "id=1: extra = 'x\\x00'",
    ):
        assert fault in blocking
    with pytest.raises(errors.UnfitValues):
        start(routes(), "catalog", mixed_sides.environ, mixed_sides.var, execute=True)
    assert kits_own(mixed_sides) == []


def test_a_key_of_bytes_is_refused(sides):
    for side in (sides.source, sides.target):
        side.run(f"CREATE TABLE digest (id {'blob' if side.is_sqlite else 'bytea'} PRIMARY KEY, name text)")
    blocking = said(planned(sides, ["shop_shelf", "shop_item", "digest"]), blocks=True)
    assert "digest: the key's id holds bytes in the monolith's database" in blocking


@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE"])
def test_a_foreign_key_that_acts_by_itself_is_refused(sides, action):
    sides.source.run(
        f"CREATE TABLE line (id int PRIMARY KEY, shelf bigint REFERENCES shop_shelf (id) {action})"
    )
    report = planned(sides)
    assert not report.possible
    assert "line (shelf) refers to shop_shelf with" in said(report, blocks=True)


def test_a_foreign_key_that_is_checked_at_once_is_refused(postgres_sides):
    for side in (postgres_sides.source, postgres_sides.target):
        side.run(
            "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a)"
        )
    report = planned(postgres_sides, ["a", "b"])
    assert "b (a) refers to a, checked at once in the service's database" in said(report, blocks=True)


def test_what_points_into_the_group_and_out_of_it_is_said(sides):
    deferred = "DEFERRABLE INITIALLY DEFERRED"
    sides.source.run(
        f"CREATE TABLE line (id int PRIMARY KEY, item bigint REFERENCES shop_item (id) {deferred});"
        "CREATE TABLE django_content_type (id int PRIMARY KEY);"
        "CREATE TABLE tag (id int PRIMARY KEY, object_id int,"
        f" content_type_id int REFERENCES django_content_type (id) {deferred})"
    )
    report = planned(sides)
    assert report.possible
    notes = said(report, blocks=False)
    assert "line (item) refers to shop_item, from outside the group" in notes
    assert "tag: a generic foreign key" in notes


def test_triggers_of_others_are_said(sqlite_sides):
    sqlite_sides.source.run("CREATE TRIGGER audit AFTER INSERT ON shop_item BEGIN SELECT 1; END")
    assert "shop_item: trigger audit in the monolith's database" in said(planned(sqlite_sides), blocks=False)


def test_tables_and_columns_may_have_other_names_and_arrive_there(sides):
    kind = "INTEGER" if sides.target.is_sqlite else "bigint"
    sides.target.run(
        f"CREATE TABLE shelf (id {kind} PRIMARY KEY, title varchar(20) NOT NULL, above bigint NULL)"
    )
    mappings = Mapping({"shop_shelf": TableMapping("shelf", {"name": "title", "parent_id": "above"})})
    table = routes(tables=["shop_shelf"])
    place = table, "catalog", sides.environ, sides.var
    assert planned(sides, ["shop_shelf"], mappings).tables[0].into == "shelf"
    start(*place, execute=True, mappings=mappings)
    assert sides.target.ask("SELECT id, title, above FROM shelf ORDER BY id") == [
        (1, "Bücher", 3),
        (2, "", None),
        (3, "top", None),
    ]
    assert verify(*place, mappings=mappings).differing == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[tables.a]\ncolour = 1", "tables.a.colour"),
        ("[tables.a]\ntable = 1", "tables.a.table"),
        ("[other]", "other"),
        ("tables = 1", "tables"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_mapping_that_says_something_unknown_is_refused_by_key(tmp_path, text, named):
    file = tmp_path / "takeover.toml"
    file.write_text(text)
    with pytest.raises(errors.BadMapping, match=named):
        read_mapping(file)


def test_without_a_mapping_everything_is_called_the_same(tmp_path):
    assert read_mapping(tmp_path / "takeover.toml") == Mapping()
