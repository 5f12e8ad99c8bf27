"""The kinds of values in a body: text, numbers, dates, JSON, references to rows; in DRF's words.

Source: rest_framework/fields.py, rest_framework/relations.py.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, DecimalException
from itertools import islice
from typing import Any, ClassVar

from extracted.chassis.fields import MISSING, Field, Invalid, Lookup, ReadOnly

# DRF's guard against a number written as a very long string.
MAX_NUMBER_LENGTH = 1000


@dataclass(frozen=True, kw_only=True)
class Char(Field):
    """Text; surrounding space goes, numbers are taken as text."""

    max_length: int | None = None
    blank: bool = False
    unique: str | None = None  # what to say where another row has the value

    kind: ClassVar[str] = "string"
    INVALID: ClassVar[str] = "Not a valid string."

    def accept(self, name: str, value: Any, lookup: Lookup) -> Any:
        if value is not MISSING and str(value).strip() == "":
            if not self.blank:
                raise Invalid("This field may not be blank.")
            return ""
        return super().accept(name, value, lookup)

    def parse(self, name: str, value: Any, lookup: Lookup) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise Invalid(self.INVALID)
        return str(value).strip()

    def faults(self, name: str, value: Any, lookup: Lookup) -> Iterator[str]:
        storable = "\x00" not in value and not _surrogates(value)
        if self.unique and storable and lookup.taken(name, value):
            yield self.unique
        if self.max_length is not None and len(value) > self.max_length:
            yield f"Ensure this field has no more than {self.max_length} characters."
        yield from text_faults(value)

    def limits(self) -> dict[str, Any]:
        return {} if self.max_length is None else {"max_length": self.max_length}


def text_faults(value: str) -> Iterator[str]:
    """Say which characters of `value` no database of ours can store."""
    if "\x00" in value:
        yield "Null characters are not allowed."
    for character in _surrogates(value)[:1]:
        yield f"Surrogate characters are not allowed: U+{ord(character):X}."


def _surrogates(value: str) -> list[str]:
    return [character for character in value if "\ud800" <= character <= "\udfff"]


@dataclass(frozen=True, kw_only=True)
class Slug(Char):
    """Text of ASCII letters, digits, underscores and hyphens."""

    kind: ClassVar[str] = "slug"
    INVALID: ClassVar[str] = 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
    PATTERN: ClassVar[re.Pattern[str]] = re.compile(r"^[-a-zA-Z0-9_]+$")

    def faults(self, name: str, value: Any, lookup: Lookup) -> Iterator[str]:
        yield from super().faults(name, value, lookup)
        if not self.PATTERN.search(value):
            yield self.INVALID


def _bound_faults(value: Any, least: Any, most: Any) -> Iterator[str]:
    if most is not None and value > most:
        yield f"Ensure this value is less than or equal to {most}."
    if least is not None and value < least:
        yield f"Ensure this value is greater than or equal to {least}."


def _bounds(least: Any, most: Any) -> dict[str, Any]:
    named = {"min_value": least, "max_value": most}
    return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Whole(Field):
    """An integer, also written as text or with a zero fraction."""

    min_value: int | None = None
    max_value: int | None = None

    kind: ClassVar[str] = "integer"
    ZERO_FRACTION: ClassVar[re.Pattern[str]] = re.compile(r"\.0*\s*$")

    def parse(self, name: str, value: Any, lookup: Lookup) -> int:
        if isinstance(value, str) and len(value) > MAX_NUMBER_LENGTH:
            raise Invalid("String value too large.")
        try:
            return int(self.ZERO_FRACTION.sub("", str(value)))
        except ValueError:
            raise Invalid("A valid integer is required.") from None

    def faults(self, name: str, value: Any, lookup: Lookup) -> Iterator[str]:
        return _bound_faults(value, self.min_value, self.max_value)

    def limits(self) -> dict[str, Any]:
        return _bounds(self.min_value, self.max_value)


@dataclass(frozen=True, kw_only=True)
class Exact(Field):
    """A decimal number of at most `digits` digits, `places` of them after the point; written as text."""

    digits: int
    places: int
    min_value: Decimal | None = None

    kind: ClassVar[str] = "decimal"

    def accept(self, name: str, value: Any, lookup: Lookup) -> Any:
        if self.nullable and value is not MISSING and str(value).strip() == "":
            return None
        return super().accept(name, value, lookup)

    def parse(self, name: str, value: Any, lookup: Lookup) -> Decimal:
        text = str(value).strip()
        if len(text) > MAX_NUMBER_LENGTH:
            raise Invalid("String value too large.")
        try:
            number = Decimal(text)
        except DecimalException:
            raise Invalid("A valid number is required.") from None
        if not number.is_finite():
            raise Invalid("A valid number is required.")
        self._refuse_too_precise(number)
        return self._quantize(number)

    def faults(self, name: str, value: Any, lookup: Lookup) -> Iterator[str]:
        return _bound_faults(value, self.min_value, None)

    def represent(self, value: Any) -> str:
        return f"{self._quantize(value):f}"

    def limits(self) -> dict[str, Any]:
        return _bounds(self.min_value, None) | {"max_digits": self.digits, "decimal_places": self.places}

    def _quantize(self, number: Decimal) -> Decimal:
        return number.quantize(Decimal(1).scaleb(-self.places), context=Context(prec=self.digits))

    def _refuse_too_precise(self, number: Decimal) -> None:
        total, whole, places = digit_counts(number)
        if total > self.digits:
            raise Invalid(f"Ensure that there are no more than {self.digits} digits in total.")
        if places > self.places:
            raise Invalid(f"Ensure that there are no more than {self.places} decimal places.")
        if whole > self.digits - self.places:
            allowed = self.digits - self.places
            raise Invalid(f"Ensure that there are no more than {allowed} digits before the decimal point.")


def digit_counts(number: Decimal) -> tuple[int, int, int]:
    """Count the digits of a finite number as DRF does: in all, before the point, after it."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if exponent >= 0:
        return len(digits) + exponent, len(digits) + exponent, 0
    places = -exponent
    if len(digits) > places:
        return len(digits), len(digits) - places, places
    return places, 0, places


