"""Nothing of a rehearsal is kept: not of a thousand, not of one that is killed, not beside the follower."""

import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import requests
from pausing import PAUSE
from rehearsing import EFFECTS, KEY, PREFIX, contents, headers
from running_catalog import PATIENCE, RunningCatalog, until
from sqlalchemy import delete, func, select, text, update

from extracted.catalog.__main__ import MIGRATIONS
from extracted.catalog.models import Base, Category, Product, ProductImage
from extracted.chassis.database import Database
from extracted.chassis.migrate import upgrade
from proxy.routes import Owner
from proxy.table import parse_table
from strangler.takeover.flow import step
from strangler.takeover.handover import Where, opened
from strangler.takeover.patience import Patience
from strangler.takeover.start import begin
from tests.fences import fence, unfence
from tests.ports import free_port

TABLES = tuple(Base.metadata.tables)
MANY = 1_000
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
ROUTES = f"""
version = 1
[upstreams.monolith]
url = "http://127.0.0.1:8001"
[upstreams.catalog]
url = "http://127.0.0.1:8101"
[groups.catalog]
service = "catalog"
tables = {sorted(TABLES)}
owner = "monolith"
"""


def wishes(number: int) -> tuple[str, str, object]:
    """Return the method, path and body of a rehearsal: every kind there is, one after the other."""
    product = {"sku": f"N{number}", "name": "N", "slug": f"n{number}", "category_id": 1, "price": "3"}
    return [
        ("POST", "/api/products/", product),
        ("PATCH", f"/api/products/{number % 30 + 1}/", {"name": f"Other {number}"}),
        ("DELETE", f"/api/products/{number % 30 + 1}/", None),
        ("POST", "/api/reviews/", {"product": number % 30 + 1, "rating": 5, "title": "t"}),
        ("POST", "/api/products/", {}),
        ("POST", "/api/categories/", {"name": "n", "slug": f"n{number}"}),
        ("DELETE", "/api/categories/1/", None),
        ("PATCH", "/api/products/999/", {"name": "n"}),
        ("POST", "/pause/", None),  # without anybody there: a defect, a 500
        ("POST", "/api/products/", {**product, "sku": "S1"}),
    ][number % 10]


STATUSES = (201, 200, 204, 201, 400, 201, 409, 404, 500, 400)


def rehearse(url: str, number: int) -> requests.Response:
    method, path, body = wishes(number)
    return requests.request(
        method, url + PREFIX + path, json=body, headers=headers(method, path), timeout=PATIENCE
    )


@pytest.fixture
def stage(database, products) -> Database:
    """The monolith owns the tables, since epoch 4."""
    with database.writing() as session:
        for statement in fence(database.engine.dialect.name, TABLES, epoch=4):
            session.execute(text(statement))
    return database


