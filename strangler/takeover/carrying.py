"""Carry rows from a snapshot of one database into a transaction of another.

Between two SQLite files and between two PostgreSQL servers values stay as they are stored; between the two
engines each is converted by the type of PostgreSQL's column. Nothing is held but one row, or one block.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from strangler.errors import UnfitValues, UnsupportedEngines
from strangler.takeover.engines import Engine, Stream, Transaction
from strangler.takeover.postgres_snapshot import PostgresStream
from strangler.takeover.postgres_transaction import PostgresTransaction
from strangler.takeover.shape import Column, Pair, Shape
from strangler.takeover.values import Convert, Unfit, converter, stored

NAMED_FAULTS = 20
SHOWN_LENGTH = 40

Row = tuple[Any, ...]


class Carrier(Protocol):
    """A way for rows from one engine to another."""

    def keys(self, pair: Pair, keys: Iterable[Row]) -> Iterator[Row]:
        """Yield what the target has for these keys of the source's."""

    def delete(self, into: Transaction, pair: Pair, keys: Stream) -> int:
        """Delete the rows with these keys of the source's; return how many keys there were."""

    def insert(self, into: Transaction, pair: Pair, rows: Stream) -> int:
        """Insert rows of the source's; return how many."""


def carrier_between(source: Engine, target: Engine) -> Carrier:
    """Return the way between two engines."""
    if source is target:
        return BinaryCarrier() if source is Engine.POSTGRESQL else RowCarrier(_as_they_are)
    if target is Engine.POSTGRESQL:
        return RowCarrier(_typed)
    if target is Engine.SQLITE:
        return RowCarrier(_stored)
    raise UnsupportedEngines(
        f"there is no way from {source} to {target}; wanted one engine on both sides, or {Engine.SQLITE} to"
        f" {Engine.POSTGRESQL}",
        next="strangler doctor",
    )


class BinaryCarrier:
    """PostgreSQL to PostgreSQL by binary COPY: the same bytes, never a Python value."""

    def keys(self, _pair: Pair, keys: Iterable[Row]) -> Iterator[Row]:
        """Yield what the target has for these keys of the source's."""
        return iter(keys)

    def delete(self, into: Transaction, pair: Pair, keys: Stream) -> int:
        """Delete the rows with these keys of the source's; return how many keys there were."""
        assert isinstance(into, PostgresTransaction)
        assert isinstance(keys, PostgresStream)
        return into.delete_blocks(pair.target, pair.key_into, keys.blocks(), pair.kept)

    def insert(self, into: Transaction, pair: Pair, rows: Stream) -> int:
        """Insert rows of the source's; return how many."""
        assert isinstance(into, PostgresTransaction)
        assert isinstance(rows, PostgresStream)
        return into.insert_blocks(pair.target, pair.into, rows.blocks())


@dataclass(frozen=True, slots=True)
class RowCarrier:
    """Row by row; `convert` gives, for a target's columns, what becomes of each row."""

    convert: Callable[[Shape, tuple[str, ...], Iterable[Row]], Iterator[Row]]

    def keys(self, pair: Pair, keys: Iterable[Row]) -> Iterator[Row]:
        """Yield what the target has for these keys of the source's."""
        return self.convert(pair.target, pair.key_into, keys)

    def delete(self, into: Transaction, pair: Pair, keys: Stream) -> int:
        """Delete the rows with these keys of the source's; return how many keys there were."""
        keys_there = self.keys(pair, keys.rows())
        return into.delete(pair.target, pair.key_into, keys_there, pair.kept)

    def insert(self, into: Transaction, pair: Pair, rows: Stream) -> int:
        """Insert rows of the source's; return how many."""
        return into.insert(pair.target, pair.into, self.convert(pair.target, pair.into, rows.rows()))


def _as_they_are(_shape: Shape, _columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[Row]:
    return iter(rows)


def _stored(_shape: Shape, _columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[Row]:
    return (tuple(map(stored, row)) for row in rows)


def _typed(shape: Shape, columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows that fit; raise UnfitValues, naming the first of those that do not, at the end."""
    conversion = Conversion(shape, columns)
    yield from conversion.of(rows)
    conversion.refuse_faults()


class Conversion:
    """Rows of SQLite as a PostgreSQL table takes them. Those that do not fit are set aside and named."""

    def __init__(self, shape: Shape, columns: tuple[Column, ...]) -> None:
        """Convert for columns of a table; raise UnfitValues where one's type is one nobody taught us."""
        self.shape = shape
        self.columns = columns
        self.faults: list[str] = []
        self._converters = [
            self._known(name, kind) for name, kind in zip(columns, shape.types(columns), strict=True)
        ]

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows that fit, until there are enough faults to name."""
        for row in rows:
            converted = self.one(row)
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

    def _known(self, name: Column, kind: str) -> Convert:
        found = converter(kind)
        if found is None:
            raise UnfitValues(
                f"{self.shape.table}.{name} is of type {kind}; no conversion from SQLite is known for it",
                next=f"give {name} a type of the standard set in the service's migrations",
            )
        return found

    def one(self, row: Row) -> Row | None:
        """Return a row converted, None where it does not fit."""
        converted = []
        before = len(self.faults)
        for name, convert, value in zip(self.columns, self._converters, row, strict=True):
            try:
                converted.append(None if value is None else convert(value))
            except Unfit:
                self.faults.append(self._fault(row, name, value))
        return tuple(converted) if len(self.faults) == before else None

    def _fault(self, row: Row, name: Column, value: Any) -> str:
        by_name = dict(zip(self.columns, row, strict=True))
        key = ", ".join(f"{part}={by_name[part]!r}" for part in self.shape.key if part in by_name)
        shown = repr(value)
        shown = shown if len(shown) <= SHOWN_LENGTH else f"{shown[:SHOWN_LENGTH]}…"
        return f"{key}: {name} = {shown}, wanted {self.shape.types([name])[0]}"
