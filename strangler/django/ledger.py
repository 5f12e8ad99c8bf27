"""Keep, for one request, what its refusal is worth: was anything of it kept before the fence was met? Pure.

`effect=none` is a promise on which the proxy sends a write a second time, so whatever is in doubt is kept.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from strangler.django.moved import Fence, TableMoved

# What surely changes nothing. A function that a SELECT calls is not looked into.
READS = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*"
    r"(?:select|values|show|fetch|begin|savepoint|release|rollback|set|pragma)\b",
    re.IGNORECASE | re.DOTALL,
)
WITH = re.compile(r"\s*with\b", re.IGNORECASE)
CHANGES = re.compile(r"\b(?:insert|update|delete|merge)\b", re.IGNORECASE)


class Effect(StrEnum):
    """What a refused request left behind."""

    NONE = "none"
    UNKNOWN = "unknown"


@dataclass
class Ledger:
    """What one request did to its databases. `open` names those with writes that are not committed yet."""

    refused: Fence | None = None
    refusals: int = 0
    kept: bool = False
    open: set[str] = field(default_factory=set)

    @property
    def effect(self) -> Effect:
        """What the request left behind, now that it is over."""
        return Effect.UNKNOWN if self.kept else Effect.NONE

    def refuse(self, fence: Fence) -> None:
        """Note that a write met a fence; the first one decides what is answered."""
        self.refused = self.refused or fence
        self.refusals += 1

    def wrote(self, database: str, *, in_transaction: bool) -> None:
        """Note a write; outside of a transaction it is kept at once."""
        if in_transaction:
            self.open.add(database)
        else:
            self.kept = True

    def commits(self, database: str, *, hooks: bool) -> None:
        """Note that a transaction is about to be kept; what runs after it (`hooks`) can do anything.

        Raises TableMoved where a write was refused before: with it Django rolls back, and nothing is kept.
        """
        if not (hooks or database in self.open):
            return
        if self.refused:
            raise TableMoved(self.refused)
        self.kept = True
        self.open.discard(database)

    def rolls_back(self, database: str) -> None:
        """Note that a transaction is given up."""
        self.open.discard(database)


_current: ContextVar[Ledger | None] = ContextVar("strangler_ledger", default=None)


def current() -> Ledger | None:
    """Return the ledger of the request that this thread answers, None outside of one."""
    return _current.get()


@contextmanager
def opened() -> Iterator[Ledger]:
    """Keep a new ledger until the block ends."""
    token = _current.set(Ledger())
    try:
        ledger = _current.get()
        assert ledger is not None
        yield ledger
    finally:
        _current.reset(token)


def changes(sql: object) -> bool:
    """Whether a statement may change rows; one that is not plain text may."""
    if not isinstance(sql, str):
        return True
    if WITH.match(sql):
        return CHANGES.search(sql) is not None
    return READS.match(sql) is None
