"""A rehearsal answers as the write itself would, tells what it would have done, and leaves nothing."""

import logging
from email.message import EmailMessage

import pytest
import requests
from catalog_callers import KEY as SIGNING
from catalog_callers import token
from rehearsing import EFFECTS, KEY, MARK, PREFIX, contents, effects, headers, mark, rehearse
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from extracted.catalog.app import create_app
from extracted.catalog.config import Config
from extracted.catalog.models import Base, Category, Product, ProductImage
from extracted.chassis.identity import HEADER as IDENTITY
from extracted.chassis.rehearsals.outgoing import RehearsableAdapter, send_mail
from tests.fences import fence, unfence

TABLES = tuple(Base.metadata.tables)
PRODUCT = {"sku": "N", "name": "N", "slug": "n", "category_id": 1, "price": "3"}
REVIEW = {"product": 1, "rating": 5, "title": "t"}


@pytest.fixture
def stage(database, products):
    """The monolith owns the tables, since epoch 4."""
    with database.writing() as session:
        for statement in fence(database.engine.dialect.name, TABLES, epoch=4):
            session.execute(text(statement))
    return database


@pytest.fixture
def service(stage, database_url):
    """The service, fenced, that knows the proxy's key."""
    app = create_app(Config(database_url, SIGNING.public_key(), "INFO", rehearsal_key=KEY.encode()))
    yield app
    app.extensions["database"].close()


def let_write(database) -> None:
    """Take the fences away."""
    with database.writing() as session:
        for statement in unfence(database.engine.dialect.name, TABLES):
            session.execute(text(statement))


# --- refusals


@pytest.mark.parametrize(
    "proof",
    [
        "",
        "nonsense",
        mark("POST", f"{PREFIX}/api/products/", key="another-key-that-is-long-enough"),
        mark("POST", f"{PREFIX}/api/products/", until=1),
        mark("POST", f"{PREFIX}/api/products/", until=99_999_999_999),
        mark("PUT", f"{PREFIX}/api/products/"),
        mark("POST", f"{PREFIX}/api/categories/"),
        mark("POST", f"{PREFIX}/api/products/?a=1"),
        mark("POST", "/api/products/"),
    ],
    ids=["none", "nonsense", "key", "expired", "forever", "method", "path", "query", "prefix"],
)
def test_a_rehearsal_that_the_proxy_did_not_ask_for_is_refused_and_does_not_run(service, stage, proof):
    before = contents(stage.url)
    answer = service.test_client().post(
        f"{PREFIX}/api/products/", json=PRODUCT, headers={MARK: proof, IDENTITY: token(1)}
    )
    assert answer.status_code == 403
    assert EFFECTS not in answer.headers
    assert contents(stage.url) == before


def test_without_a_key_there_is_no_such_address(keyed_app, stage):
    answer = rehearse(keyed_app, "POST", "/api/products/", PRODUCT)
    assert answer.status_code == 404
    assert EFFECTS not in answer.headers


def test_the_prefix_spelled_otherwise_is_no_rehearsal(service):
    target = "/__strangler__/rehears%65/api/products/"
    answer = service.test_client().post(
        target, json=PRODUCT, headers={MARK: mark("POST", target), IDENTITY: token(1)}
    )
    assert answer.status_code == 403


def test_a_mark_without_its_address_is_never_a_rehearsal_nor_a_write_of_its_own(service, stage):
    answer = service.test_client().post(
        "/api/products/", json=PRODUCT, headers=headers("POST", "/api/products/")
    )
    assert answer.status_code == 409  # the fence: an ordinary write
    assert EFFECTS not in answer.headers


def test_without_the_table_that_refuses_its_commit_nothing_is_rehearsed(database, products, database_url):
    app = create_app(Config(database_url, SIGNING.public_key(), "INFO", rehearsal_key=KEY.encode()))
    answer = rehearse(app, "POST", "/api/products/", PRODUCT)
    app.extensions["database"].close()
    assert answer.status_code == 503
    assert answer.headers[EFFECTS] == "none;reason=failed"


