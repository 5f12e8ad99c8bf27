"""What a request did to its rows, and the header that tells it. Pure.

Only rows are told: what else leaves a monolith, nobody can see. So `events`, `calls` and `mails` are absent.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

HEADER = "X-Strangler-Effects"
MOST_CHARACTERS = 8_000

Scalar = bool | int | str | None
Key = tuple[Any, ...]
Row = Mapping[str, Scalar]


class Untold(StrEnum):
    """Why effects are not told."""

    TOO_LARGE = "too_large"
    NOT_CAPTURED = "not_captured"
    NOT_ATOMIC = "not_atomic"  # something was written outside of a transaction
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Touched:
    """A row that was written: how it was before the request, and after; None where it was not there."""

    table: str
    key: Row
    before: Row | None
    after: Row | None


@dataclass(slots=True)
class Effects:
    """All rows that a request wrote, each once. `first` is where its own entries begin in the log, `pending`
    how many entries of others the log had.
    """

    first: Any = None
    pending: int = 0
    _rows: dict[tuple[str, Key], Touched] = field(default_factory=dict)

    def add(self, touched: Touched) -> None:
        """Note a row; one that was written before keeps its first `before`."""
        name = (touched.table, tuple(touched.key.values()))
        known = self._rows.get(name)
        before = known.before if known else touched.before
        self._rows[name] = Touched(touched.table, touched.key, before, touched.after)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows that are other than before, by table and key."""
        changed = [row for row in self._rows.values() if row.before != row.after]
        return [
            {"table": row.table, "op": _op(row), "key": dict(row.key), "row": row.after}
            for row in sorted(changed, key=lambda row: (row.table, _sortable(row.key)))
        ]


def in_words(effects: Effects | Untold) -> str:
    """Return the header's value."""
    if isinstance(effects, Untold):
        return f"none;reason={effects}"
    tree = {"rows": effects.rows(), "log": {"first": effects.first, "pending": effects.pending}}
    packed = zlib.compress(json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode())
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
        case _:
            return str(value)


def json_text(value: Any) -> str:
    """Return what a column of JSON holds, in the one form that both sides give it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _op(row: Touched) -> str:
    if row.before is None:
        return "insert"
    return "delete" if row.after is None else "update"


def _sortable(key: Row) -> tuple[tuple[bool, Any], ...]:
    return tuple(
        (not isinstance(value, int), value if isinstance(value, int | str) else str(value))
        for value in key.values()
    )
