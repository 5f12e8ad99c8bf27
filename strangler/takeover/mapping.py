"""Say which table and column of the service takes which of the monolith's, from one file a service. Pure
but for reading it.

```toml
[tables.catalog_product]      # as the monolith calls it
table = "product"             # as the service does
rename = { category_id = "shelf_id" }
drop = ["note", "legacy_code"]        # columns that the service does not keep
default = { legacy_code = "none" }    # what they begin with in rows that the service makes
constant = { source = "shop" }        # columns that only the service has, and what they always hold
```
"""

import tomllib
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strangler.errors import BadMapping
from strangler.takeover.shape import Constant, Match, Pair, Shape

Value = int | float | str


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How one table differs. Without a word, everything is called the same on both sides."""

    table: str = ""
    rename: Dictionary[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    default: Dictionary[str, Value] = field(default_factory=dict)
    constant: Dictionary[str, Value] = field(default_factory=dict)

    def into(self, table: str) -> str:
        """Return what the service calls the table."""
        return self.table or table

    def pair(self, source: Shape, target: Shape, *, typed: bool) -> Pair:
        """Return which column goes where. `typed`: PostgreSQL reads the constants, which must be told their
        types.
        """

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
        return Pair(source, target, (*kept, *fixed, *dropped))


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


KNOWN: Dictionary[str, tuple[type, type, str]] = {
    "table": (str, str, "TEXT"),
    "rename": (dict, str, "{ COLUMN = COLUMN }"),
    "drop": (list, str, "[COLUMN, …]"),
    "default": (dict, Value, "{ COLUMN = VALUE }"),  # type: ignore[dict-item]
    "constant": (dict, Value, "{ COLUMN = VALUE }"),  # type: ignore[dict-item]
}


def _table(file: Path, name: str, values: Any) -> TableMapping:
    if not isinstance(values, dict):
        raise _wrong(file, f"tables.{name}", "a table")
    for key, value in values.items():
        if key not in KNOWN or not _is(value, *KNOWN[key][:2]):
            wanted = " or ".join(f"{known} = {form}" for known, (_, _, form) in KNOWN.items())
            raise _wrong(file, f"tables.{name}.{key}", wanted)
    numbered = {
        # SQLite, and so every comparison with it, has numbers in place of truths.
        key: {column: int(value) if isinstance(value, bool) else value for column, value in columns.items()}
        for key, columns in values.items()
        if key in {"default", "constant"}
    }
    return TableMapping(**{**values, **numbered, "drop": tuple(values.get("drop", ()))})


def _is(value: Any, kind: type, entry: type) -> bool:
    entries = value.values() if isinstance(value, dict) else value
    return isinstance(value, kind) and all(isinstance(each, entry) for each in entries)


def _wrong(file: Path, key: str, wanted: str) -> BadMapping:
    return BadMapping(f"{file}: {key} is not known there; wanted {wanted}", next=f"edit {file}")
