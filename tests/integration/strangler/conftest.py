"""An installation of its own for every test, with a well service and as many fake workers as wanted."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_worker import FakeWorker, service

from strangler.actor import Actor
from strangler.installation import Installation

TABLE = """\
version = 1

[upstreams.monolith]
url = "http://127.0.0.1:1"

[upstreams.catalog]
url = "{url}"
health = "/healthz"

[groups.catalog]
service = "catalog"
tables = ["catalog_product"]
owner = "monolith"

[[routes]]
name = "catalog.products"   # the list
group = "catalog"
path = "/api/products/"
methods = ["GET", "HEAD"]
stage = "monolith"

[[routes]]
name = "catalog.product"
group = "catalog"
path = "/api/products/{{id}}/"
methods = ["GET", "HEAD"]
stage = "monolith"

[[routes]]
name = "catalog.edit"
group = "catalog"
path = "/api/products/{{id}}/"
methods = ["PUT", "PATCH"]
stage = "shadow"
"""


@pytest.fixture
def catalog_url() -> Iterator[str]:
    with service() as (url, _):
        yield url


@pytest.fixture
def place(tmp_path: Path, catalog_url: str) -> Installation:
    """Return an installation whose routes start at the monolith."""
    table = tmp_path / "proxy" / "routes.toml"
    table.parent.mkdir()
    table.write_text(TABLE.format(url=catalog_url))
    return Installation(root=tmp_path, table=table, var=tmp_path / "var")


@pytest.fixture
def ann() -> Actor:
    return Actor("ann@shop", lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def hire(place: Installation) -> Iterator[Callable[..., FakeWorker]]:
    """Return a function that starts a fake worker; all are stopped at the end."""
    workers: list[FakeWorker] = []

    def start(pid: int, answer=None) -> FakeWorker:
        workers.append(FakeWorker(place.control, pid, place.table, answer))
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()
