"""Take events from RabbitMQ, one after the other; a message leaves the queue when what it called for is kept.

What comes too early, or fails, waits in a queue of its own and comes back from there by itself; what is no
event is laid aside in another, where a person finds it. Nothing is ever dropped.
"""

import logging
from collections.abc import Callable
from enum import Enum
from typing import Any

from django.db import close_old_connections
from kombu import Connection, Exchange, Message, Producer, Queue
from kombu.mixins import ConsumerMixin

from strangler.django.events.receiving import Later, Malformed, read_event, receive

EXCHANGE = Exchange("events", type="topic", durable=True)
CONFIRM_SECONDS = 10.0

logger = logging.getLogger("strangler.django.events")


class Aside(Enum):
    """Where a message waits that was not heard, and for how many seconds; None: until a person comes."""

    LATER = ("later", 1)
    FAILED = ("failed", 30)
    REFUSED = ("refused", None)


class EventConsumer(ConsumerMixin):  # type: ignore[misc]
    """Hears the events of one subscriber's queue, until `stopping`. Finds the broker again by itself."""

    def __init__(self, url: str, subscriber: str, stopping: Callable[[], bool] = lambda: False) -> None:
        self.connection = Connection(url, transport_options={"confirm_publish": True})
        self._queue = Queue(f"{subscriber}.events", EXCHANGE, routing_key="#", durable=True)
        self._stopping = stopping

    @property
    def should_stop(self) -> bool:
        """Whether to end after this message."""
        return self._stopping()

    def get_consumers(self, Consumer: Any, channel: Any) -> list[Any]:  # noqa: N803 - kombu's own name
        """Declare every queue, and listen to the one."""
        for aside in Aside:
            self._aside(aside)(channel).declare()
        return [Consumer([self._queue], on_message=self.hear, prefetch_count=1)]

    def hear(self, message: Message) -> None:
        """Do what one message calls for, and take it off the queue."""
        close_old_connections()
        try:
            event = read_event(message.body)
        except Malformed as fault:
            logger.warning("an event was laid aside: %s", fault)
            self._put(message, Aside.REFUSED)
            return
        try:
            receive(event)
        except Later as why:
            logger.info("%s of %s is to come again: %s", event.type, event.subject, why)
            self._put(message, Aside.LATER)
        except Exception:
            logger.exception("%s of %s failed and is to come again", event.type, event.subject)
            self._put(message, Aside.FAILED)
        else:
            message.ack()
        finally:
            close_old_connections()

    def _put(self, message: Message, aside: Aside) -> None:
        """Lay a message aside; killed between the two, it lies in both places, and is known as a copy."""
        Producer(message.channel).publish(
            message.body,
            routing_key=self._aside(aside).name,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            delivery_mode="persistent",
            confirm_timeout=CONFIRM_SECONDS,
        )
        message.ack()

    def _aside(self, aside: Aside) -> Queue:
        name, seconds = aside.value
        back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self._queue.name}
        return Queue(
            f"{self._queue.name}.{name}",
            durable=True,
            message_ttl=seconds,
            queue_arguments=back if seconds else None,
        )
