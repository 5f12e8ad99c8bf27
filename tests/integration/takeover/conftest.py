"""Two databases of every pair of engines that rows can move between."""

import pytest

from tests.integration.takeover.sides import Side, Sides, create, fill
from tests.integration.takeover.things import Things, make_things
from tests.postgres import Postgres

PAIRS = [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql")]


def make_side(engine: str, name: str, tmp_path, request) -> Side:
    if engine == "sqlite":
        side = Side(f"sqlite:///{tmp_path / name}.sqlite3")
        side.run("PRAGMA journal_mode=WAL")
        return side
    server: Postgres = request.getfixturevalue("postgres")
    url = server.fresh()
    request.addfinalizer(lambda: server.let_go(url))
    return Side(url)


@pytest.fixture(params=PAIRS, ids=lambda pair: "-".join(pair))
def empty_sides(request, tmp_path) -> Sides:
    """The two databases, tables made, nothing in them."""
    source, target = request.param
    sides = Sides(
        make_side(source, "monolith", tmp_path, request),
        make_side(target, "catalog", tmp_path, request),
        tmp_path,
    )
    create([sides.source, sides.target])
    return sides


@pytest.fixture
def sides(empty_sides) -> Sides:
    """The two databases, a few rows in the monolith's."""
    fill(empty_sides.source)
    return empty_sides


@pytest.fixture
def sqlite_sides(tmp_path, request) -> Sides:
    """Two SQLite files, tables made, a few rows in the monolith's."""
    source, target = (make_side("sqlite", name, tmp_path, request) for name in ("monolith", "catalog"))
    create([source, target])
    fill(source)
    return Sides(source, target, tmp_path)


@pytest.fixture
def postgres_sides(tmp_path, request) -> Sides:
    """Two PostgreSQL databases, empty."""
    source, target = (make_side("postgresql", "", tmp_path, request) for _ in range(2))
    return Sides(source, target, tmp_path)


@pytest.fixture
def mixed_sides(tmp_path, request) -> Sides:
    """A SQLite file and a PostgreSQL database, tables made, nothing in them."""
    source = make_side("sqlite", "monolith", tmp_path, request)
    target = make_side("postgresql", "catalog", tmp_path, request)
    create([source, target])
    return Sides(source, target, tmp_path)


@pytest.fixture
def things(empty_sides) -> Things:
    """A takeover that is not begun, on every pair of engines."""
    return make_things(empty_sides)


@pytest.fixture
def sqlite_things(tmp_path, request) -> Things:
    """A takeover that is not begun, between two SQLite files."""
    source, target = (make_side("sqlite", name, tmp_path, request) for name in ("monolith", "catalog"))
    return make_things(Sides(source, target, tmp_path))


@pytest.fixture
def postgres_things(postgres_sides) -> Things:
    """A takeover that is not begun, between two PostgreSQL databases."""
    return make_things(postgres_sides)
