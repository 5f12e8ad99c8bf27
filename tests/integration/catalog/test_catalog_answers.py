"""A POST with an Idempotency-Key is done once, however often it is sent."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from catalog_callers import KEY, Caller
from sqlalchemy import func, select

from extracted.catalog.app import create_app
from extracted.catalog.config import Config
from extracted.catalog.models import Category
from extracted.chassis.answers import AGE
from extracted.chassis.tables import ANSWERS

PATH = "/api/categories/"
SHELF = {"name": "Cups", "slug": "cups"}


def made(database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Category)) or 0


def test_a_repeat_gets_the_first_answer_and_does_nothing(staff, database):
    first = staff.ask("POST", PATH, SHELF, idempotency_key="a")
    again = staff.ask("POST", PATH, SHELF, idempotency_key="a")
    assert first.status_code == 201
    assert (again.status_code, again.data, dict(again.headers)) == (201, first.data, dict(first.headers))
    assert made(database) == 1


def test_a_repeat_tells_what_was_done_then_whatever_happened_since(staff):
    first = staff.ask("POST", PATH, SHELF, idempotency_key="a")
    staff.ask("PATCH", f"{PATH}{first.json['id']}/", {"name": "Plates"})
    assert staff.ask("POST", PATH, SHELF, idempotency_key="a").data == first.data
    staff.ask("DELETE", f"{PATH}{first.json['id']}/")
    assert staff.ask("POST", PATH, SHELF, idempotency_key="a").data == first.data


def test_without_a_key_every_request_is_a_new_one(staff):
    assert staff.ask("POST", PATH, SHELF).status_code == 201
    assert staff.ask("POST", PATH, SHELF).status_code == 400


def test_a_refusal_is_judged_anew(staff):
    assert staff.ask("POST", PATH, {"name": "Cups"}, idempotency_key="a").status_code == 400
    assert staff.ask("POST", PATH, SHELF, idempotency_key="a").status_code == 201


@pytest.mark.parametrize(("path", "body"), [(PATH, {**SHELF, "position": 1}), (f"{PATH}?format=json", SHELF)])
def test_a_key_of_another_request_is_refused(staff, path, body):
    assert staff.ask("POST", PATH, SHELF, idempotency_key="a").status_code == 201
    assert staff.ask("POST", path, body, idempotency_key="a").status_code == 422


def test_a_key_is_its_senders_own(staff, keyed_app, database):
    assert staff.ask("POST", PATH, SHELF, idempotency_key="a").status_code == 201
    other = Caller(keyed_app, user_id=2).ask("POST", PATH, {**SHELF, "slug": "b"}, idempotency_key="a")
    assert (other.status_code, made(database)) == (201, 2)


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "ü", "a b"])
def test_a_key_that_is_none_is_refused(staff, key, database):
    assert staff.ask("POST", PATH, SHELF, idempotency_key=key).status_code == 400
    assert made(database) == 0


def test_the_same_request_sent_many_times_at_once_is_done_once(staff, database):
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: staff.ask("POST", PATH, SHELF, idempotency_key="a"), range(12)))
    assert {(answer.status_code, answer.data) for answer in answers} == {(201, answers[0].data)}
    assert made(database) == 1


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: datetime = datetime(2024, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_keys_are_forgotten_in_time_and_their_table_stays_small(database, database_url):
    clock = Clock()
    app = create_app(Config(database_url, KEY.public_key(), "INFO"), clock)
    staff = Caller(app)
    for number in range(15):
        body = {"name": "n", "slug": f"s{number}"}
        assert staff.ask("POST", PATH, body, idempotency_key=f"k{number}").status_code == 201
    clock.now += AGE + timedelta(seconds=1)
    for number in (20, 21):
        staff.ask("POST", PATH, {"name": "n", "slug": f"s{number}"}, idempotency_key=f"k{number}")
    with database.reading() as session:
        assert set(session.scalars(select(ANSWERS.c.key))) == {"k20", "k21"}
    app.extensions["database"].close()
