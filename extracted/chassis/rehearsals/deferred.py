"""Find a foreign key that a commit would find broken: a rehearsal has no commit, and is to answer the same.

Looks at touched rows alone, by the foreign keys that the models declare as deferred.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from sqlalchemy import ColumnElement, Connection, ForeignKey, Table, exists, select, tuple_

from extracted.chassis.rehearsals.effects import Op
from extracted.chassis.rehearsals.seen import Key, Touch


def broken(connection: Connection, tables: Sequence[Table], touches: Sequence[Touch]) -> ForeignKey | None:
    """Return a foreign key that the transaction leaves broken, None where all hold."""
    written, gone = _keys(touches, {Op.INSERT, Op.UPDATE}), _keys(touches, {Op.DELETE})
    for foreign_key in _deferred(tables):
        child, parent = foreign_key.parent.table, foreign_key.column.table
        if _refers_nowhere(connection, foreign_key, tuple_(*child.primary_key), written.get(child.name)):
            return foreign_key
        if _refers_nowhere(connection, foreign_key, tuple_(foreign_key.parent), gone.get(parent.name)):
            return foreign_key
    return None


def _keys(touches: Sequence[Touch], ops: Set[Op]) -> Mapping[str, Set[Key]]:
    keys: dict[str, set[Key]] = {}
    for touch in touches:
        if touch.op in ops:
            keys.setdefault(touch.table, set()).add(touch.key)
    return keys


def _deferred(tables: Sequence[Table]) -> Iterator[ForeignKey]:
    """Yield the deferred foreign keys to one column that is its table's primary key."""
    for table in tables:
        for foreign_key in table.foreign_keys:
            primary = list(foreign_key.column.table.primary_key)
            if foreign_key.deferrable and primary == [foreign_key.column]:
                yield foreign_key


def _refers_nowhere(
    connection: Connection, foreign_key: ForeignKey, columns: ColumnElement[Any], keys: Set[Key] | None
) -> bool:
    """Whether one of the rows with these `keys` in `columns` refers to a row that is not there."""
    if not keys:
        return False
    parent = foreign_key.column.table.alias()
    there = exists().where(parent.c[foreign_key.column.key] == foreign_key.parent)
    asked = select(foreign_key.parent).where(columns.in_(list(keys)), foreign_key.parent.is_not(None), ~there)
    return connection.execute(asked.limit(1)).first() is not None
