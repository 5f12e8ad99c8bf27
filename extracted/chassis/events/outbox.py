"""Keep events in the transaction of the change that they tell of, until a relay has passed them on.

So an event is told if and only if its change was kept. Source: transactional outbox,
https://microservices.io/patterns/data/transactional-outbox.html
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.orm import Session

from extracted.chassis.tables import OUTBOX


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `id` orders the events of one database; `uid` names one everywhere.

    Events of one `subject` (`products/7`) are passed on in their order; `data` is an object of JSON.
    """

    id: int
    uid: str
    type: str
    subject: str
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many events were not passed on yet, and since when the oldest of them waits."""

    events: int
    since: datetime | None


def tell(session: Session, kind: str, subject: str, data: Mapping[str, Any], now: datetime) -> None:
    """Write an event into the session's transaction; it is passed on once that is committed."""
    values = {"uid": str(uuid.uuid4()), "type": kind, "subject": subject, "data": dict(data), "at": now}
    session.execute(insert(OUTBOX).values(values))


def next_events(session: Session, after: int, most: int) -> list[Event]:
    """Return up to `most` events behind the one numbered `after`, in order."""
    rows = session.execute(select(OUTBOX).where(OUTBOX.c.id > after).order_by(OUTBOX.c.id).limit(most))
    return [_event(row) for row in rows]


def forget(session: Session, passed_on: Sequence[Event]) -> None:
    """Delete events that were passed on. Safe to run again."""
    session.execute(delete(OUTBOX).where(OUTBOX.c.id.in_([event.id for event in passed_on])))


def waiting(session: Session) -> Waiting:
    """Say what waits. Read-only."""
    count, since = session.execute(select(func.count(), func.min(OUTBOX.c.at))).one()
    return Waiting(count, since)


def _event(row: Row[Any]) -> Event:
    return Event(row.id, row.uid, row.type, row.subject, row.data, row.at)
