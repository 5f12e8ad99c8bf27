"""What a client may do after the service died under its request: send it again with the same key."""

import json
import socket
from collections.abc import Iterator

import pytest
import requests
from catalog_callers import token
from running_catalog import RunningCatalog, until
from sqlalchemy import func, select, text

from extracted.catalog.models import Category
from extracted.chassis.identity import HEADER
from extracted.chassis.tables import ANSWERS
from tests.ports import free_port

PATH = "/api/categories/"
SHELF = {"name": "Cups", "slug": "cups"}


@pytest.fixture
def catalog(database, database_url, tmp_path) -> Iterator[RunningCatalog]:
    """The service as a process."""
    running = RunningCatalog(database_url, free_port(), tmp_path / "log")
    running.start()
    yield running
    running.kill()


def rows(database) -> tuple[int | None, ...]:
    with database.reading() as session:
        return tuple(session.scalar(select(func.count()).select_from(each)) for each in (Category, ANSWERS))


def send(catalog) -> socket.socket:
    """Send the request and read no answer."""
    body = json.dumps(SHELF)
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: testserver",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"{HEADER}: {token(1)}",
        "Idempotency-Key: a",
    ]
    client = socket.create_connection(("127.0.0.1", catalog.port))
    client.sendall("\r\n".join([*lines, "", body]).encode())
    return client


def repeat(catalog) -> requests.Response:
    return catalog.post(PATH, SHELF, **{"Idempotency-Key": "a"})


def test_a_service_killed_after_its_commit_answers_the_repeat_as_if_it_had_lived(catalog, database):
    with send(catalog):
        until(lambda: rows(database) == (1, 1))
        catalog.kill()
    catalog.start()
    answer = repeat(catalog)
    assert (answer.status_code, answer.json()["slug"]) == (201, "cups")
    assert repeat(catalog).content == answer.content
    assert rows(database) == (1, 1)


def test_a_service_killed_before_its_commit_did_nothing_and_does_it_on_the_repeat(catalog, database):
    lock = {
        "postgresql": "LOCK TABLE catalog_category IN EXCLUSIVE MODE",
        "sqlite": "SELECT 1",  # any statement begins the transaction, and keeps other writers waiting
    }
    with database.writing() as session:
        session.execute(text(lock[database.engine.dialect.name]))
        with send(catalog):
            assert requests.get(f"{catalog.url}/healthz", timeout=60).status_code == 200
            catalog.kill()
    assert rows(database) == (0, 0)
    catalog.start()
    assert repeat(catalog).status_code == 201
    assert rows(database) == (1, 1)
