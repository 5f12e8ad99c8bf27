"""The questions that every side of a takeover on PostgreSQL asks, as SQL, and the few answers they share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from strangler.takeover.postgres_schema import TRIGGERS, log_of, names, rows_of
from strangler.takeover.shape import Shape
from strangler.takeover.standard_sql import identifier
from strangler.takeover.state import Key
from strangler.takeover.values import INTEGERS


@dataclass(frozen=True, slots=True)
class TableTrigger:
    """A trigger as the catalogue has it. `always`: for replicas and superusers too. `columns`: it looks only
    at statements that name certain ones.
    """

    table: str
    name: str
    always: bool
    arguments: str
    columns: bool
    may_set_keys: bool

    @property
    def ours(self) -> bool:
        """Whether the kit made it."""
        return "strangler" in self.name


def triggers_of(connection: psycopg.Connection, tables: Iterable[str]) -> list[TableTrigger]:
    """Return every trigger of some tables."""
    named = [identifier(table) for table in tables]
    return [TableTrigger(*row) for row in connection.execute(TRIGGERS, [named])]


def logged_after(since: str) -> sql.Composed:
    return sql.SQL("NOT pg_visible_in_snapshot(l.strangler_xid, {}::pg_snapshot)").format(sql.Literal(since))


def logged_keys(shape: Shape, since: str, upto: Key | None) -> sql.Composed:
    """Return the query for the keys logged after a position, of a part those of its parent.

    Where all of a part's rows went at once, that concerns every key of its parent.
    """
    logged = [_listed_keys(shape.table, shape.key, since)]
    for part in shape.parts:
        key = tuple(part.key[name] for name in shape.key)
        logged.append(_listed_keys(part.shape.table, key, since))
        logged.append(
            sql.SQL("SELECT {} FROM {} WHERE EXISTS (SELECT FROM {} l WHERE {} AND {} IS NULL)").format(
                names(shape.key),
                sql.Identifier(shape.table),
                log_of(part.shape.table),
                logged_after(since),
                sql.Identifier("l", key[0]),
            )
        )
    within = sql.SQL("").format()
    if upto is not None:
        within = sql.SQL(" WHERE {}").format(compared(shape, "<=", upto))
    return sql.SQL("SELECT DISTINCT {} FROM ({}) AS logged{}").format(
        names(shape.key), sql.SQL(" UNION ALL ").join(logged), within
    )


def _listed_keys(table: str, key: Sequence[str], since: str) -> sql.Composed:
    lists = sql.SQL(", ").join(
        sql.SQL("unnest({}) AS {}").format(sql.Identifier("l", name), sql.Identifier(name)) for name in key
    )
    return sql.SQL("SELECT {} FROM {} l WHERE {}").format(lists, log_of(table), logged_after(since))


def with_keys(shape: Shape, keys: Sequence[tuple[Any, ...]]) -> sql.Composed:
    """Return a FROM for the rows, as `rows`, that have one of these keys: read as text, or as values."""
    lists = sql.SQL(", ").join(
        sql.SQL("{}::{}[]").format(sql.Literal([key[place] for key in keys]), sql.SQL(kind))
        for place, kind in enumerate(shape.types(shape.key))
    )
    # OFFSET 0 keeps it a look-up by key: joined with a union of queries it would be read whole for each key.
    return sql.SQL(
        "FROM unnest({}) AS wanted ({key}) CROSS JOIN LATERAL"
        " (SELECT * FROM {} AS whole WHERE ({whole}) = ({wanted}) OFFSET 0) AS rows"
    ).format(
        lists,
        rows_of(shape),
        key=names(shape.key),
        whole=names(shape.key, "whole"),
        wanted=names(shape.key, "wanted"),
    )


def between(shape: Shape, after: Key | None, upto: Key | None, *, by_bytes: bool = False) -> sql.Composed:
    parts = [
        compared(shape, comparison, key, by_bytes=by_bytes)
        for comparison, key in ((">", after), ("<=", upto))
        if key is not None
    ]
    return sql.SQL("WHERE {}").format(sql.SQL(" AND ").join(parts)) if parts else sql.SQL("").format()


def compared(shape: Shape, comparison: str, key: Key, *, by_bytes: bool = False) -> sql.Composed:
    """Compare the key with one that was read as text."""
    values = sql.SQL(", ").join(
        sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(kind))
        for value, kind in zip(key, shape.types(shape.key), strict=True)
    )
    own = key_by_bytes(shape) if by_bytes else names(shape.key)
    return sql.SQL("({}) {} ({})").format(own, sql.SQL(comparison), values)


def key_by_bytes(shape: Shape) -> sql.Composed:
    """Return the key's columns in an order that every server has: each may sort text by another collation."""
    return sql.SQL(", ").join(_as_ordered(shape, name) for name in shape.key)


def _as_ordered(shape: Shape, name: str) -> sql.Composable:
    column = sql.Identifier(name)
    text = shape.columns[name].startswith(("text", "character"))
    return sql.SQL('{} COLLATE "C"').format(column) if text else column


def highest_given_out(shape: Shape, sequences: Mapping[str, str]) -> Iterator[sql.Composed]:
    """Yield the questions, each for the table's name and a number, how high its ids ever were."""
    table = sql.Literal(shape.table)
    whole = {name for name in shape.key if shape.columns[name] in INTEGERS and len(shape.key) == 1}
    for column in whole | sequences.keys():
        yield sql.SQL("SELECT {}, max({})::bigint FROM {}").format(
            table, sql.Identifier(column), sql.Identifier(shape.table)
        )
    for sequence in sequences.values():
        # A cached sequence counts what any session may still give out: its cache is below the last value.
        yield sql.SQL("SELECT {}, pg_sequence_last_value({}::regclass)").format(table, sequence)


def one(cursor: Any) -> Any:
    row = cursor.fetchone()
    assert row is not None
    return row[0]
