"""Say which table and column of the service takes which of the monolith's, from one file a service. Pure
but for reading it.

```toml
[tables.catalog_product]      # as the monolith calls it
table = "product"             # as the service does
rename = { category_id = "shelf_id" }
drop = ["note", "legacy_code"]        # columns that the service does not keep
default = { legacy_code = "none" }    # what they begin with in rows that the service makes
constant = { source = "shop" }        # columns that only the service has, and what they always hold

[tables.catalog_product.split.stock]  # another table of the service's, with a row under each product's key
columns = ["amount", "place"]         # the monolith's columns that go there; the key goes along
rename = { id = "product_id", place = "shelf" }
default = { amount = 0 }              # what they hold in the monolith where the service has no such row
constant = { unit = "piece" }
```
"""

import tomllib
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from strangler.errors import BadMapping
from strangler.takeover.shape import Constant, Match, Pair, Part, Shape, together

Value = int | float | str


@dataclass(frozen=True, slots=True)
class PartMapping:
    """What another table of the service's takes of one of the monolith's: the key, and `columns`."""

    columns: tuple[str, ...]
    rename: Dictionary[str, str] = field(default_factory=dict)
    default: Dictionary[str, Value] = field(default_factory=dict)
    constant: Dictionary[str, Value] = field(default_factory=dict)

    def called(self, name: str) -> str:
        """Return what the part calls a column of the monolith's."""
        return self.rename.get(name, name)

    def part(self, shape: Shape, key: Dictionary[str, str]) -> Part:
        """Return the table as a part of the one that has `key`, which maps its columns to the monolith's."""
        missing = {self.called(name): value for name, value in self.default.items()} | dict(self.constant)
        own = {into: self.called(name) for into, name in key.items()}
        return Part(
            replace(shape, key=tuple(own.values())),
            own,
            {name: Constant(value, shape.columns[name]) for name, value in sorted(missing.items())},
        )


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How one table differs. Without a word, everything is called the same on both sides."""

    table: str = ""
    rename: Dictionary[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    default: Dictionary[str, Value] = field(default_factory=dict)
    constant: Dictionary[str, Value] = field(default_factory=dict)
    split: Dictionary[str, PartMapping] = field(default_factory=dict)

    def into(self, table: str) -> str:
        """Return what the service calls the table."""
        return self.table or table

    def tables(self, table: str) -> tuple[str, ...]:
        """Return what the service calls all tables that take a part of it, the parent's first."""
        return (self.into(table), *self.split)

    @property
    def split_off(self) -> tuple[str, ...]:
        """The monolith's columns that go to another table than the parent's."""
        return tuple(name for part in self.split.values() for name in part.columns)

    def shares(self, source: Shape) -> list["TableMapping"]:
        """Return the mapping of each table of the service's as if it were alone, the parent's first."""
        parent = replace(self, drop=(*self.drop, *self.split_off), split={})
        parts = [
            TableMapping(
                name,
                part.rename,
                tuple(each for each in source.names if each not in (*source.key, *part.columns)),
                constant=part.constant,
            )
            for name, part in self.split.items()
        ]
        return [parent, *parts]

    def pair(
        self, source: Shape, target: Shape, parts: Dictionary[str, Shape] | None = None, *, typed: bool
    ) -> Pair:
        """Return which column goes where. `typed`: PostgreSQL reads the constants, which must be told their
        types.
        """
        parent, *others = self.shares(source)
        elsewhere = set(self.split_off)
        matches = [
            match
            for match in parent.matches(source, target, typed=typed)
            if not isinstance(match.source, str) or match.source not in elsewhere
        ]
        key = {self.rename.get(name, name): name for name in source.key}
        made = []
        for share in others:
            shape = (parts or {})[share.table]
            part = self.split[share.table].part(shape, key)
            beside = {own: name for name, own in part.columns.items()}
            matches += [
                Match(match.source, beside[match.target])
                for match in share.matches(source, shape, typed=typed)
                if match.target in beside and match.source not in source.key
            ]
            made.append(part)
        return Pair(source, together(target, made), tuple(matches))

    def matches(self, source: Shape, target: Shape, *, typed: bool) -> list[Match]:
        """Return which column of one table of the service's takes which."""

        def constant(value: Value, shape: Shape, column: str, *, compared: bool) -> Constant:
            return Constant(value, shape.columns.get(column, "") if typed else "", compared)

        kept = [Match(name, self.rename.get(name, name)) for name in source.names if name not in self.drop]
        fixed = [
            Match(constant(value, target, name, compared=True), name)
            for name, value in sorted(self.constant.items())
        ]
        dropped = [
            Match(
                name,
                constant(self.default[name], source, name, compared=False) if name in self.default else None,
            )
            for name in source.names
            if name in self.drop
        ]
        return [*kept, *fixed, *dropped]


