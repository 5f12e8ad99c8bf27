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


def changes(connection: Connection, tables: Sequence[Table], touches: Sequence[Touch]) -> list[RowChange]:
    """Return what became of every row that was touched, as it stands in the transaction. Raises Unseen."""
    found: list[RowChange] = []
    for table in tables:
        ops: dict[Key, list[Op]] = {}
        for touch in touches:
            if touch.table == table.name:
                ops.setdefault(touch.key, []).append(touch.op)
        rows = dict(_rows(connection, table, list(ops)))
        found += (change for key, done in ops.items() if (change := _change(table, key, done, rows.get(key))))
    return found


def _change(table: Table, key: Key, ops: Sequence[Op], row: Mapping[str, Any] | None) -> RowChange | None:
    named = dict(zip((column.name for column in table.primary_key), key, strict=True))
    is_new = ops[0] is Op.INSERT
    if row is None:
        if Op.DELETE not in ops and not is_new:
            raise Unseen(f"row {key} of {table.name} is gone, and nobody deleted it")
        return None if is_new else RowChange(table.name, Op.DELETE, named, None)
    return RowChange(table.name, Op.INSERT if is_new else Op.UPDATE, named, row)


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
