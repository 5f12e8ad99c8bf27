"""Turn what SQLite holds into what a PostgreSQL column takes, or say why it cannot be. Pure.

Nothing is ever rounded, cut or guessed: a value that does not fit is refused. Django's forms are known:
booleans as 0 and 1, datetimes as text in UTC without an offset, decimals as numbers, UUIDs as 32 digits.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

Convert = Callable[[Any], Any]

INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


class Unfit(Exception):
    """A value has no exact counterpart in the column."""


def converter(declared: str) -> Convert | None:
    """Return how values of SQLite become those of a PostgreSQL type, None for a type nobody taught us.

    `declared` is PostgreSQL's own spelling, `numeric(10,2)`. NULL is never passed to a converter.
    """
    base, _, size = declared.partition("(")
    base = base.strip() + size.partition(")")[2]
    if base in INTEGERS:
        return _integer(INTEGERS[base])
    return CONVERTERS.get(base)


def canonical(value: Any, declared: str) -> Any:
    """Return one form for values that are equal, so that both sides can be hashed."""
    if value is None:
        return None
    if declared in {"json", "jsonb"}:
        return _canonical_json(json.loads(value, parse_float=Decimal, parse_int=Decimal))
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, (bool, int, float, str, bytes)) else str(value)


def _canonical_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical_json(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_canonical_json(entry) for entry in value]
    return ("number", _plain(value)) if isinstance(value, Decimal) else value


def _plain(number: Decimal) -> str:
    return f"{number.normalize() + 0:f}" if number.is_finite() else str(number)


def _integer(limit: int) -> Convert:
    def convert(value: Any) -> int:
        if not isinstance(value, int) or not -limit <= value < limit:
            raise Unfit
        return value

    return convert


def _boolean(value: Any) -> bool:
    if value not in {0, 1} or not isinstance(value, int):
        raise Unfit
    return bool(value)


def _numeric(value: Any) -> Decimal:
    # repr gives the shortest text that means the same double: 19.99, not 19.989999999999998.
    if isinstance(value, (int, float)):
        return Decimal(repr(value))
    raise Unfit


def _double(value: Any) -> float:
    if isinstance(value, (int, float)) and float(value) == value:
        return float(value)
    raise Unfit


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise Unfit
    return value


def _binary(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise Unfit
    return value


def _json(value: Any) -> str:
    try:
        json.loads(_text(value))
    except ValueError:
        raise Unfit from None
    return _text(value)


def _parsed(parse: Callable[[str], Any]) -> Convert:
    def convert(value: Any) -> Any:
        try:
            return parse(_text(value))
        except ValueError:
            raise Unfit from None

    return convert


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _naive(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo:
        raise Unfit
    return moment


CONVERTERS: dict[str, Convert] = {
    "boolean": _boolean,
    "numeric": _numeric,
    "double precision": _double,
    "text": _text,
    "character varying": _text,
    "character": _text,
    "bytea": _binary,
    "json": _json,
    "jsonb": _json,
    "uuid": _parsed(UUID),
    "date": _parsed(date.fromisoformat),
    "timestamp with time zone": _parsed(_instant),
    "timestamp without time zone": _parsed(_naive),
}
