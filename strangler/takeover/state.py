"""What a takeover keeps in the databases: who owns, who may apply, how far it has come. Pure.

Each change of owner has an epoch, and each epoch one row, in the database of the owner-to-be: `committed`
or `aborted`, whichever was inserted first. Everything else follows from these rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec

from proxy.routes import Owner

Body = TypeVar("Body")

Key = tuple[int | float | str, ...]


class Outcome(StrEnum):
    """What became of an epoch."""

    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """The one row that decides an epoch. `position` is the new owner's log as the epoch begins."""

    epoch: int
    owner: Owner
    outcome: Outcome
    position: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may apply and decide: every transaction of a takeover checks it where it writes."""

    takeover: str
    epoch: int
    token: str


class TableState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one table has come: rows with keys up to `cursor` are copied, all of them when `done`."""

    cursor: Key | None = None
    done: bool = False
    rows: int = 0  # copied by the backfill
    dirty: str = ""  # why its rows can no longer be trusted to be the source's
    verified: bool = False  # found equal since it was last begun anew; what changed since was applied
    begun: int = 0  # how often it was begun anew
    schema: str = ""  # a digest of the columns that are carried since then


def begun_anew(state: TableState, schema: str, dirty: str = "") -> TableState:
    """Return the state of a table of which nothing is copied any more; from now on with these columns."""
    return TableState(dirty=dirty, begun=state.begun + 1, schema=schema)


class Checkpoint(msgspec.Struct, frozen=True):
    """What the target holds: of every table the copied part, exactly as the source was at `position`."""

    position: str
    tables: Mapping[str, TableState]

    @property
    def complete(self) -> bool:
        """Whether the backfill is over."""
        return all(state.done for state in self.tables.values())

    @property
    def verified(self) -> bool:
        """Whether every table was found equal, and nothing since gives reason to doubt it."""
        return all(state.verified and not state.dirty for state in self.tables.values())

    @property
    def dirty(self) -> dict[str, str]:
        """The tables that cannot be trusted, each with the reason."""
        return {name: state.dirty for name, state in self.tables.items() if state.dirty}


class Pace(msgspec.Struct, frozen=True, omit_defaults=True):
    """How fast a follower may go: rows of the backfill a second (0: as they come), or not at all."""

    paused: bool = False
    rows: float = 0


class Note(StrEnum):
    """A thing the takeover remembers in a database, as one JSON text."""

    CHECKPOINT = "checkpoint"
    CONSTRAINTS = "constraints"
    PACE = "pace"
    RETIRED = "retired"
    ARCHIVE = "archive"


def encode(body: object) -> str:
    """Return a note's text."""
    return msgspec.json.encode(body).decode()


def decode(text: str, kind: type[Body]) -> Body:
    """Return what a note's text says."""
    return msgspec.json.decode(text, type=kind)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns, by the rows of both databases. `epoch` is that of the last committed change."""

    owner: Owner
    epoch: int
    position: str
    highest: int  # of all epochs, the aborted ones too

    @property
    def next_epoch(self) -> int:
        """The epoch of the next attempt."""
        return self.highest + 1


def ownership(rows: Iterable[OwnerRow]) -> Ownership | None:
    """Return who owns by all rows of both databases, None before a takeover was started."""
    known = sorted(rows, key=lambda row: row.epoch)
    committed = [row for row in known if row.outcome is Outcome.COMMITTED]
    if not committed:
        return None
    last = committed[-1]
    return Ownership(last.owner, last.epoch, last.position, known[-1].epoch)