# --- what is answered


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/products/", PRODUCT),
        ("POST", "/api/categories/", {"name": "n", "slug": "n"}),
        ("POST", "/api/reviews/", REVIEW),
        ("PATCH", "/api/products/3/", {"name": "other"}),
        ("PUT", "/api/products/3/", PRODUCT),
        ("DELETE", "/api/products/3/", None),
        ("POST", "/api/products/", {}),
        ("POST", "/api/products/", {**PRODUCT, "sku": "S1"}),
        ("DELETE", "/api/categories/1/", None),
        ("PATCH", "/api/products/999/", {"name": "n"}),
        ("GET", "/api/products/3/", None),
        ("POST", "/api/products", PRODUCT),
        ("PATCH", "/nowhere/", None),
    ],
)
def test_a_fenced_service_answers_as_after_its_cutover(service, stage, method, path, body):
    before = contents(stage.url)
    rehearsed = rehearse(service, method, path, body)
    assert contents(stage.url) == before
    let_write(stage)
    real = service.test_client().open(path, method=method, json=body, headers={IDENTITY: token(1)})
    assert rehearsed.status == real.status
    assert _comparable(rehearsed) == _comparable(real)


def test_an_idempotency_key_is_not_used_up(service, stage):
    first = rehearse(service, "POST", "/api/products/", PRODUCT, Idempotency_Key="k")
    other = rehearse(service, "POST", "/api/products/", {**PRODUCT, "sku": "O"}, Idempotency_Key="k")
    assert (first.status_code, other.status_code) == (201, 201)


# --- what is told


def test_a_create_tells_its_row(service, stage):
    answer = rehearse(service, "POST", "/api/products/", PRODUCT)
    (change,) = effects(answer)["rows"]
    assert (change["table"], change["op"]) == ("catalog_product", "insert")
    assert change["key"] == {"id": answer.json["id"]}
    row = change["row"]
    assert (row["sku"], row["price"], row["attributes"], row["is_active"]) == ("N", "3.00", "{}", True)
    assert row["weight_kg"] is None
    assert row["created_at"].endswith("Z")
    assert len(row["created_at"]) == len("2026-11-26T00:00:00.000000Z")
    assert set(row) == {column.name for column in Product.__table__.columns}


def test_an_update_tells_the_whole_row_and_a_delete_every_row_that_goes(service, stage):
    (change,) = effects(rehearse(service, "PATCH", "/api/products/3/", {"name": "other"}))["rows"]
    assert (change["op"], change["key"], change["row"]["name"]) == ("update", {"id": 3}, "other")
    gone = effects(rehearse(service, "DELETE", "/api/products/3/"))["rows"]
    assert [each["table"] for each in gone] == [
        "catalog_product",
        "catalog_productimage",
        "catalog_productimage",
    ]
    assert {each["op"] for each in gone} == {"delete"}
    assert all(each["row"] is None for each in gone)


def test_a_row_that_is_left_as_it_was_is_not_told(service, stage):
    same = update(Product).where(Product.id == 1).values(name="P0")
    assert effects(perform(service, lambda session: session.execute(same)))["rows"] == []


def test_a_key_that_changes_is_a_row_gone_and_another_come(service, stage):
    moved = update(ProductImage).where(ProductImage.id == 1).values(id=77)
    answer = perform(service, lambda session: session.execute(moved))
    if stage.engine.dialect.name == "sqlite":
        told = [(change["op"], change["key"]["id"]) for change in effects(answer)["rows"]]
        assert told == [("delete", 1), ("insert", 77)]
    else:
        assert answer.headers[EFFECTS] == "none;reason=not_captured"


def test_events_are_told_and_not_passed_on(service, stage):
    told = effects(rehearse(service, "DELETE", "/api/products/3/"))
    assert [event["topic"] for event in told["events"]] == ["catalog.product.deleted"]
    assert told["calls"] == told["mails"] == []


def test_calls_and_mails_are_noted_and_not_sent(service, stage):
    sent: list[EmailMessage] = []
    session = requests.Session()
    session.mount("http://", RehearsableAdapter())
    mail = EmailMessage()
    mail["To"], mail["Subject"] = "Somebody <a@example.com>, b@example.com", "Hello"

    def tell_others(_session) -> None:
        assert session.post("http://127.0.0.1:1/orders?a=1", json={}, timeout=1).status_code == 202
        send_mail(mail, sent.append)

    told = effects(perform(service, tell_others))
    assert told["calls"] == [{"method": "POST", "url": "http://127.0.0.1:1/orders?a=1"}]
    assert told["mails"] == [{"to": ["a@example.com", "b@example.com"], "subject": "Hello"}]
    assert not sent
    send_mail(mail, sent.append)
    assert sent == [mail]


def test_a_refusal_tells_that_nothing_would_change(service, stage):
    assert effects(rehearse(service, "POST", "/api/products/", {}))["rows"] == []


