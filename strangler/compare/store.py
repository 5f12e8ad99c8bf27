"""The file that keeps what was compared: its tables, and what its rows are.

SQLite in WAL mode. One process writes (`writing`), any number read (`reading`). Nothing here judges.
"""

import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from proxy.pairs import Pair
from strangler.compare.circumstances import Circumstances
from strangler.compare.findings import Finding
from strangler.compare.verdict import Comparison, Verdict
from strangler.errors import ForeignStore, NoStore, StranglerError

VERSION = 4
HOUR = 3600

_SCHEMA = """
CREATE TABLE comparisons (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    at REAL NOT NULL,
    route TEXT NOT NULL,
    stage TEXT NOT NULL,
    verdict TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    comparison BLOB NOT NULL,
    pair BLOB NOT NULL
);
CREATE INDEX comparisons_shelf ON comparisons (route, stage, verdict, fingerprint);
CREATE INDEX comparisons_request ON comparisons (request_id);
CREATE TABLE counts (
    route TEXT, stage TEXT, epoch INTEGER, hour INTEGER, method TEXT, outcome TEXT, role TEXT, verdict TEXT,
    n INTEGER NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
    PRIMARY KEY (route, stage, epoch, hour, method, outcome, role, verdict)
) WITHOUT ROWID;
CREATE TABLE hits (
    route TEXT, rule TEXT, n INTEGER NOT NULL, last_at REAL NOT NULL, PRIMARY KEY (route, rule)
) WITHOUT ROWID;
CREATE TABLE settled (
    route TEXT PRIMARY KEY, epoch INTEGER NOT NULL, at REAL NOT NULL, who TEXT, reason TEXT
) WITHOUT ROWID;
CREATE TABLE findings (
    route TEXT, stage TEXT, subject TEXT, name TEXT, pattern TEXT,
    n INTEGER NOT NULL, last_at REAL NOT NULL,
    example INTEGER REFERENCES comparisons (id) ON DELETE SET NULL,
    PRIMARY KEY (route, stage, subject, name, pattern)
) WITHOUT ROWID;
CREATE INDEX findings_example ON findings (example);
CREATE TABLE waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT, route TEXT NOT NULL, comparison BLOB NOT NULL, pair BLOB NOT NULL
);
CREATE TABLE requests (
    id INTEGER PRIMARY KEY, route TEXT NOT NULL, digest BLOB NOT NULL, asked BLOB NOT NULL
);
CREATE TABLE faults (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Judged:
    """A pair and its verdict."""

    pair: Pair
    comparison: Comparison


@dataclass(frozen=True)
class Kept:
    """A judged pair that was kept whole, under its number."""

    id: int
    judged: Judged


@dataclass(frozen=True)
class Count:
    """How often a route at a stage of the table got a verdict; times in Unix seconds."""

    route: str
    stage: str
    verdict: Verdict
    n: int
    first_at: float
    last_at: float


@dataclass(frozen=True)
class Evidence:
    """How often a route got a verdict in certain circumstances; times in Unix seconds."""

    circumstances: Circumstances
    verdict: Verdict
    n: int
    first_at: float
    last_at: float


@dataclass(frozen=True)
class Hit:
    """How often a rule forgave something in answers of a route; the last time in Unix seconds."""

    route: str
    rule: str
    n: int
    last_at: float


@dataclass(frozen=True)
class Found:
    """In how many comparisons a finding occurred, and the number of one that is kept."""

    route: str
    stage: str
    finding: Finding
    n: int
    last_at: float
    example: int | None


def connect(path: Path, *, may_write: bool) -> sqlite3.Connection:
    """Open the file; a writer creates the tables of an empty one. Raises ForeignStore or NoStore."""
    uri = path.absolute().as_uri() + ("" if may_write else "?mode=ro")
    # One writer at a time, but not always on one thread: the drain hands each batch to a worker thread.
    database = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database, path, may_write=may_write)
    except sqlite3.DatabaseError as error:
        database.close()
        raise _foreign(path, str(error)) from error
    except StranglerError:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, path: Path, *, may_write: bool) -> None:
    version = database.execute("PRAGMA user_version").fetchone()[0]
    tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if version != VERSION and (version or tables):
        raise _foreign(path, f"it is of version {version}")
    database.execute("PRAGMA foreign_keys = ON")
    # A power failure may cost the last batches, never the file.
    database.execute("PRAGMA synchronous = NORMAL")
    if not tables and not may_write:
        raise no_store(path)
    if not tables:
        _create(database)


def _create(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")


def no_store(path: Path) -> NoStore:
    """Return the refusal to read where nothing was written yet."""
    return NoStore(
        f"{path} is not there or empty; nothing was compared yet", next="strangler flip ROUTE shadow"
    )


def _foreign(path: Path, found: str) -> ForeignStore:
    return ForeignStore(
        f"{path} cannot be used: {found}; a store of version {VERSION} is wanted",
        next=f"mv {path} {path}.old        (the comparer starts a new one)",
    )


def packed(pair: Pair) -> bytes:
    """Return the stored form of a pair."""
    return zlib.compress(msgspec.msgpack.encode(pair), 1)


def unpacked(pair: bytes, comparison: bytes) -> Judged:
    """Return a judged pair from the two columns that hold it."""
    return Judged(
        msgspec.msgpack.decode(zlib.decompress(pair), type=Pair),
        msgspec.json.decode(comparison, type=Comparison),
    )
