"""The record of every change to the routing table: one JSON line each, chained by hashes. Never rewritten.

A line's `prev` is the SHA-256 of the line before it (`printf %s "$line" | sha256sum` gives the same), its
`hash` that of itself without the hash. A change is written down before it is made and its outcome after, so
that a crash in between leaves a line without outcome, and never a change without a line; the next change
finds out which it was (`reconcile`).
"""

import enum
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from strangler.errors import AuditUnusable
from strangler.steps import Position
from strangler.table_file import sync_directory

NOTHING_BEFORE = "0" * 64


class Action(enum.StrEnum):
    """What a line records."""

    FLIP = "flip"
    BACK = "back"
    CUTOVER = "cutover"
    ROLLBACK = "rollback"
    HAND_EDIT = "hand edit"
    OUTCOME = "outcome"


class Outcome(enum.StrEnum):
    """What became of a change that was written down."""

    APPLIED = "applied"
    ABANDONED = "abandoned"  # the table was never written
    UNDONE = "undone"  # a machine did not take it, and it was taken back
    UNKNOWN = "unknown"  # it was interrupted, and the table was edited by hand since


NOT_IN_FORCE = (Outcome.ABANDONED, Outcome.UNDONE)


class Record(msgspec.Struct, frozen=True, omit_defaults=True, rename={"origin": "from", "target": "to"}):
    """What one line says, apart from its place in the chain. `at` is UTC in ISO form."""

    at: str
    who: str
    action: Action
    route: str | None = None
    group: str | None = None  # whose owner changed, and with it every route that writes
    origin: Position | None = None
    target: Position | None = None
    reason: str | None = None
    before: str | None = None
    after: str | None = None
    evidence: Mapping[str, int] | None = None
    gate: Mapping[str, Any] | None = None  # what it answered and why; `forced` when that was overridden
    known: tuple[str, ...] | None = None  # writers without a route, acknowledged by name
    of: int | None = None  # of an outcome: the line of its change
    outcome: Outcome | None = None
    acknowledged: tuple[int, ...] | None = None
    silent: tuple[int, ...] | None = None
    machines: tuple[str, ...] | None = None
    behind: tuple[str, ...] | None = None  # machines that did not acknowledge


@dataclass(frozen=True)
class Line:
    """A record at its line of the file, counted from 1."""

    number: int
    record: Record


@dataclass(frozen=True)
class Fault:
    """A line that is not as it was written."""

    number: int
    found: str


@dataclass(frozen=True)
class Chain:
    """The record as read: the lines that can be read, and every fault. `tip` is the last line's hash."""

    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]
    length: int = 0  # in lines, the unreadable ones too
    tip: str = NOTHING_BEFORE
    open_end: bool = False  # the last line lacks its line feed: a crash while it was written

    @property
    def changes(self) -> Iterator[Line]:
        """The lines that record a change of the table, oldest first."""
        return (line for line in self.lines if line.record.action is not Action.OUTCOME)

    def outcome_of(self, change: Line) -> Record | None:
        """Return what became of a change, None when that was never written down."""
        return next((line.record for line in self.lines if line.record.of == change.number), None)


def read_chain(raw: bytes) -> Chain:
    """Return the chain that a file's bytes hold, and where it is broken. Pure; never raises."""
    lines: list[Line] = []
    faults: list[Fault] = []
    prev = NOTHING_BEFORE
    *whole, rest = raw.split(b"\n")
    texts = [*whole, rest] if rest else whole
    for number, text in enumerate(texts, start=1):
        try:
            lines.append(Line(number, _decode(text, prev)))
        except ValueError as error:
            torn = number > len(whole)
            faults.append(Fault(number, "it breaks off in the middle" if torn else str(error)))
        prev = _sha256(text)
    return Chain(tuple(lines), tuple(faults), len(texts), prev, open_end=bool(rest))


def reconcile(chain: Chain, version: str, *, at: str, who: str) -> tuple[Record, ...]:
    """Return the records that the chain lacks, given the version of the table now. Pure.

    That is the outcome of an interrupted change, and a hand edit if the table is not the one last recorded.
    """
    change = next(reversed(tuple(chain.changes)), None)
    if change is None:
        return ()
    known = chain.outcome_of(change)
    outcome = known.outcome if known else _interrupted(change.record, version)
    missing: list[Record] = []
    if known is None and change.record.action is not Action.HAND_EDIT:
        missing.append(Record(at=at, who=who, action=Action.OUTCOME, of=change.number, outcome=outcome))
    recorded = change.record.before if outcome in NOT_IN_FORCE else change.record.after
    if recorded != version:
        missing.append(Record(at=at, who=who, action=Action.HAND_EDIT, before=recorded, after=version))
    return tuple(missing)


class Audit:
    """The audit's file. Appending needs the lock of the routing table to be held."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> Chain:
        """Return the chain as it stands; an absent file is an empty one."""
        try:
            return read_chain(self._file.read_bytes())
        except FileNotFoundError:
            return read_chain(b"")
        except OSError as error:
            raise self._unusable(error) from None

    def append(self, record: Record) -> int:
        """Write one record at the end of the chain and return its line. Durable when it returns."""
        chain = self.read()
        # A torn line keeps its place and is ended here: it stays a fault, and the chain goes on behind it.
        data = b"\n" * chain.open_end + encode(record, chain.tip) + b"\n"
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            sync_directory(self._file.parent)
        except OSError as error:
            raise self._unusable(error) from None
        return chain.length + 1

    def _unusable(self, error: OSError) -> AuditUnusable:
        return AuditUnusable(
            f"{self._file} cannot be used: {error}; no change is made without a record of it",
            next="strangler doctor        (editing the table by hand needs no record)",
        )


def _interrupted(change: Record, version: str) -> Outcome:
    if change.action is Action.HAND_EDIT or version == change.after:
        return Outcome.APPLIED
    return Outcome.ABANDONED if version == change.before else Outcome.UNKNOWN


def encode(record: Record, prev: str) -> bytes:
    body = b'{"prev":"' + prev.encode() + b'",' + msgspec.json.encode(record)[1:]
    return body[:-1] + b',"hash":"' + _sha256(body).encode() + b'"}'


def _decode(text: bytes, prev: str) -> Record:
    body, _, seal = text.rpartition(b',"hash":"')
    if seal != _sha256(body + b"}").encode() + b'"}':
        raise ValueError("it is not as it was written: its own hash does not match")
    if not body.startswith(b'{"prev":"' + prev.encode() + b'"'):
        raise ValueError("it does not follow the line before it: a line was changed, removed or put in")
    try:
        return msgspec.json.decode(body + b"}", type=Record)
    except msgspec.DecodeError as error:
        raise ValueError(f"it is no record: {error}") from None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