def test_how_far_the_copy_has_come_is_told(service, stage):
    assert "copied" not in effects(rehearse(service, "POST", "/api/products/", {}))
    notes = "strangler_note" if stage.engine.dialect.name == "sqlite" else "strangler.note"
    with stage.writing() as session:
        said = '{"position": "10:12:", "tables": {}}'
        session.execute(
            text(f"INSERT INTO {notes} (takeover, name, body) VALUES ('catalog', 'checkpoint', :said)"),
            {"said": said},
        )
    assert effects(rehearse(service, "POST", "/api/products/", {}))["copied"] == "10:12:"


WORK = {
    "core update": lambda s: s.execute(update(Product).where(Product.id < 4).values(name="x")),
    "core insert": lambda s: s.execute(insert(Category.__table__).values(name="a", slug="a", position=1)),
    "core inserts": lambda s: s.execute(
        insert(Category), [{"name": n, "slug": n, "position": 1} for n in "abc"]
    ),
    "orm inserts": lambda s: s.add_all(Category(name=n, slug=n) for n in "abc"),
    "changed twice": lambda s: [
        s.execute(update(Product).where(Product.id == 1).values(name=n)) for n in ("x", "y")
    ],
}
SEEN = {"core update": 3, "core insert": 1, "core inserts": 3, "orm inserts": 3, "changed twice": 1}


def perform(service, work):
    """Rehearse, with the application's own database, something that no route does."""
    database = service.extensions["database"]

    def view() -> str:
        with database.writing() as session:
            work(session)
        return "done"

    service.add_url_rule("/work/", view_func=view, methods=["POST"])
    return rehearse(service, "POST", "/work/")


@pytest.mark.parametrize("name", WORK)
def test_rows_are_seen_whatever_changes_them(service, stage, name):
    before = contents(stage.url)
    rows = effects(perform(service, WORK[name]))["rows"]
    assert len(rows) == SEEN[name]
    assert contents(stage.url) == before


def test_what_changed_unseen_is_said_not_to_be_told(service, stage):
    answer = perform(service, lambda session: session.execute(text("UPDATE catalog_product SET name = 'x'")))
    assert answer.status_code == 200
    if stage.engine.dialect.name == "sqlite":
        assert len(effects(answer)["rows"]) == 30
    else:
        assert answer.headers[EFFECTS] == "none;reason=not_captured"


def test_a_table_emptied_at_once_is_said_not_to_be_told(service, stage):
    if stage.engine.dialect.name == "sqlite":
        rows = effects(perform(service, lambda session: session.execute(text("DELETE FROM catalog_review"))))
        assert rows["rows"] == []
    else:
        answer = perform(service, lambda session: session.execute(text("TRUNCATE catalog_review")))
        assert answer.headers[EFFECTS] == "none;reason=not_captured"