@pytest.fixture
def waiting() -> Iterator[socket.socket]:
    """Somebody for whom a paused rehearsal waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


@pytest.fixture
def catalog(database, database_url, tmp_path, waiting) -> Iterator[RunningCatalog]:
    """The service as a process."""
    more = {"STRANGLER_REHEARSAL_KEY": KEY, PAUSE: str(waiting.getsockname()[1])}
    application = "tests.integration.catalog.pausing:serve()"
    running = RunningCatalog(database_url, free_port(), tmp_path / "log", more, application)
    yield running
    running.kill()


def test_a_thousand_rehearsals_leave_every_table_and_every_sequence_as_it_was(stage, catalog):
    catalog.more = {**catalog.more, PAUSE: "1"}  # where nobody listens
    catalog.start()
    before = contents(stage.url)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda number: rehearse(catalog.url, number), range(MANY)))
    for number, answer in enumerate(answers):
        assert EFFECTS in answer.headers
        # Three at a time: one may give way to another.
        assert answer.status_code in {STATUSES[number % 10], 503}, (wishes(number), answer.text)
    given_way = sum(answer.headers[EFFECTS] == "none;reason=busy" for answer in answers)
    assert given_way == sum(answer.status_code == 503 for answer in answers)
    assert {answer.status_code for answer in answers} >= set(STATUSES)
    assert contents(stage.url) == before


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_a_service_killed_inside_a_rehearsal_leaves_nothing(stage, catalog, waiting, stopped):
    catalog.start()
    before = contents(stage.url)
    asking = threading.Thread(target=_ask_and_lose, args=(catalog.url,))
    asking.start()
    held, _ = waiting.accept()  # it has written, and waits
    with held:
        assert catalog.process is not None
        if stopped:
            os.killpg(catalog.process.pid, signal.SIGSTOP)
        catalog.kill()
    asking.join()
    assert contents(stage.url) == before
    _write_for_real(stage)  # no lock is left


@pytest.mark.parametrize("round_", range(3))
def test_a_service_killed_among_many_rehearsals_leaves_nothing(stage, catalog, round_):
    catalog.more = {**catalog.more, PAUSE: "1"}
    catalog.start()
    before = contents(stage.url)
    answered = Counter[int]()

    def rehearse_until_it_dies(number: int) -> None:
        with suppress(requests.RequestException):
            for each in range(number * 10_000, (number + 1) * 10_000):
                answered[rehearse(catalog.url, each).status_code] += 1

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(rehearse_until_it_dies, number) for number in range(3)]
        until(lambda: answered.total() >= 20 + 7 * round_)
        catalog.kill()
        for each in running:
            each.result()
    assert contents(stage.url) == before
    _write_for_real(stage)


def test_a_rehearsal_that_stands_still_is_ended_by_postgresql(stage):
    if stage.engine.dialect.name == "sqlite":
        return  # nobody but the process itself can end its transaction there
    _lift(stage)
    with stage.unkeepable() as rehearsal:
        rehearsal.execute(update(Category).values(name="rehearsed"))
        with stage.writing() as session:
            session.execute(update(Category).values(name="real"))  # waits until the rehearsal is ended
    with stage.reading() as session:
        assert session.scalar(select(Category.name)) == "real"


def test_real_writes_beside_rehearsals_are_all_kept_and_no_id_is_lost(stage, catalog):
    _lift(stage)
    catalog.more = {**catalog.more, PAUSE: "1"}
    catalog.start()
    ended = threading.Event()

    def rehearse_all_the_while(start: int) -> Counter[int]:
        answered, number = Counter[int](), start
        while not ended.is_set():
            answered[rehearse(catalog.url, number).status_code] += 1
            number += 1
        return answered

    with ThreadPoolExecutor(2) as pool:
        rehearsing = [pool.submit(rehearse_all_the_while, start) for start in (0, 5_000)]
        real = [_create(catalog, number) for number in range(60)]
        ended.set()
        answered = rehearsing[0].result() + rehearsing[1].result()
    assert [answer.status_code for answer in real] == [201] * 60
    assert [answer.json()["id"] for answer in real] == list(range(31, 91))
    assert set(answered) <= {*STATUSES, 503}
    assert answered[201]
    with stage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Product)) == 90


def test_the_follower_and_rehearsals_run_beside_each_other(stage, catalog, tmp_path, request):
    _lift(stage)
    with stage.writing() as session:  # the copy begins empty
        for model in (ProductImage, Product, Category):
            session.execute(delete(model))
    monolith = _monolith(stage, tmp_path, request)
    addresses = {
        "MONOLITH_DATABASE_URL": _plain(monolith),
        "CATALOG_DATABASE_URL": _plain(stage),
    }
    where = Where(
        parse_table(ROUTES, "routes.toml"),
        "catalog",
        addresses,
        tmp_path,
        patience=Patience(wait=20, tries=20, pause=lambda _: None),
    )
    catalog.more = {**catalog.more, PAUSE: "1"}
    catalog.start()
    with opened(where) as takeover:
        begin(takeover, where.patience)
        leases = takeover.databases.take_leases()
        written, ended = threading.Event(), threading.Event()

        def follow() -> int:
            steps = 0
            while not (step(takeover.flow(Owner.MONOLITH), leases.service).settled and written.is_set()):
                steps += 1
            ended.set()
            return steps

        def rehearse_all_the_while(start: int) -> Counter[int]:
            answered, number = Counter[int](), start
            while not ended.is_set():
                answered[rehearse(catalog.url, number).status_code] += 1
                number += 1
            return answered

        with ThreadPoolExecutor(3) as pool:
            following = pool.submit(follow)
            rehearsing = [pool.submit(rehearse_all_the_while, start) for start in (0, 5_000)]
            try:
                for number in range(150):
                    _write_as_the_monolith(monolith, number)
            finally:
                written.set()
            following.result()
            answered = rehearsing[0].result() + rehearsing[1].result()
    assert set(answered) <= {*STATUSES, 503}, answered
    assert answered.total() > answered[503]
    ours, theirs = contents(stage.url), contents(monolith.url)
    for table in TABLES:
        name = table if table in ours else f"public.{table}"
        assert ours[name] == theirs[name], table
    monolith.close()


def _ask_and_lose(url: str) -> None:
    with suppress(requests.RequestException):
        requests.post(f"{url}{PREFIX}/pause/", headers=headers("POST", "/pause/"), timeout=PATIENCE)


def _lift(database: Database) -> None:
    with database.writing() as session:
        for statement in unfence(database.engine.dialect.name, TABLES):
            session.execute(text(statement))


def _write_for_real(database: Database) -> None:
    _lift(database)
    with database.writing() as session:
        if database.engine.dialect.name == "postgresql":
            session.execute(text("SET LOCAL lock_timeout = '10s'"))
        session.execute(update(Category).values(name="real"))


def _create(catalog: RunningCatalog, number: int) -> requests.Response:
    product = {"sku": f"R{number}", "name": "R", "slug": f"r{number}", "category_id": 1, "price": "3"}
    return catalog.post("/api/products/", product)


def _plain(database: Database) -> str:
    """Return a database's address as the kit takes it."""
    url = database.url
    if database.engine.dialect.name == "postgresql":
        url = url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def _monolith(stage: Database, tmp_path, request) -> Database:
    """Make the monolith's database, on the same engine, with thirty products."""
    if stage.engine.dialect.name == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/monolith.sqlite3")
    else:
        database = Database(request.getfixturevalue("postgres").fresh())
    upgrade(database, MIGRATIONS, Base.metadata)
    with database.writing() as session:
        session.add(Category(id=1, name="Shelf", slug="shelf"))
    for number in range(30):
        _write_as_the_monolith(database, 4 * number)
    return database


def _write_as_the_monolith(database: Database, number: int) -> None:
    with database.writing() as session:
        highest = session.scalar(select(func.max(Product.id))) or 0
        if number % 4 < 2:
            session.add(_product(highest + 1))
        elif number % 4 == 2:
            session.execute(update(Product).where(Product.id == highest).values(name=f"M{number}"))
        else:
            session.execute(delete(Product).where(Product.id == highest - 1))


def _product(key: int) -> Product:
    words = {"sku": f"M{key}", "name": "M", "slug": f"m-{key}", "category_id": 1, "price": Decimal(1)}
    return Product(id=key, **words, created_at=NOW, updated_at=NOW)
