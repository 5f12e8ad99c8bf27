"""The takeover's own tables and triggers on SQLite, as SQL. Pure.

SQLite has triggers for rows alone: an UPDATE or DELETE that meets no row passes a fence, and what INSERT OR
REPLACE evicts is not captured; verification finds that.
"""

from collections.abc import Iterable, Iterator

from strangler.takeover import standard_sql
from strangler.takeover.records import Records
from strangler.takeover.shape import Column, Constant, Shape
from strangler.takeover.standard_sql import identifier

RECORDS = Records("strangler_", "?")
# A row of `strangler_rehearsal` lets its own transaction through every fence, and no transaction that has
# one can be committed: the row refers to one that cannot exist. Without foreign keys it could be.
CONTROL = (
    """CREATE TABLE IF NOT EXISTS strangler_owner (takeover TEXT NOT NULL, epoch INTEGER NOT NULL,
    owner TEXT NOT NULL, outcome TEXT NOT NULL, position TEXT NOT NULL, decided_by TEXT NOT NULL,
    at TEXT DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (takeover, epoch))""",
    """CREATE TABLE IF NOT EXISTS strangler_lease (takeover TEXT PRIMARY KEY, epoch INTEGER NOT NULL,
    token TEXT NOT NULL, holder TEXT NOT NULL, applying INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE IF NOT EXISTS strangler_note (takeover TEXT NOT NULL, name TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (takeover, name))""",
    """CREATE TABLE IF NOT EXISTS strangler_rehearsal (id INTEGER PRIMARY KEY CHECK (id = 1),
    never INTEGER NOT NULL DEFAULT 2 CHECK (never = 2)
        REFERENCES strangler_rehearsal (id) DEFERRABLE INITIALLY DEFERRED)""",
    """CREATE TRIGGER IF NOT EXISTS strangler_rehearsal_checked BEFORE INSERT ON strangler_rehearsal
    WHEN (SELECT foreign_keys FROM pragma_foreign_keys) IS NOT 1
    BEGIN SELECT RAISE(ABORT, 'strangler: a rehearsal needs PRAGMA foreign_keys = ON'); END""",
    """CREATE TRIGGER IF NOT EXISTS strangler_rehearsal_stays BEFORE DELETE ON strangler_rehearsal
    BEGIN SELECT RAISE(ABORT, 'strangler: a rehearsal cannot be kept'); END""",
)
EVENTS = ("insert", "update", "delete")
OURS = ("strangler_capture_", "strangler_fence_", "strangler_writers_")


def literal(text: str) -> str:
    """Quote a text."""
    return "'" + text.replace("'", "''") + "'"


def listed(names: Iterable[str]) -> str:
    """Return names quoted, with commas."""
    return ", ".join(map(identifier, names))


def selected(columns: Iterable[Column]) -> str:
    """Return what is read of a row, with commas."""
    return ", ".join(
        _constant(column) if isinstance(column, Constant) else identifier(column) for column in columns
    )


def rows_of(shape: Shape) -> str:
    """Return what stands behind FROM for the rows of a table, or of one and its parts together."""
    return standard_sql.rows_of(shape, _constant)


def filling_gaps(shape: Shape) -> Iterator[str]:
    """Yield the statements that give every row the rows that its parts lack."""
    return standard_sql.filling_gaps(shape, _constant)


def _constant(constant: Constant) -> str:
    value = constant.value
    return literal(value) if isinstance(value, str) else repr(value)


def by_bytes(shape: Shape) -> str:
    """Return the key's columns in the order that every engine has; an index serves where the table has it."""
    return ", ".join(
        identifier(name) + (" COLLATE BINARY" if name in shape.collations else "") for name in shape.key
    )


def log_of(table: str) -> str:
    """Return the name of a table's log."""
    return f"strangler_log_{table}"


def log_table(shape: Shape) -> str:
    """Return the statement that makes a table's log: keys as they are, no type and so no conversion."""
    return (
        f"CREATE TABLE IF NOT EXISTS {identifier(log_of(shape.table))}"
        f" (seq INTEGER PRIMARY KEY AUTOINCREMENT, {listed(shape.key)})"
    )


def capture_triggers(shape: Shape) -> Iterator[tuple[str, str]]:
    """Yield name and text of each trigger that logs keys; an update logs two where it changes the key."""
    log, columns = identifier(log_of(shape.table)), listed(shape.key)
    old, new = (", ".join(f"{row}.{identifier(name)}" for name in shape.key) for row in ("OLD", "NEW"))
    moved = " OR ".join(
        f"OLD.{identifier(name)} IS NOT NEW.{identifier(name)} COLLATE BINARY" for name in shape.key
    )
    bodies = {
        "insert": f"INSERT INTO {log} ({columns}) VALUES ({new});",
        "delete": f"INSERT INTO {log} ({columns}) VALUES ({old});",
        "update": f"INSERT INTO {log} ({columns}) VALUES ({new});"
        f" INSERT INTO {log} ({columns}) SELECT {old} WHERE {moved};",
    }
    for event in EVENTS:
        name = f"strangler_capture_{event}_{shape.table}"
        on = f"AFTER {event.upper()} ON {identifier(shape.table)}"
        yield name, f"CREATE TRIGGER {identifier(name)} {on} BEGIN {bodies[event]} END"


def fence_triggers(shape: Shape, takeover: str, epoch: int) -> Iterator[tuple[str, str]]:
    """Yield name and text of each trigger that refuses writes but the lease holder's and rehearsals."""
    said = f"strangler: table {shape.table} moved (takeover {takeover}, epoch {epoch})"
    applying = f"(SELECT applying FROM strangler_lease WHERE takeover = {literal(takeover)}) IS 1"
    rehearsing = "EXISTS (SELECT 1 FROM strangler_rehearsal)"
    for event in EVENTS:
        name = f"strangler_fence_{event}_{shape.table}"
        on = f"BEFORE {event.upper()} ON {identifier(shape.table)} WHEN NOT ({applying} OR {rehearsing})"
        yield name, f"CREATE TRIGGER {identifier(name)} {on} BEGIN SELECT RAISE(ABORT, {literal(said)}); END"


def drop_triggers(kind: str, table: str) -> Iterator[str]:
    """Yield the statements that drop a table's triggers of one kind: `capture`, `fence`, `writers`."""
    for event in EVENTS:
        yield f"DROP TRIGGER IF EXISTS {identifier(f'strangler_{kind}_{event}_{table}')}"
