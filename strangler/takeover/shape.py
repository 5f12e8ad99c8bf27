"""The shape of a table as a database reports it, and how the columns of two sides belong together. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter


@dataclass(frozen=True, slots=True)
class Constant:
    """A value in place of a column that a side does not have.

    `compared`: it is what the other side's column always holds; else only what a new row there begins with.
    `type` is a type of the engine that reads it, empty where it is to be taken as it is.
    """

    value: int | float | str
    type: str = ""
    compared: bool = True


Column = str | Constant  # what is read of a row


@dataclass(frozen=True, slots=True)
class Shape:
    """One table: its stored columns with their declared types, its key, the tables it refers to.

    The key is the primary key, or else a unique one that is never NULL; `uniques` are the others of these.
    `required` columns must be given a value; `never_null` ones may have a default too. `collations` are those
    that sort a column otherwise than its type does; a `folding` column takes texts for equal that are not the
    same.

    With `parts` its rows are those of several tables together, and the parts' columns belong to it. Where a
    part has no row they are NULL, or `filled` with what is missing there. With `strays` a part's row that
    belongs to none is a row too.
    """

    table: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    refers_to: frozenset[str]
    uniques: tuple[tuple[str, ...], ...] = ()
    required: frozenset[str] = frozenset()
    never_null: frozenset[str] = frozenset()
    collations: Mapping[str, str] = field(default_factory=dict)
    folding: frozenset[str] = frozenset()
    parts: tuple["Part", ...] = ()
    filled: bool = False
    strays: bool = False

    @property
    def tables(self) -> tuple["Shape", ...]:
        """The tables that its rows are kept in: itself, or without its parts, and these."""
        if not self.parts:
            return (self,)
        others = {name for part in self.parts for name in part.columns}
        own = {name: kind for name, kind in self.columns.items() if name not in others}
        return (replace(self, columns=own, parts=()), *(part.shape for part in self.parts))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, sorted: the order in which both sides read and write them."""
        return tuple(sorted(self.columns))

    @property
    def described(self) -> str:
        """Its columns with their types, to see that they are still the same."""
        return described(self.columns)

    def types(self, columns: Iterable[Column]) -> tuple[str, ...]:
        """Return the declared types of columns."""
        return tuple(
            column.type if isinstance(column, Constant) else self.columns[column] for column in columns
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A table that has further columns of another's rows, under the same key.

    `key`: what it calls the other's key columns. `missing`: what its columns stand for where it has no row;
    NULL without a word.
    """

    shape: Shape
    key: Mapping[str, str]
    missing: Mapping[str, Constant]

    @property
    def columns(self) -> dict[str, str]:
        """Its columns, by what they are called beside the other's."""
        return {f"{self.shape.table}.{name}": name for name in self.shape.names}


def together(parent: Shape, parts: Sequence[Part]) -> Shape:
    """Return a table and its parts as one."""
    columns = {name: part.shape.columns[own] for part in parts for name, own in part.columns.items()}
    refers_to = parent.refers_to.union(*(part.shape.refers_to for part in parts)) - {parent.table}
    return replace(parent, columns={**parent.columns, **columns}, refers_to=refers_to, parts=tuple(parts))


def described(columns: Mapping[str, str]) -> str:
    """Return columns with their types as one text."""
    return ", ".join(f"{name} {columns[name]}" for name in sorted(columns))


@dataclass(frozen=True, slots=True)
class Match:
    """A column of the source and the column of the target that belongs to it; None where there is nothing."""

    source: Column | None
    target: Column | None

    @property
    def carried(self) -> bool:
        """Whether the target gets its value."""
        return self.source is not None and isinstance(self.target, str)

    @property
    def compared(self) -> bool:
        """Whether both must be equal."""
        return all(
            side.compared if isinstance(side, Constant) else side is not None
            for side in (self.source, self.target)
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A table as both sides have it, and which columns belong together: without a word, those of one name."""

    source: Shape
    target: Shape
    matches: tuple[Match, ...] = ()

    def __post_init__(self) -> None:
        if not self.matches:
            object.__setattr__(self, "matches", tuple(Match(name, name) for name in self.source.names))

    @property
    def table(self) -> str:
        """The table's name, as the routing table's group says it."""
        return self.source.table

    @property
    def key(self) -> tuple[str, ...]:
        """The source's key."""
        return self.source.key

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is read of a row of the source, to be written to `into`."""
        return tuple(match.source for match in self.matches if match.carried and match.source is not None)

    @property
    def into(self) -> tuple[str, ...]:
        """The columns of the target that are written."""
        return tuple(
            match.target for match in self.matches if match.carried and isinstance(match.target, str)
        )

    @property
    def compared(self) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
        """What of a row of the source must be equal to what of a row of the target."""
        both = [(match.source, match.target) for match in self.matches if match.compared]
        return tuple(ours for ours, _ in both if ours is not None), tuple(
            theirs for _, theirs in both if theirs is not None
        )

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns of the target that only it has: a row that is replaced keeps its values."""
        return tuple(
            match.target for match in self.matches if isinstance(match.target, str) and not match.compared
        )

    @property
    def key_into(self) -> tuple[str, ...]:
        """The columns in which the target keeps the source's key."""
        where = {match.source: match.target for match in self.matches if isinstance(match.source, str)}
        return tuple(str(where[name]) for name in self.source.key)

    @property
    def schema(self) -> str:
        """A digest of both tables' columns and types and of how they match, the same in both directions."""
        tables = (*self.source.tables, *self.target.tables)
        sides = sorted(repr(sorted(shape.columns.items())) for shape in tables)
        matches = sorted(repr(sorted(map(repr, (each.source, each.target)))) for each in self.matches)
        parts = (*self.source.parts, *self.target.parts)
        missing = [repr((part.shape.table, sorted(part.missing.items()))) for part in parts]
        return hashlib.sha256("".join([*sides, *matches, *missing]).encode()).hexdigest()[:16]

    @property
    def legs(self) -> tuple["Pair", ...]:
        """One pair for each table of the target, the parent's first: rows are written table by table."""
        if not self.target.parts:
            return (self,)
        parent = self.target.tables[0]
        parts = {name for part in self.target.parts for name in part.columns}
        own = tuple(match for match in self.matches if match.target not in parts)
        return (Pair(self.source, parent, own), *map(self._leg, self.target.parts))

    def _leg(self, part: Part) -> "Pair":
        key = [Match(name, part.key[into]) for name, into in zip(self.key, self.key_into, strict=True)]
        own = [
            Match(match.source, part.columns[match.target])
            for match in self.matches
            if isinstance(match.target, str) and match.target in part.columns
        ]
        return Pair(self.source, part.shape, (*key, *own))

    def reversed(self) -> "Pair":
        """Return the way back: what a part lacks is missing in a copy, and filled in an owner."""
        matches = tuple(Match(each.target, each.source) for each in self.matches)
        return Pair(replace(self.target, filled=True), replace(self.source, filled=False), matches)

    def as_compared(self) -> "Pair":
        """Return the pair with what no row is written by: parts' rows that belong to none, and in a copy the
        keys of its parts, which are NULL where one has no row.
        """
        keys = [
            Match(name, f"{part.shape.table}.{part.key[into]}")
            for part in self.target.parts
            for name, into in zip(self.key, self.key_into, strict=True)
        ]
        source, target = (replace(shape, strays=True) for shape in (self.source, self.target))
        return Pair(source, target, (*keys, *self.matches))  # the last match of a key says where it is kept


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
