"""The contract runs over both upstreams and both databases."""

from collections.abc import Iterator
from functools import cache

import pytest

from tests.integration.contract.world import Catalog, Databases, Monolith, World, make_databases

ENGINES = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def furnished(request, tmp_path_factory):
    """Return the databases of a furnished shop on an engine, made once; they are only ever read."""

    @cache
    def made(engine: str) -> Databases:
        if engine == "postgresql":
            server = request.getfixturevalue("postgres")
            urls = (server.fresh(), server.fresh())
        else:
            folder = tmp_path_factory.mktemp("furnished")
            urls = (f"sqlite:///{folder}/monolith.sqlite3", f"sqlite:///{folder}/catalog.sqlite3")
        return make_databases(*urls, tmp_path_factory.mktemp("var"))

    return made


@pytest.fixture(params=ENGINES)
def engine(request) -> str:
    """The engine under both upstreams."""
    return request.param


@pytest.fixture
def world(engine, furnished, django_db_blocker) -> Iterator[World]:
    """Both upstreams over the furnished shop, to be read."""
    with django_db_blocker.unblock(), furnished(engine).open() as opened:
        yield opened


@pytest.fixture
def own_world(engine, furnished, tmp_path, request, django_db_blocker) -> Iterator[World]:
    """Both upstreams over a copy of the furnished shop that the test may change."""
    with django_db_blocker.unblock():
        server = request.getfixturevalue("postgres") if engine == "postgresql" else None
        with furnished(engine).copied(tmp_path, server).open() as opened:
            yield opened


@pytest.fixture(params=["monolith", "catalog"])
def side(request) -> str:
    """Which of the two answers."""
    return request.param


@pytest.fixture
def upstream(side, world) -> Monolith | Catalog:
    """One of the two, to be read."""
    return getattr(world, side)


@pytest.fixture
def own_upstream(side, own_world) -> Monolith | Catalog:
    """One of the two, on data that the test may change."""
    return getattr(own_world, side)
