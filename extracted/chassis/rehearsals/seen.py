"""See every row that a rehearsal changes, whatever changed it, or say that not every one was seen.

Witness
├── SqliteWitness    temporary triggers, which see all that SQLite's triggers see
└── PostgresWitness  each statement that SQLAlchemy built; the server's own counts say whether that was all
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import JSON, Connection, Table, select, tuple_

from extracted.chassis.columns import JsonText
from extracted.chassis.rehearsals.effects import Op, RowChange, json_text

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Touch:
    """One row was inserted, updated or deleted."""

    table: str
    op: Op
    key: Key


class Unseen(Exception):
    """The database changed rows that the witness did not see."""


class Witness(Protocol):
    """Watches one rehearsal's connection, from its creation on."""

    def touches(self) -> Sequence[Touch]:
        """Return what was done, in order. Raises Unseen."""


Rows = dict[tuple[str, Key], Mapping[str, Any]]


def rows_of(connection: Connection, tables: Sequence[Table], touches: Sequence[Touch]) -> Rows:
    """Return the touched rows as they stand now."""
    found: Rows = {}
    for table in tables:
        keys = {touch.key for touch in touches if touch.table == table.name}
        found.update({(table.name, key): row for key, row in _rows(connection, table, list(keys))})
    return found


def changes(tables: Sequence[Table], touches: Sequence[Touch], before: Rows, after: Rows) -> list[RowChange]:
    """Return what became of every row that was touched and is another now. Raises Unseen."""
    names = {table.name: [column.name for column in table.primary_key] for table in tables}
    deleted = {(touch.table, touch.key) for touch in touches if touch.op is Op.DELETE}
    found = []
    for table, key in dict.fromkeys((touch.table, touch.key) for touch in touches if touch.table in names):
        was, now = before.get((table, key)), after.get((table, key))
        if not now and (table, key) not in deleted:
            raise Unseen(f"row {key} of {table} is gone, and nobody deleted it")
        if was != now:
            op = Op.UPDATE if was and now else Op.INSERT if now else Op.DELETE
            found.append(RowChange(table, op, dict(zip(names[table], key, strict=True)), now))
    return found


def _rows(connection: Connection, table: Table, keys: Sequence[Key]) -> Iterator[tuple[Key, dict[str, Any]]]:
    if not keys:
        return
    primary = list(table.primary_key)
    of_json = {column.name for column in table.columns if isinstance(column.type, JsonText | JSON)}
    for row in connection.execute(select(table).where(tuple_(*primary).in_(keys))).mappings():
        values = {
            column.name: json_text(row[column]) if column.name in of_json else row[column]
            for column in table.columns
        }
        yield tuple(row[column] for column in primary), values
