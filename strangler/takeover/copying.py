"""Carry the rows of one table from a source to a target and hash what each side holds.

Three ways: between two SQLite files and between two PostgreSQL servers values stay as they are stored; from
SQLite to PostgreSQL each value is converted by the target column's type.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from strangler.errors import UnfitValues, UnsupportedEngines
from strangler.takeover.engines import Engine, Source, Target
from strangler.takeover.postgres import PostgresSource, PostgresTarget
from strangler.takeover.shape import Pair, Shape
from strangler.takeover.sqlite import SqliteSource, SqliteTarget
from strangler.takeover.values import Convert, Unfit, canonical, converter

NAMED_FAULTS = 20
SHOWN_LENGTH = 40


class Channel(Protocol):
    """A way for rows between two engines."""

    def copy(self, pair: Pair) -> str:
        """Carry every row of a table over; return the digest of what the source holds."""

    def digest(self, pair: Pair) -> str:
        """Return the digest of what the target holds."""


def channel_between(source: Source, target: Target) -> Channel:
    """Return the way between two databases; raise UnsupportedEngines where there is none."""
    if isinstance(source, PostgresSource) and isinstance(target, PostgresTarget):
        return BinaryChannel(source, target)
    if isinstance(source, SqliteSource) and isinstance(target, SqliteTarget):
        return StoredChannel(source, target)
    if isinstance(source, SqliteSource) and isinstance(target, PostgresTarget):
        return TypedChannel(source, target)
    raise UnsupportedEngines(
        f"there is no way from {source.engine} to {target.engine}; wanted one engine on both sides, or "
        f"{Engine.SQLITE} to {Engine.POSTGRESQL}",
        next="strangler doctor",
    )


@dataclass(frozen=True, slots=True)
class BinaryChannel:
    """PostgreSQL to PostgreSQL by binary COPY: the same bytes, never a Python value."""

    source: PostgresSource
    target: PostgresTarget

    def copy(self, pair: Pair) -> str:
        """Carry every row of a table over; return the digest of the COPY stream."""
        digest = hashlib.sha256()
        with self.source.copy_out(pair.source) as out, self.target.copy_in(pair.target, binary=True) as into:
            for block in out:
                digest.update(block)
                into.write(block)
        return digest.hexdigest()

    def digest(self, pair: Pair) -> str:
        """Return the digest of the target's own COPY stream."""
        digest = hashlib.sha256()
        with self.target.copy_out(pair.target) as out:
            for block in out:
                digest.update(block)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """SQLite to SQLite: values as they are stored, each with its own type."""

    source: SqliteSource
    target: SqliteTarget

    def copy(self, pair: Pair) -> str:
        """Carry every row of a table over; return the digest of the rows."""
        digest = RowDigest()
        self.target.insert(pair.target, digest.through(self.source.rows(pair.source)))
        return digest.hexdigest()

    def digest(self, pair: Pair) -> str:
        """Return the digest of the target's rows."""
        return RowDigest().over(self.target.rows(pair.target))


@dataclass(frozen=True, slots=True)
class TypedChannel:
    """SQLite to PostgreSQL: each value by the type of the target's column."""

    source: SqliteSource
    target: PostgresTarget

    def copy(self, pair: Pair) -> str:
        """Carry every row over; raise UnfitValues, naming the first of those that do not fit."""
        digest = RowDigest()
        conversion = Conversion(pair.target)
        with self.target.copy_in(pair.target, binary=False) as into:
            for row in conversion.of(self.source.rows(pair.source)):
                digest.add(_canonical_row(row, pair.target))
                into.write_row(row)
            conversion.refuse_faults()
        return digest.hexdigest()

    def digest(self, pair: Pair) -> str:
        """Return the digest of the target's rows, equal values in one form."""
        rows = self.target.rows(pair.target)
        return RowDigest().over(_canonical_row(row, pair.target) for row in rows)


class RowDigest:
    """A digest of rows in their order; rows that differ in a value or in its type give another one."""

    def __init__(self) -> None:
        """Start with no row."""
        self._hash = hashlib.sha256()

    def add(self, row: tuple[Any, ...]) -> None:
        """Take one row in: its `repr` tells 20 from 20.0, text from bytes, a double from its neighbours."""
        self._hash.update(repr(row).encode())

    def through(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Take rows in while they pass."""
        for row in rows:
            self.add(row)
            yield row

    def over(self, rows: Iterable[tuple[Any, ...]]) -> str:
        """Take all rows in and return the digest."""
        for row in rows:
            self.add(row)
        return self.hexdigest()

    def hexdigest(self) -> str:
        """Return the digest of the rows so far."""
        return self._hash.hexdigest()


class Conversion:
    """Rows of SQLite as a PostgreSQL table takes them. Those that do not fit are set aside and named."""

    def __init__(self, shape: Shape) -> None:
        """Convert for a table; raise UnfitValues where a column's type is one nobody taught us."""
        self.shape = shape
        self.faults: list[str] = []
        self._converters = [self._known(name) for name in shape.names]

    def of(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows that fit, until there are enough faults to name."""
        for row in rows:
            converted = self._convert(row)
            if converted is not None:
                yield converted
            if len(self.faults) >= NAMED_FAULTS:
                return

    def refuse_faults(self) -> None:
        """Raise UnfitValues where a row was set aside."""
        if self.faults:
            raise UnfitValues(
                f"{self.shape.table} holds values that its new columns cannot; wanted in each one of the "
                f"column's type:\n     " + "\n     ".join(self.faults),
                next="correct these rows in the monolith, then run the same command again",
            )

    def _known(self, name: str) -> Convert:
        found = converter(self.shape.columns[name])
        if found is None:
            raise UnfitValues(
                f"{self.shape.table}.{name} is of type {self.shape.columns[name]}; "
                "no conversion from SQLite is known for it",
                next=f"give {name} a type of the standard set in the service's migrations",
            )
        return found

    def _convert(self, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        converted = []
        before = len(self.faults)
        for name, convert, value in zip(self.shape.names, self._converters, row, strict=True):
            try:
                converted.append(None if value is None else convert(value))
            except Unfit:
                self.faults.append(self._fault(row, name, value))
        return tuple(converted) if len(self.faults) == before else None

    def _fault(self, row: tuple[Any, ...], name: str, value: Any) -> str:
        by_name = dict(zip(self.shape.names, row, strict=True))
        key = ", ".join(f"{part}={by_name[part]!r}" for part in self.shape.key)
        shown = repr(value)
        shown = shown if len(shown) <= SHOWN_LENGTH else f"{shown[:SHOWN_LENGTH]}…"
        return f"{key}: {name} = {shown}, wanted {self.shape.columns[name]}"


def _canonical_row(row: tuple[Any, ...], shape: Shape) -> tuple[Any, ...]:
    return tuple(canonical(value, shape.columns[name]) for name, value in zip(shape.names, row, strict=True))
