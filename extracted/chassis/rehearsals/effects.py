"""What a rehearsed write would have left behind, and the header that tells it. Pure."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

HEADER = "X-Strangler-Effects"
MOST_CHARACTERS = 8_000

Scalar = bool | int | str | None


class Op(StrEnum):
    """What became of a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Untold(StrEnum):
    """Why effects are not told."""

    TOO_LARGE = "too_large"
    NOT_CAPTURED = "not_captured"  # the database changed rows that nobody saw
    BUSY = "busy"  # the rehearsal gave way to somebody's real write; its answer means nothing
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row: what became of it, and the whole of it afterwards; None where it is gone."""

    table: str
    op: Op
    key: Mapping[str, Any]
    row: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Call:
    """A request to another part that was not sent."""

    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was not sent."""

    to: Sequence[str]
    subject: str


@dataclass(frozen=True, slots=True)
class Told:
    """An event that was not passed on."""

    topic: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Effects:
    """All that a write would have left behind; `copied`: how far the copy of its owner's rows had come."""

    rows: Sequence[RowChange] = ()
    events: Sequence[Told] = ()
    calls: Sequence[Call] = ()
    mails: Sequence[Mail] = ()
    copied: str | None = field(default=None)


def in_words(effects: Effects | Untold) -> str:
    """Return the header's value."""
    if isinstance(effects, Untold):
        return f"none;reason={effects}"
    packed = zlib.compress(json.dumps(_tree(effects), ensure_ascii=False, separators=(",", ":")).encode())
    words = f"v1;{base64.urlsafe_b64encode(packed).decode()}"
    return words if len(words) <= MOST_CHARACTERS else in_words(Untold.TOO_LARGE)


def scalar(value: Any) -> Scalar:
    """Return a column's value as both sides write it."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return f"{value:f}"
        case float():
            return repr(value)
        case datetime():
            utc = value.astimezone(UTC) if value.tzinfo else value
            return f"{utc.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
        case date() | time():
            return value.isoformat()
        case bytes() | memoryview():
            return f"base64:{base64.b64encode(value).decode()}"
        case dict() | list():
            return json_text(value)
        case _:
            return str(value)


def json_text(value: Any) -> str:
    """Return what a column of JSON holds, in the one form that both sides give it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _tree(effects: Effects) -> dict[str, Any]:
    rows = sorted(effects.rows, key=lambda change: (change.table, _sortable(change.key)))
    tree: dict[str, Any] = {
        "rows": [
            {
                "table": change.table,
                "op": change.op,
                "key": _scalars(change.key),
                "row": None if change.row is None else _scalars(change.row),
            }
            for change in rows
        ],
        "events": [{"topic": event.topic, "payload": event.payload} for event in effects.events],
        "calls": [{"method": call.method, "url": call.url} for call in effects.calls],
        "mails": [{"to": list(mail.to), "subject": mail.subject} for mail in effects.mails],
    }
    return tree if effects.copied is None else {**tree, "copied": effects.copied}


def _scalars(values: Mapping[str, Any]) -> dict[str, Scalar]:
    return {name: scalar(value) for name, value in values.items()}


def _sortable(key: Mapping[str, Any]) -> tuple[tuple[bool, Any], ...]:
    return tuple(
        (not isinstance(value, int), value if isinstance(value, int | str) else str(value))
        for value in key.values()
    )
