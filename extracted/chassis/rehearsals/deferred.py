"""Find a foreign key that a commit would find broken: a rehearsal has no commit, and is to answer the same.

Looks at touched rows alone, by the foreign keys that the models declare as deferred.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, ForeignKey, Table, exists, select, tuple_

from extracted.chassis.rehearsals.seen import Key, Touch


def broken(connection: Connection, tables: Sequence[Table], touches: Sequence[Touch]) -> ForeignKey | None:
    """Return a foreign key that the transaction leaves broken, None where all hold."""
    keys: dict[str, set[Key]] = {}
    for touch in touches:
        keys.setdefault(touch.table, set()).add(touch.key)
    for foreign_key in _deferred(tables):
        child, parent = foreign_key.parent.table, foreign_key.column.table
        if _orphans(connection, foreign_key, child, keys.get(child.name, set())) or _orphans_of(
            connection, foreign_key, keys.get(parent.name, set())
        ):
            return foreign_key
    return None


def _deferred(tables: Sequence[Table]) -> Iterator[ForeignKey]:
    """Yield the deferred foreign keys to one column that is its table's primary key."""
    for table in tables:
        for foreign_key in table.foreign_keys:
            primary = list(foreign_key.column.table.primary_key)
            if foreign_key.deferrable and primary == [foreign_key.column]:
                yield foreign_key


def _orphans(connection: Connection, foreign_key: ForeignKey, child: Table, keys: set[Key]) -> bool:
    """Whether a touched row refers to one that is not there."""
    parent = foreign_key.column.table.alias()
    there = exists().where(parent.c[foreign_key.column.key] == foreign_key.parent)
    touched = tuple_(*child.primary_key).in_(list(keys))
    asked = select(foreign_key.parent).where(touched, foreign_key.parent.is_not(None), ~there)
    return bool(keys) and connection.execute(asked.limit(1)).first() is not None


def _orphans_of(connection: Connection, foreign_key: ForeignKey, keys: set[Key]) -> bool:
    """Whether a row still refers to a touched one that is gone."""
    parent = foreign_key.column.table.alias()
    there = exists().where(parent.c[foreign_key.column.key] == foreign_key.parent)
    asked = select(foreign_key.parent).where(foreign_key.parent.in_([key[0] for key in keys]), ~there)
    return bool(keys) and connection.execute(asked.limit(1)).first() is not None
