"""A RabbitMQ for tests: the broker STRANGLER_TEST_AMQP names. Where it names none, such tests are skipped."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from kombu import Connection

HOW = (
    "no RabbitMQ: docker run --rm -p 127.0.0.1:5672:5672 rabbitmq:4-alpine, then "
    "STRANGLER_TEST_AMQP=amqp://guest:guest@127.0.0.1:5672// make test"
)


@dataclass(frozen=True)
class Broker:
    """A broker, and a subscriber on it that nobody else is."""

    url: str
    subscriber: str

    def count(self, aside: str = "") -> int:
        """Return how many messages are ready in the subscriber's queue, or in one beside it."""
        with Connection(self.url) as connection:
            return int(
                connection.default_channel.queue_declare(self._queue(aside), passive=True).message_count
            )

    def remove(self) -> None:
        """Delete the subscriber's queues."""
        with Connection(self.url) as connection:
            for aside in ("", "later", "failed", "refused"):
                connection.default_channel.queue_delete(self._queue(aside))

    def _queue(self, aside: str) -> str:
        return f"{self.subscriber}.events" + (f".{aside}" if aside else "")


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A subscriber's queues on the broker; they go with the test."""
    url = os.environ.get("STRANGLER_TEST_AMQP")
    if not url:
        pytest.skip(HOW)
    found = Broker(url, f"test-{uuid.uuid4().hex}")
    yield found
    found.remove()
