"""Say which table and column of the service takes which of the monolith's, from one file a service. Pure
but for reading it.

```toml
[tables.catalog_product]      # as the monolith calls it
table = "product"             # as the service does
rename = { category_id = "shelf_id" }
```
"""

import tomllib
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from strangler.errors import BadMapping
from strangler.takeover.shape import Pair, Shape


@dataclass(frozen=True, slots=True)
class TableMapping:
    """One table's other names. Without any, everything is called the same on both sides."""

    table: str = ""
    rename: Dictionary[str, str] = field(default_factory=dict)

    def into(self, table: str) -> str:
        """Return what the service calls the table."""
        return self.table or table

    def pair(self, source: Shape, target: Shape) -> Pair:
        """Return which column goes where."""
        return Pair(source, target, source.names, tuple(self.rename.get(name, name) for name in source.names))


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


def _table(file: Path, name: str, values: Any) -> TableMapping:
    known = {"table": str, "rename": dict}
    if not isinstance(values, dict):
        raise _wrong(file, f"tables.{name}", "a table")
    for key, value in values.items():
        if key not in known or not isinstance(value, known[key]):
            raise _wrong(file, f"tables.{name}.{key}", "table = TEXT or rename = { COLUMN = COLUMN }")
    return TableMapping(values.get("table", ""), values.get("rename", {}))


def _wrong(file: Path, key: str, wanted: str) -> BadMapping:
    return BadMapping(f"{file}: {key} is not known there; wanted {wanted}", next=f"edit {file}")
