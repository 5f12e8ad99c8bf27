"""The shape of a table as a database reports it, and whether two shapes fit. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Pair:
    """One table as both sides have it."""

    source: Shape
    target: Shape

    @property
    def table(self) -> str:
        """The table's name."""
        return self.source.table


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
