"""Fences as a takeover puts them up, for the tests of whoever meets one."""

from collections.abc import Iterator, Sequence

from strangler.takeover import postgres_schema, sqlite_schema
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
