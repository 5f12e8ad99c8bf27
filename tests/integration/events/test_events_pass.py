"""From the catalog's outbox to the shop's stock, over HTTP and over RabbitMQ, whatever is killed between."""

import os
import signal
from contextlib import ExitStack

import pytest
import requests
from kombu import Connection, Producer
from shop_and_catalog import Both, comes_true

from tests.ports import free_port

MANY = 60


@pytest.fixture
def both(tmp_path) -> Both:
    made = Both(tmp_path)
    made.make()
    return made


@pytest.fixture
def port() -> int:
    return free_port()


def kill(process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.RequestException:
        return False


def test_over_http_each_product_gets_one_stock_row_whatever_is_killed(both, port):
    address = f"http://127.0.0.1:{port}/__strangler__/events"
    both.bring_products(range(1, MANY + 1))
    both.tell_of_products(range(1, MANY + 1))
    with both.shop(port) as shop, both.relay(address) as relay:
        comes_true(lambda: both.heard() >= MANY // 4, "the shop hears the first events")
        kill(relay)
        kill(shop)
    assert both.heard() < MANY
    with both.shop(port), both.relay(address):
        comes_true(lambda: both.waiting() == 0, "every event is passed on")
    assert both.stocked() == list(range(1, MANY + 1))


def test_over_http_an_event_waits_for_its_product_and_for_the_shop(both, port):
    both.tell_of_products(range(1, 4))
    both.bring_products(range(2, 4))
    with both.relay(f"http://127.0.0.1:{port}/__strangler__/events"), both.shop(port):
        comes_true(lambda: both.stocked() == [2, 3], "products that are there have stock")
        both.bring_products(range(1, 2))
        comes_true(lambda: both.stocked() == [1, 2, 3], "the late one has it too")
        comes_true(lambda: both.waiting() == 0, "nothing waits any more")


def test_over_rabbitmq_each_product_gets_one_stock_row_whatever_is_killed(both, broker):
    both.bring_products(range(1, MANY + 1))
    both.tell_of_products(range(1, MANY + 1))
    with both.relay(broker.url, broker.subscriber) as relay:
        comes_true(lambda: both.waiting() < MANY, "the broker takes the first events")
        kill(relay)
    with both.relay(broker.url, broker.subscriber), ExitStack() as stack:
        for part in (1, 2, 3):
            consumer = stack.enter_context(both.consumer(broker.url, broker.subscriber))
            comes_true(lambda part=part: both.heard() >= MANY * part // 4, "the shop hears more events")
            kill(consumer)
        stack.enter_context(both.consumer(broker.url, broker.subscriber))
        comes_true(lambda: both.stocked() == list(range(1, MANY + 1)), "every product has one stock row")
        comes_true(lambda: both.waiting() + broker.count() + broker.count("failed") == 0, "nothing waits")


def test_over_rabbitmq_events_wait_for_a_subscriber_that_never_ran(both, broker):
    both.tell_of_products(range(1, 4))
    with both.relay(broker.url, broker.subscriber):
        comes_true(lambda: both.waiting() == 0, "the broker keeps them")
    assert broker.count() == 3


def test_over_rabbitmq_an_early_event_comes_back_and_what_is_none_is_laid_aside(both, broker):
    both.tell_of_products(range(1, 2))
    with (
        both.relay(broker.url, broker.subscriber),
        both.consumer(broker.url, broker.subscriber) as consumer,
    ):
        comes_true(lambda: both.waiting() == 0, "the broker keeps it")
        with Connection(broker.url) as connection:
            Producer(connection).publish(b"no event", routing_key=f"{broker.subscriber}.events")
        comes_true(lambda: _exists(broker) and broker.count("refused") == 1, "what is no event is laid aside")
        assert both.stocked() == []
        both.bring_products(range(1, 2))
        comes_true(lambda: both.stocked() == [1], "the event came back")
        consumer.terminate()
        assert consumer.wait(timeout=60) == 0


def _exists(broker) -> bool:
    with Connection(broker.url) as connection:
        try:
            connection.default_channel.queue_declare(f"{broker.subscriber}.events.refused", passive=True)
        except connection.channel_errors:
            return False
    return True
