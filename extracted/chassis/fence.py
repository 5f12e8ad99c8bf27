"""Know a fence: what it says when it refuses a write, and whether one stands before a table now.

While another database owns a table set, a fence in this one refuses every write to it. It says
`strangler: table T moved (takeover G, epoch E)`: PostgreSQL under a SQLSTATE of its own, SQLite by a
trigger's RAISE, which its driver reports as a broken constraint.
"""

import re
import sqlite3
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.orm import Session

from extracted.chassis.errors import Moved
from extracted.chassis.rehearsals.current import current

SQLSTATE = "SF001"
MESSAGE = re.compile(
    r"strangler: table (?P<table>\S+) moved \(takeover (?P<group>\S+), epoch (?P<epoch>\d+)\)"
)
STANDING = {
    "sqlite": text(
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
        " AND sql LIKE '%strangler: table %' LIMIT 1"
    ),
    "postgresql": text(
        "SELECT format('strangler: table %s moved (takeover %s, epoch %s)', CAST(:table AS text),"
        " split_part(encode(tgargs, 'escape'), '\\000', 1), split_part(encode(tgargs, 'escape'), '\\000', 2))"
        " FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE tgrelid = to_regclass(:table)"
        " AND proname = 'strangler_fence' AND tgenabled <> 'D' LIMIT 1"
    ),
}


@dataclass(frozen=True, slots=True)
class Fence:
    """Which table may not be written here, and since which change of its group's owner."""

    table: str
    group: str
    epoch: int


def refuse_if_fenced(session: Session, table: str) -> None:
    """Raise Moved where a fence stands before `table`.

    A write would meet it anyway; but what does not come as far as writing, such as a row that is not found,
    would be answered from a copy. A rehearsal is let through: it tells what will be answered later.
    """
    if current() is not None:
        return
    said = session.scalar(STANDING[session.get_bind().dialect.name], {"table": table})
    fence = said and fence_in(said)
    if fence:
        raise moved(fence)


def name_refusal(context: ExceptionContext) -> None:
    """Raise Moved in place of a driver's error that is a fence's refusal. SQLAlchemy's `handle_error`."""
    error = context.original_exception
    if getattr(error, "sqlstate", None) == SQLSTATE or isinstance(error, sqlite3.IntegrityError):
        fence = fence_in(str(error))
        if fence:
            raise moved(fence) from error


def fence_in(text: str) -> Fence | None:
    """Return the fence that a message, or a trigger's text, speaks of."""
    found = MESSAGE.search(text)
    return found and Fence(found["table"], found["group"], int(found["epoch"]))


def moved(fence: Fence) -> Moved:
    """Return the refusal of a request that is one transaction: rolled back, it leaves nothing."""
    return Moved(fence.table, fence.group, fence.epoch)
