import logging
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from extracted.catalog.__main__ import MIGRATIONS, main
from extracted.catalog.app import create_app
from extracted.catalog.config import Config
from extracted.catalog.models import Base, Category
from extracted.chassis.migrate import is_newest, upgrade
from extracted.chassis.resource import Answer
from extracted.chassis.tables import HOUSE
from extracted.chassis.writing import Shelf, write

NOW = datetime(2024, 5, 1, tzinfo=UTC)


def test_a_service_without_its_database_lives_but_is_not_ready(tmp_path):
    app = create_app(Config("postgresql://postgres@127.0.0.1:1/nowhere", None, "INFO"))
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    app.extensions["database"].close()


def test_a_defect_is_a_page_and_a_log_line_and_never_a_traceback(tmp_path, caplog):
    app = create_app(Config(f"sqlite:///{tmp_path}/unmigrated.sqlite3", None, "INFO"))
    answer = app.test_client().get("/api/products/")
    assert answer.status_code == 500
    assert "Server Error (500)" in answer.text
    assert "OperationalError" in caplog.text
    app.extensions["database"].close()


def test_a_service_with_its_database_is_ready(app):
    assert app.test_client().get("/readyz").json == {"status": "ok", "database": "ok"}


def test_migrations_make_exactly_what_the_models_say(database):
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), [Base.metadata, HOUSE]) == []


def test_migrating_twice_changes_nothing(database):
    assert is_newest(database, MIGRATIONS)
    upgrade(database, MIGRATIONS, Base.metadata)
    assert is_newest(database, MIGRATIONS)


def test_a_missing_migration_is_told_and_not_run(database_url, monkeypatch):
    monkeypatch.setenv("CATALOG_DATABASE_URL", database_url)
    check = CliRunner().invoke(main, ["migrate", "--check"])
    assert (check.exit_code, "not at the newest schema" in check.output) == (1, True)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    assert CliRunner().invoke(main, ["migrate", "--check"]).exit_code == 0


@pytest.mark.parametrize("path", ["/api/products/", "/api/categories/"])
def test_a_longer_list_costs_no_more_queries(app, products, path):
    statements: list[str] = []
    engine = app.extensions["database"].engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    client = app.test_client()
    client.get(f"{path}?page_size=1")
    few = len(statements)
    statements.clear()
    assert client.get(f"{path}?page_size=100").status_code == 200
    assert len(statements) == few <= 4


def test_a_write_that_lost_a_race_checks_again(database):
    seen: list[int] = []

    def insert(session: Session) -> Answer:
        seen.append(len(session.scalars(select(Category)).all()))
        if seen == [0]:  # between the check and the write, somebody else was faster
            raise IntegrityError("insert", {}, Exception("duplicate"))
        return Answer(201, None)

    assert write(Shelf(database, lambda: NOW), "catalog_category", insert).status == 201
    assert len(seen) == 2


def test_a_write_that_fails_leaves_nothing_behind(database):
    def spoil(session: Session) -> Answer:
        session.add(Category(name="n", slug="n"))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(Shelf(database, lambda: NOW), "catalog_category", spoil)
    with database.reading() as session:
        assert session.scalars(select(Category)).all() == []


def test_requests_are_counted_by_route_and_not_by_address(app, products):
    client = app.test_client()
    for key in products[:3]:
        client.get(f"/api/products/{key}/")
    client.get("/wp-login.php")
    figures = client.get("/metrics").text
    assert 'route="/api/products/<key:key>/",service="catalog",status="200"} 3.0' in figures
    assert "wp-login" not in figures


def test_every_request_leaves_one_line_with_its_ids(app, caplog):
    caplog.set_level(logging.INFO)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"X-Request-ID": "abc", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    app.test_client().get("/api/products/", headers=headers)
    app.test_client().get("/healthz")
    (line,) = [record for record in caplog.records if record.name == "catalog.access"]
    assert (line.request_id, line.trace_id, line.path, line.status) == ("abc", trace, "/api/products/", 200)
