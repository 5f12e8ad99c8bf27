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

BOUNDED_TEXTS = {"character varying", "character"}
INTEGERS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}


class Unfit(Exception):
    """A value has no exact counterpart in the column."""


def converter(declared: str) -> Convert | None:
    """Return how values of SQLite become those of a PostgreSQL type, None for a type nobody taught us.

    `declared` is PostgreSQL's own spelling, `numeric(10,2)`. NULL is never passed to a converter.
    """
    base, _, rest = declared.partition("(")
    size, _, after = rest.partition(")")
    base = base.strip() + after
    if base in INTEGERS:
        return _integer(INTEGERS[base])
    if base == "numeric" and size:
        digits, _, places = size.partition(",")
        return _bounded_numeric(int(digits), int(places or 0))
    if base in BOUNDED_TEXTS and size:
        return _bounded_text(int(size))
    return CONVERTERS.get(base)


def stored(value: Any) -> Any:
    """Return what Django keeps on SQLite for a value that psycopg read; affinity does the rest."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value)
    if isinstance(value, (Decimal, date)):
        return str(value)
    if value is None or isinstance(value, (int, float, str, bytes)):
        return value
    raise Unfit


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


def _bounded_numeric(digits: int, places: int) -> Convert:
    """Take what the column keeps as it is: PostgreSQL would round the rest without a word."""

    def convert(value: Any) -> Decimal:
        number = _numeric(value)
        if not number.is_finite():
            raise Unfit
        if number != round(number, places) or abs(number) >= Decimal(10) ** (digits - places):
            raise Unfit
        return number

    return convert


def _bounded_text(letters: int) -> Convert:
    def convert(value: Any) -> str:
        text = _text(value)
        if len(text) > letters:
            raise Unfit
        return text

    return convert


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
