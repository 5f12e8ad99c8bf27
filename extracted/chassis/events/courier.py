"""Bring one event to whoever wants it. There is one courier a kind of address.

Courier
├── HttpCourier    http(s)://…  straight to one receiver, where there is no broker
└── BrokerCourier  amqp(s)://…  to RabbitMQ, for any number of receivers
"""

from typing import Protocol

from cloudevents.core.v1.event import CloudEvent

from extracted.chassis.events.outbox import Event


class Undelivered(Exception):
    """An event was not taken for certain. `reached`: somebody was there, and did not take this one."""

    def __init__(self, why: str, *, reached: bool) -> None:
        super().__init__(why)
        self.reached = reached


class Courier(Protocol):
    """A way to those who want to know. Used by one thread."""

    def deliver(self, event: CloudEvent) -> None:
        """Return once the event is kept at the other end. Raises Undelivered."""

    def close(self) -> None:
        """Give up the connection."""


def enveloped(event: Event, source: str) -> CloudEvent:
    """Return an event of the service `source` as others read it. Source: CloudEvents 1.0."""
    attributes = {
        "specversion": "1.0",
        "id": event.uid,
        "source": f"/{source}",
        "type": event.type,
        "subject": event.subject,
        "time": event.at,
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, dict(event.data))
