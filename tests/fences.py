"""Fences as a takeover puts them up, for the tests of whoever meets one."""

from collections.abc import Iterator, Sequence
from typing import Any

from strangler.takeover import postgres_schema, postgres_writers, sqlite_schema, sqlite_writers
from strangler.takeover.seen import Seen
from strangler.takeover.shape import Shape


def fence(engine: str, tables: Sequence[str], group: str = "catalog", epoch: int = 3) -> Iterator[str]:
    """Yield the statements that close tables to every writer on an engine, `sqlite` or `postgresql`."""
    if engine == "sqlite":
        yield from sqlite_schema.CONTROL
        for table in tables:
            shape = Shape(table, {}, (), frozenset())
            yield from (text for _, text in sqlite_schema.fence_triggers(shape, group, epoch))
        return
    yield postgres_schema.CONTROL
    for table in tables:
        yield f"CREATE {postgres_schema.fence_trigger(table, group, epoch).as_string()}"
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {postgres_schema.FENCE}"


def unfence(engine: str, tables: Sequence[str]) -> Iterator[str]:
    """Yield the statements that open them again."""
    for table in tables:
        if engine == "sqlite":
            yield from sqlite_schema.drop_triggers("fence", table)
        else:
            yield f"DROP TRIGGER {postgres_schema.FENCE} ON {table}"


def note_writers(engine: str, tables: Sequence[str], group: str = "catalog") -> Iterator[str]:
    """Yield the statements that note whoever writes tables on an engine."""
    if engine == "sqlite":
        yield from (*sqlite_schema.CONTROL, sqlite_writers.CONTROL)
        for table in tables:
            shape = Shape(table, {}, (), frozenset())
            yield from (text for _, text in sqlite_writers.noting_triggers(shape, group))
        return
    yield postgres_schema.CONTROL
    yield postgres_writers.CONTROL
    for table in tables:
        yield f"CREATE {postgres_writers.noting_trigger(table, group).as_string()}"


def note_nobody(engine: str, tables: Sequence[str]) -> Iterator[str]:
    """Yield the statements that note nobody any more, and forget who was noted."""
    for table in tables:
        if engine == "sqlite":
            yield from sqlite_schema.drop_triggers("writers", table)
        else:
            yield f"DROP TRIGGER {postgres_writers.NOTING} ON {table}"
    yield f"DROP TABLE strangler{'_' if engine == 'sqlite' else '.'}writer"


def noted(engine: str, cursor: Any, group: str = "catalog") -> set[tuple[str, str]]:
    """Return who was noted at which table."""
    seen = (
        sqlite_writers.SEEN.replace("%", "%%").replace("?", "%s")
        if engine == "sqlite"
        else postgres_writers.SEEN
    )
    cursor.execute(seen, [group])
    return {(Seen(*row).name, row[0]) for row in cursor.fetchall()}