@dataclass(frozen=True, kw_only=True)
class Boolean(Field):
    """True or false, also in the words a form would use."""

    kind: ClassVar[str] = "boolean"
    TRUE: ClassVar[frozenset[Any]] = frozenset({"t", "y", "yes", "true", "on", "1", 1})
    FALSE: ClassVar[frozenset[Any]] = frozenset({"f", "n", "no", "false", "off", "0", 0})

    def parse(self, name: str, value: Any, lookup: Lookup) -> bool:
        word = value.lower() if isinstance(value, str) else value
        if isinstance(word, (str, int, float)):
            if word in self.TRUE:
                return True
            if word in self.FALSE:
                return False
        raise Invalid("Must be a valid boolean.")


@dataclass(frozen=True, kw_only=True)
class Day(Field):
    """A date without a time, ISO 8601."""

    kind: ClassVar[str] = "date"
    LOOSE: ClassVar[re.Pattern[str]] = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})$")

    def parse(self, name: str, value: Any, lookup: Lookup) -> date:
        day = self._read(value) if isinstance(value, str) else None
        if day is None:
            raise Invalid("Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
        return day

    def represent(self, value: Any) -> Any:
        return value.isoformat()

    def _read(self, text: str) -> date | None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            loose = self.LOOSE.match(text)
        try:
            return loose and date(*map(int, loose.groups()))
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True)
class Instant(ReadOnly):
    """A point in time, written in UTC with a Z."""

    kind: ClassVar[str] = "datetime"

    def represent(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


@dataclass(frozen=True, kw_only=True)
class JsonValue(Field):
    """Any JSON value whose text PostgreSQL can store; the first that it cannot is told."""

    def parse(self, name: str, value: Any, lookup: Lookup) -> Any:
        try:
            json.dumps(value, allow_nan=False)  # 1e999 is read as infinity
        except ValueError:
            raise Invalid("Value must be valid JSON.") from None
        return value

    def faults(self, name: str, value: Any, lookup: Lookup) -> Iterator[str]:
        yield from islice((fault for text in _texts(value) for fault in text_faults(text)), 1)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield key
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


@dataclass(frozen=True, kw_only=True)
class Reference(Field):
    """The primary key of another row that must exist."""

    def accept(self, name: str, value: Any, lookup: Lookup) -> Any:
        return super().accept(name, None if value == "" else value, lookup)

    def parse(self, name: str, value: Any, lookup: Lookup) -> int:
        key = self._key(value)
        if not lookup.exists(name, key):
            raise Invalid(f'Invalid pk "{value}" - object does not exist.')
        return key

    def _key(self, value: Any) -> int:
        try:
            if isinstance(value, bool):
                raise TypeError
            return int(value)
        except (TypeError, ValueError):
            received = type(value).__name__
            raise Invalid(f"Incorrect type. Expected pk value, received {received}.") from None


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a few words, each with the name OPTIONS shows for it. Written only."""

    choices: Mapping[str, str]

    kind: ClassVar[str] = "choice"

    def limits(self) -> dict[str, Any]:
        return {"choices": [{"value": value, "display_name": shown} for value, shown in self.choices.items()]}
