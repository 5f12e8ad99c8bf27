"""The shape of a table as a database reports it, and how the columns of two sides belong together. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter


@dataclass(frozen=True, slots=True)
class Shape:
    """One table: its stored columns with their declared types, its primary key, the tables it refers to."""

    table: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    refers_to: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, sorted: the order in which both sides read and write them."""
        return tuple(sorted(self.columns))

    def types(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the declared types of columns."""
        return tuple(self.columns[name] for name in names)


@dataclass(frozen=True, slots=True)
class Pair:
    """One table as both sides have it: rows go from `columns` at the source to `into` at the target."""

    source: Shape
    target: Shape
    columns: tuple[str, ...] = field(default=())
    into: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.columns:
            object.__setattr__(self, "columns", self.source.names)
            object.__setattr__(self, "into", self.source.names)

    @property
    def table(self) -> str:
        """The table's name, as the routing table's group says it."""
        return self.source.table

    @property
    def key(self) -> tuple[str, ...]:
        """The source's key."""
        return self.source.key

    @property
    def key_into(self) -> tuple[str, ...]:
        """The columns in which the target keeps the source's key."""
        where = dict(zip(self.columns, self.into, strict=True))
        return tuple(where[name] for name in self.source.key)

    @property
    def schema(self) -> str:
        """A digest of both tables' columns and types, the same in both directions."""
        sides = sorted(repr(sorted(shape.columns.items())) for shape in (self.source, self.target))
        return hashlib.sha256("".join(sides).encode()).hexdigest()[:16]

    def reversed(self) -> "Pair":
        """Return the way back."""
        return Pair(self.target, self.source, self.into, self.columns)


def parents_first(pairs: Iterable[Pair]) -> list[Pair]:
    """Order tables so that a row's parents come before it; tables that refer to each other go by name.

    That is safe for them too where the schema lets foreign keys be checked at the end of the transaction.
    """
    by_name = {pair.table: pair for pair in sorted(pairs, key=lambda pair: pair.table)}
    graph = {
        name: sorted((pair.target.refers_to & by_name.keys()) - {name}) for name, pair in by_name.items()
    }
    try:
        return [by_name[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError:
        return list(by_name.values())
