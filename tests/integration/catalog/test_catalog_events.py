"""What the catalog tells others of itself, and how that is passed on."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from cloudevents.core.v1.event import CloudEvent
from sqlalchemy import select, text

from extracted.catalog.models import Base
from extracted.chassis.events.courier import Undelivered
from extracted.chassis.events.outbox import next_events, waiting
from extracted.chassis.events.relay import BATCH, Passed, Relay
from extracted.chassis.events.relaying import BadAddress, courier_to, relay_until
from extracted.chassis.tables import OUTBOX
from tests.fences import fence

PRODUCT = {"sku": "N", "name": "N", "slug": "n", "category_id": 1, "price": "3"}


@dataclass
class Listener:
    """Takes what it is brought, but for subjects it `refuses`; nobody is there while `away`."""

    refuses: set[str] = field(default_factory=set)
    away: bool = False
    heard: list[tuple[str, str]] = field(default_factory=list)
    offered: int = 0

    def deliver(self, event: CloudEvent) -> None:
        self.offered += 1
        if self.away:
            raise Undelivered("nobody is there", reached=False)
        if event.get_subject() in self.refuses:
            raise Undelivered("not now", reached=True)
        self.heard.append((event.get_type(), str(event.get_subject())))

    def close(self) -> None:
        """There is nothing to close."""


def told(database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(event.type, event.subject) for event in next_events(session, 0, 1000)]


def tell_of(database, *subjects: str) -> None:
    with database.writing() as session:
        for subject in subjects:
            session.execute(
                OUTBOX.insert().values(
                    uid=f"u{subject}-{waiting(session).events}",
                    type="t",
                    subject=subject,
                    data={},
                    at=text("CURRENT_TIMESTAMP"),
                )
            )


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def relay(database, listener) -> Relay:
    return Relay(database, listener, "catalog")


def test_a_product_that_comes_and_goes_is_told(staff, products, database):
    made = staff.ask("POST", "/api/products/", PRODUCT).json
    assert made is not None
    staff.ask("PATCH", f"/api/products/{made['id']}/", {"name": "other"})
    staff.ask("DELETE", f"/api/products/{made['id']}/")
    subject = f"products/{made['id']}"
    assert told(database) == [("catalog.product.created", subject), ("catalog.product.deleted", subject)]


def test_a_write_that_is_refused_tells_nothing(staff, products, database):
    assert staff.ask("POST", "/api/products/", PRODUCT | {"sku": "S1"}).status_code == 400
    assert staff.ask("DELETE", "/api/products/999/").status_code == 404
    with database.writing() as session:
        for statement in fence(database.engine.dialect.name, tuple(Base.metadata.tables)):
            session.execute(text(statement))
    assert staff.ask("POST", "/api/products/", PRODUCT).status_code == 409
    assert told(database) == []


def test_a_repeated_request_tells_once(staff, products, database):
    for _ in range(2):
        assert staff.ask("POST", "/api/products/", PRODUCT, idempotency_key="k").status_code == 201
    assert len(told(database)) == 1


def test_events_are_passed_on_in_their_order_and_forgotten(relay, listener, database):
    subjects = [str(number) for number in range(BATCH + 3)]
    tell_of(database, *subjects)
    assert relay.turn() == Passed(BATCH + 3)
    assert [subject for _, subject in listener.heard] == subjects
    assert told(database) == []
    assert relay.turn() == Passed(0)


def test_an_event_that_is_not_taken_holds_back_its_subject_and_no_other(relay, listener, database):
    listener.refuses = {"a"}
    tell_of(database, "a", "b", "a", "c")
    assert relay.turn() == Passed(2, "not now")
    assert listener.offered == 3  # the second of `a` was not even offered
    listener.refuses = set()
    assert relay.turn() == Passed(2)
    assert [subject for _, subject in listener.heard] == ["b", "c", "a", "a"]


def test_a_batch_of_events_nobody_takes_does_not_hide_those_behind_it(relay, listener, database):
    listener.refuses = {"a"}
    tell_of(database, *["a"] * (BATCH + 1), "b")
    assert relay.turn() == Passed(1, "not now")
    assert waiting_in(database) == BATCH + 1


def test_where_nobody_is_there_one_event_finds_that_out(relay, listener, database):
    listener.away = True
    tell_of(database, "a", "b", "c")
    assert relay.turn() == Passed(0, "nobody is there")
    assert (listener.offered, waiting_in(database)) == (1, 3)


def waiting_in(database) -> int:
    with database.reading() as session:
        return waiting(session).events


def test_a_relay_goes_on_when_the_receiver_is_back(relay, listener, database):
    listener.away = True
    tell_of(database, "a")
    stop = threading.Event()
    running = threading.Thread(target=relay_until, args=(stop, relay))
    running.start()
    try:
        comes_true(lambda: listener.offered > 0)
        listener.away = False
        comes_true(lambda: waiting_in(database) == 0)
    finally:
        stop.set()
        running.join()
    assert listener.heard == [("t", "a")]


def comes_true(promise) -> None:
    tick = threading.Event()
    for _ in range(6000):
        if promise():
            return
        tick.wait(0.01)
    raise AssertionError("it never came true")


def test_what_waits_is_among_the_metrics(app, database):
    def figures() -> Iterator[str]:
        lines = app.test_client().get("/metrics").text.splitlines()
        return (line for line in lines if line.startswith("service_events"))

    assert next(figures()) == 'service_events_waiting{service="catalog"} 0.0'
    tell_of(database, "a", "b")
    count, age = figures()
    assert count == 'service_events_waiting{service="catalog"} 2.0'
    assert float(age.split()[-1]) >= 0


def test_an_event_says_who_tells_what_of_whom_and_when(staff, products, database):
    class Keeper(Listener):
        def deliver(self, event: CloudEvent) -> None:
            kept.append(event)

    kept: list[CloudEvent] = []
    staff.ask("POST", "/api/products/", PRODUCT)
    with database.reading() as session:
        uid = session.scalar(select(OUTBOX.c.uid))
    assert Relay(database, Keeper(), "catalog").turn() == Passed(1)
    (event,) = kept
    assert event.get_source() == "/catalog"
    assert event.get_id() == uid
    assert event.get_time() is not None
    assert event.get_data()["sku"] == "N"


@pytest.mark.parametrize(
    ("url", "key", "why"),
    [
        ("ftp://x/", "k", r"wanted http\(s\)://… or amqp"),
        ("", "k", "wanted http"),
        ("http://127.0.0.1/x", "", "STRANGLER_PEER_KEY is wanted"),
    ],
)
def test_an_address_no_courier_goes_to_is_refused(url, key, why):
    with pytest.raises(BadAddress, match=why):
        courier_to(url, key, ["monolith"])
