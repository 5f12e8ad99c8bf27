"""Give an event to the functions that want it: once, however often it comes.

What they do and the note that the event was heard are one transaction; a copy finds the note, and does
nothing.
Source: idempotent consumer, https://microservices.io/patterns/communication-style/idempotent-consumer.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from django.db import transaction
from django.utils import timezone

from strangler.django.events.models import Heard

KEPT = timedelta(days=90)  # no copy of an event is that late
FORGOTTEN_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a service told. `data` is the object of JSON that it gave with it."""

    source: str
    uid: str
    type: str
    subject: str
    data: dict[str, Any]


class Malformed(Exception):
    """What came is no event."""


class Later(Exception):
    """An event came too early: nothing of it is kept, and it is to be brought again."""


Receiver = Callable[[Event], None]
_receivers: dict[str, list[Receiver]] = {}


def receives(kind: str) -> Callable[[Receiver], Receiver]:
    """Mark a function in an app's `receivers` module as one that is given every event of a type.

    It runs in a transaction; what it raises undoes all of that, and the event is brought again.
    """

    def enlist(receiver: Receiver) -> Receiver:
        _receivers.setdefault(kind, []).append(receiver)
        return receiver

    return enlist


def read_event(body: bytes | str) -> Event:
    """Read an event in CloudEvents' structured JSON. Raises Malformed, saying what is wrong."""
    try:
        envelope = JSONFormat().read(_strictly, body)
    except (BaseCloudEventException, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Malformed(f"no CloudEvent: {fault}") from fault
    data, subject = envelope.get_data(), envelope.get_subject()
    if not isinstance(data, dict) or not subject:
        raise Malformed("an event with a subject and an object of data is wanted")
    return Event(envelope.get_source(), envelope.get_id(), envelope.get_type(), subject, data)


def _strictly(attributes: dict[str, Any], data: Any) -> CloudEvent:
    """Make an event that has an id of its own: the library would invent one, and no copy would be known."""
    if not attributes.get("id"):
        raise Malformed("an event with an id is wanted")
    return CloudEvent(attributes, data)


def receive(event: Event) -> bool:
    """Do what the event calls for; return False for a copy of one that was heard. Raises Later."""
    with transaction.atomic():
        _, first = Heard.objects.get_or_create(
            source=event.source, uid=event.uid, defaults={"type": event.type, "subject": event.subject}
        )
        if first:
            for receiver in _receivers.get(event.type, ()):
                receiver(event)
            _forget(timezone.now() - KEPT)
    return bool(first)


def was_heard(kind: str, subject: str) -> bool:
    """Whether an event of this type was heard of this subject. Read-only."""
    return bool(Heard.objects.filter(type=kind, subject=subject).exists())


def _forget(before: datetime) -> None:
    old = Heard.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]
    Heard.objects.filter(pk__in=list(old)).delete()