@dataclass(frozen=True, slots=True)
class Mapping:
    """The mapping of a service's tables, by the monolith's names."""

    tables: Dictionary[str, TableMapping] = field(default_factory=dict)

    def table(self, name: str) -> TableMapping:
        """Return a table's mapping."""
        return self.tables.get(name, TableMapping())


def read_mapping(file: Path) -> Mapping:
    """Return what a file says, nothing renamed where there is none. Raises BadMapping."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Mapping()
    except (OSError, ValueError) as fault:
        raise BadMapping(f"{file} cannot be read: {fault}", next=f"edit {file}") from None
    tables = document.pop("tables", {})
    if document or not isinstance(tables, dict):
        raise _wrong(file, ", ".join(document) or "tables", "tables named [tables.NAME]")
    return Mapping({name: _table(file, name, values) for name, values in tables.items()})


Words = Dictionary[str, tuple[type, type, str]]

SHARED: Words = {
    "rename": (dict, str, "{ COLUMN = COLUMN }"),
    "default": (dict, Value, "{ COLUMN = VALUE }"),  # type: ignore[dict-item]
    "constant": (dict, Value, "{ COLUMN = VALUE }"),  # type: ignore[dict-item]
}
OF_TABLE: Words = {
    "table": (str, str, "TEXT"),
    **SHARED,
    "drop": (list, str, "[COLUMN, …]"),
    "split": (dict, dict, "{ TABLE = { columns = [COLUMN, …], … } }"),
}
OF_PART: Words = {"columns": (list, str, "[COLUMN, …]"), **SHARED}


def _table(file: Path, name: str, values: Any) -> TableMapping:
    at = f"tables.{name}"
    said = _said(file, at, values, OF_TABLE)
    parts = {part: _part(file, f"{at}.split.{part}", each) for part, each in said.get("split", {}).items()}
    return TableMapping(**{**said, "drop": tuple(said.get("drop", ())), "split": parts})


def _part(file: Path, at: str, values: Any) -> PartMapping:
    said = _said(file, at, values, OF_PART)
    if not said.get("columns"):
        raise BadMapping(
            f"{file}: {at} takes no columns; wanted columns = {OF_PART['columns'][2]}", next=f"edit {file}"
        )
    return PartMapping(**{**said, "columns": tuple(said["columns"])})


def _said(file: Path, at: str, values: Any, words: Words) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise _wrong(file, at, "a table")
    for key, value in values.items():
        if key not in words or not _is(value, *words[key][:2]):
            wanted = " or ".join(f"{known} = {form}" for known, (_, _, form) in words.items())
            raise _wrong(file, f"{at}.{key}", wanted)
    numbered = {
        # SQLite, and so every comparison with it, has numbers in place of truths.
        key: {column: int(value) if isinstance(value, bool) else value for column, value in columns.items()}
        for key, columns in values.items()
        if key in {"default", "constant"}
    }
    return {**values, **numbered}


def _is(value: Any, kind: type, entry: type) -> bool:
    entries = value.values() if isinstance(value, dict) else value
    return isinstance(value, kind) and all(isinstance(each, entry) for each in entries)


def _wrong(file: Path, key: str, wanted: str) -> BadMapping:
    return BadMapping(f"{file}: {key} is not known there; wanted {wanted}", next=f"edit {file}")
