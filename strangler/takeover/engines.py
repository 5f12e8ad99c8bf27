"""What the takeover asks of a database, whatever its engine. Schemas are read from the database itself.

A source is one read snapshot from opening to closing; a target is one transaction that `commit` ends and
anything else undoes, the death of the process included.
"""

from collections.abc import Iterator
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

from strangler.takeover.shape import Shape


class Engine(StrEnum):
    """A database engine the kit can read and write."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Database(Protocol):
    """A database that is open in one transaction."""

    engine: Engine

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def shape(self, table: str) -> Shape | None:
        """Return the shape of a table, None where there is none."""

    def count(self, shape: Shape) -> int:
        """Count the rows of a table."""

    def rows(self, shape: Shape) -> Iterator[tuple[Any, ...]]:
        """Yield every row by primary key, columns sorted by name, one in memory at a time."""


class Source(Database, Protocol):
    """The database that is read. Nothing in it ever changes."""

    def highest_id(self, shape: Shape) -> int:
        """Return the highest id ever given out for a table, rows since deleted included; 0 for none."""


class Target(Database, Protocol):
    """The database that is filled."""

    def lock(self, shapes: list[Shape]) -> None:
        """Keep every other writer out of the tables until the transaction ends; readers stay."""

    def clear(self, shape: Shape) -> int:
        """Delete every row of a table; return how many there were."""

    def start_ids_after(self, shape: Shape, number: int) -> None:
        """Let the ids the database gives out itself start above `number`. Without own ids: nothing."""

    def commit(self) -> None:
        """Make it all so, at once."""
