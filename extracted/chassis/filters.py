"""Read the parameters that narrow, search and order a list, in django-filter's and DRF's words.

Reads no database: a filter by another row is given the question to ask.
Source: django/forms/fields.py, django_filters/filters.py, rest_framework/filters.py.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, DecimalException
from typing import Any, Protocol

from extracted.chassis.errors import ValidationError
from extracted.chassis.fields import Invalid
from extracted.chassis.query import QueryParams
from extracted.chassis.values import digit_counts, text_faults

LARGEST_NUMBER = 1e50  # django-filter's guard against numbers no column holds

# django/conf/locale/en/formats.py, ISO first.
DAY_FORMATS = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%b %d %Y",
    "%b %d, %Y",
    "%d %b %Y",
    "%d %b, %Y",
    "%B %d %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%d %B, %Y",
)

# django/utils/text.py: words, quoted phrases kept whole.
WORDS = re.compile(
    r"""((?:[^\s'"]*(?:(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')[^\s'"]*)+)|\S+)""",
)


class Filter(Protocol):
    """A parameter that narrows a list."""

    def clean(self, value: str) -> Any:
        """Return what a value that is not empty means, None for nothing; raise Invalid."""


@dataclass(frozen=True, slots=True)
class TextFilter:
    """Text, compared as it is."""

    def clean(self, value: str) -> str | None:
        faults = list(text_faults(text := value.strip()))
        if faults:
            raise Invalid(*faults)
        return text or None


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """A number of at most `digits` digits, `places` of them after the point."""

    digits: int
    places: int

    def clean(self, value: str) -> Decimal:
        try:
            number = Decimal(value)
        except DecimalException:
            raise Invalid("Enter a number.") from None
        if not number.is_finite():
            raise Invalid("Enter a number.")
        faults = [*self._digit_faults(number), *self._size_faults(number)]
        if faults:
            raise Invalid(*faults)
        return number

    def _digit_faults(self, number: Decimal) -> Iterator[str]:
        total, places = _form_digits(number)
        whole = self.digits - self.places
        if total > self.digits:
            yield f"Ensure that there are no more than {_count(self.digits, 'digit')} in total."
        elif places > self.places:
            yield f"Ensure that there are no more than {_count(self.places, 'decimal place')}."
        elif total - places > whole:
            yield f"Ensure that there are no more than {_count(whole, 'digit')} before the decimal point."

    def _size_faults(self, number: Decimal) -> Iterator[str]:
        if number > LARGEST_NUMBER:
            yield f"Ensure this value is less than or equal to {LARGEST_NUMBER}."


@dataclass(frozen=True, slots=True)
class DayFilter:
    """A date, in any form that a Django form takes."""

    def clean(self, value: str) -> date:
        for form in DAY_FORMATS:
            try:
                return datetime.strptime(value.strip(), form).replace(tzinfo=UTC).date()
            except ValueError:
                continue
        raise Invalid("Enter a valid date.")


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The primary key of a row that exists."""

    exists: Callable[[int], bool]

    def clean(self, value: str) -> int:
        if "\x00" in value:
            raise Invalid("Null characters are not allowed.")
        try:
            key = int(value)
        except ValueError:
            key = None
        if key is None or not self.exists(key):
            raise Invalid("Select a valid choice. That choice is not one of the available choices.")
        return key


def clean_filters(filters: Mapping[str, Filter], query: QueryParams) -> dict[str, Any]:
    """Return what the named parameters mean, empty ones left out; raise ValidationError for the wrong."""
    cleaned, errors = {}, {}
    for name, kind in filters.items():
        try:
            cleaned[name] = kind.clean(value) if (value := query.get(name)) else None
        except Invalid as refusal:
            errors[name] = refusal.messages
    if errors:
        raise ValidationError(errors)
    return {name: value for name, value in cleaned.items() if value is not None}


def search_terms(query: QueryParams) -> list[str]:
    """Return the terms of `?search=`, each of which a row must contain; raise ValidationError."""
    text = query.get("search") or ""
    faults = list(text_faults(text))
    if faults:
        raise ValidationError(faults)
    return [term for word in WORDS.findall(text) for term in _terms_of(word.strip(","))]


def ordering(query: QueryParams, allowed: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    """Return the fields to order by, `-` for descending; always ends in the id, so pages never overlap."""
    wanted = [term.strip() for term in (query.get("ordering") or "").split(",")]
    known = [term for term in wanted if term.removeprefix("-") in allowed]
    chosen = tuple(known or default)
    return chosen if {"id", "-id"} & set(chosen) else (*chosen, "id")


def _terms_of(word: str) -> list[str]:
    if word and word[0] in "\"'" and word[0] == word[-1]:
        return [word[1:-1].replace(f"\\{word[0]}", word[0]).replace("\\\\", "\\")]
    return [part.strip() for part in word.split(",") if part]


def _form_digits(number: Decimal) -> tuple[int, int]:
    """Count digits in all and after the point; unlike DRF's fields, zero has no trailing zeros."""
    total, _, places = digit_counts(number)
    if number == 0 and places == 0:
        return 1, 0
    return total, places


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
