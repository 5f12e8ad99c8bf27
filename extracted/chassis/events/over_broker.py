"""Bring events to RabbitMQ: one durable exchange, and a durable queue for each subscriber.

It is the relay that makes the queues: what is published while a subscriber never ran yet waits for it.
"""

from collections.abc import Sequence

from amqp.exceptions import MessageNacked
from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from kombu import Connection, Exchange, Producer, Queue

from extracted.chassis.events.courier import Undelivered

EXCHANGE = Exchange("events", type="topic", durable=True)
SECONDS = 10.0  # for the broker to answer


class BrokerCourier:
    """Publishes each event under its type, and waits until the broker confirms that it keeps it."""

    def __init__(self, url: str, subscribers: Sequence[str]) -> None:
        self._connection = Connection(
            url, connect_timeout=SECONDS, transport_options={"confirm_publish": True}
        )
        self._queues = [queue_of(name) for name in subscribers]
        self._producer: Producer | None = None

    def deliver(self, event: CloudEvent) -> None:
        """Return once the broker confirmed it. Raises Undelivered."""
        message = to_structured(event, JSONFormat())
        try:
            producer = self._producer or self._opened()
            producer.publish(
                message.body,
                content_type=message.headers["content-type"],
                content_encoding="utf-8",
                exchange=EXCHANGE,
                routing_key=event.get_type(),
                delivery_mode="persistent",
                message_id=event.get_id(),
                confirm_timeout=SECONDS,
            )
        except MessageNacked as fault:
            raise Undelivered(f"{self._connection.as_uri()} does not keep it", reached=True) from fault
        except (*self._connection.connection_errors, *self._connection.channel_errors) as fault:
            self.close()
            raise Undelivered(f"{self._connection.as_uri()}: {fault}", reached=False) from fault

    def close(self) -> None:
        """Close the connection; the next event opens one."""
        self._producer = None
        self._connection.release()

    def _opened(self) -> Producer:
        channel = self._connection.channel()
        for queue in self._queues:
            queue(channel).declare()
        self._producer = Producer(channel)
        return self._producer


def queue_of(subscriber: str) -> Queue:
    """Return the queue that holds every event until `subscriber` has it."""
    return Queue(f"{subscriber}.events", EXCHANGE, routing_key="#", durable=True)