def test_a_service_with_a_role_of_its_own_needs_no_right_of_the_kits(stage):
    if stage.engine.dialect.name == "sqlite":
        return  # it has no roles
    role = f"catalog_{stage.url.database}"
    with stage.writing() as session:
        session.execute(text(f"CREATE ROLE {role} LOGIN"))
        session.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"))
        session.execute(text(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"))
    url = stage.url.set(username=role).render_as_string(hide_password=False)
    app = create_app(Config(url, SIGNING.public_key(), "INFO", rehearsal_key=KEY.encode()))
    answer = rehearse(app, "POST", "/api/products/", PRODUCT)
    app.extensions["database"].close()
    with stage.writing() as session:
        session.execute(text(f"DROP OWNED BY {role}"))
        session.execute(text(f"DROP ROLE {role}"))
    assert answer.status_code == 201
    assert len(effects(answer)["rows"]) == 1


def test_more_than_a_header_holds_is_said_not_to_be_told(service):
    answer = perform(service, lambda session: session.execute(update(Product).values(description=_noise())))
    assert answer.headers[EFFECTS] == "none;reason=too_large"


def test_an_error_of_the_service_is_the_answer_and_keeps_nothing(service, stage):
    def fail(session) -> None:
        session.execute(update(Product).values(name="x"))
        raise RuntimeError("a defect")

    before = contents(stage.url)
    answer = perform(service, fail)
    assert answer.status_code == 500
    assert effects(answer)["rows"] == []
    assert contents(stage.url) == before


@pytest.mark.parametrize(
    "work",
    [
        update(Product).where(Product.id == 1).values(category_id=4711),
        delete(Category),
        update(Category).values(parent_id=4711),
    ],
    ids=["a parent that never was", "a parent that goes", "in the same table"],
)
def test_what_a_commit_would_refuse_a_rehearsal_refuses(service, stage, work):
    rehearsed = perform(service, lambda session: session.execute(work))
    assert (rehearsed.status_code, effects(rehearsed)["rows"]) == (500, [])
    let_write(stage)
    real = service.test_client().post("/work/")
    assert (real.status_code, real.data) == (rehearsed.status_code, rehearsed.data)


# --- what can never be kept


def test_the_database_itself_refuses_to_commit_a_rehearsal(stage):
    before = contents(stage.url)
    with stage.unkeepable() as connection:
        connection.execute(update(Category).values(name="kept"))
        with pytest.raises(DBAPIError):
            connection.commit()
    assert contents(stage.url) == before


def test_the_database_refuses_also_where_the_row_was_taken_away_again(stage):
    table = "strangler_rehearsal" if stage.engine.dialect.name == "sqlite" else "strangler.rehearsal"

    def keep(connection) -> None:
        connection.execute(update(Category).values(name="kept"))
        connection.execute(text(f"DELETE FROM {table}"))
        connection.commit()

    with stage.unkeepable() as connection, pytest.raises(DBAPIError):
        keep(connection)
    with stage.reading() as session:
        assert set(session.scalars(select(Category.name))) == {"Shelf"}


def test_a_defect_that_commits_in_a_rehearsal_is_refused(service, stage):
    database = service.extensions["database"]
    before = contents(stage.url)

    def commit_all(session) -> None:
        session.execute(update(Category).values(name="kept"))
        session.connection().connection.driver_connection.commit()

    def keep_by_another_connection() -> str:
        with database.engine.begin() as other:
            other.execute(update(Category).values(name="kept"))
        return "done"

    assert perform(service, commit_all).status_code in {500, 503}
    assert contents(stage.url) == before
    service.view_functions["view"] = keep_by_another_connection
    assert rehearse(service, "POST", "/work/").status_code == 500
    assert contents(stage.url) == before


def test_a_row_kept_without_foreign_keys_is_refused_on_sqlite(stage):
    if stage.engine.dialect.name == "sqlite":
        with stage.engine.connect() as connection:
            driver = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys = OFF")
            with pytest.raises(Exception, match="a rehearsal needs PRAGMA foreign_keys"):
                driver.execute("INSERT INTO strangler_rehearsal (id) VALUES (1)")
            driver.execute("PRAGMA foreign_keys = ON")


# --- beside others


def test_a_rehearsal_gives_way_to_a_real_write(service, stage, database):
    with database.writing() as session:
        for statement in unfence(stage.engine.dialect.name, TABLES):
            session.execute(text(statement))
        session.execute(update(Category).values(name="real"))
        session.flush()
        answer = rehearse(service, "PATCH", "/api/categories/1/", {"name": "rehearsed"})
    assert answer.status_code == 503
    assert answer.headers[EFFECTS] == "none;reason=busy"
    with database.reading() as session:
        assert session.scalar(select(Category.name)) == "real"


def test_after_a_rehearsal_no_lock_and_no_limit_is_left(service, stage):
    assert rehearse(service, "PATCH", "/api/categories/1/", {"name": "rehearsed"}).status_code == 200
    let_write(stage)
    with stage.writing() as session:
        session.execute(update(Category).values(name="real"))
    with service.extensions["database"].engine.connect() as connection:
        if stage.engine.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 20_000
        else:
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"


# --- what is not counted


def test_rehearsals_are_marked_in_the_log_and_not_counted(service, caplog):
    def counted() -> str:
        lines = service.test_client().get("/metrics").text.splitlines()
        return "".join(line for line in lines if "/api/" in line)

    before = counted()
    with caplog.at_level(logging.INFO):
        rehearse(service, "POST", "/api/products/", PRODUCT)
    assert counted() == before
    (line,) = [record for record in caplog.records if record.name == "catalog.access" and record.rehearsal]
    assert line.path == "/api/products/"


def _comparable(answer):
    """Return body and headers without the id and the moments that a write itself chooses."""
    body = answer.get_json(silent=True)
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in {"id", "created_at", "updated_at"}}
    left_out = {EFFECTS.lower(), "content-length", "etag"}
    return body, {name: value for name, value in answer.headers.items() if name.lower() not in left_out}


def _noise() -> str:
    return "".join(f"{number * 7919 % 10_007:x}" for number in range(20_000))
