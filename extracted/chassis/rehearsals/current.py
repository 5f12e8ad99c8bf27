"""Know whether this thread carries out a rehearsal, and keep what the rehearsal must not send.

Nothing that leaves the process may leave it while there is one: who sends, asks here first.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm import Session

from extracted.chassis.rehearsals.deferred import broken
from extracted.chassis.rehearsals.effects import Call, Mail
from extracted.chassis.rehearsals.seen import Unseen, Witness

# A lock or a statement that took too long, a deadlock, a conflict, an idle transaction that was ended.
GAVE_WAY = frozenset({"55P03", "57014", "40P01", "40001", "25P03"})


class Escaping(InvalidRequestError):
    """A rehearsal wanted another connection than its own, by which something of it could be kept."""

    def __init__(self) -> None:
        super().__init__("a rehearsal has one connection; use Database.reading and Database.writing")


@dataclass
class Rehearsal:
    """One rehearsal under way. `gave_way`: somebody's real write went first, and its answer means nothing."""

    connection: Connection
    witness: Witness
    tables: Sequence[Table]
    calls: list[Call] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    gave_way: bool = False

    def session(self) -> Session:
        """Return a session whose commits are releases of savepoints, and fail where a commit would."""
        session = Session(self.connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        event.listen(session, "before_commit", self._check_deferred)
        return session

    def _check_deferred(self, session: Session) -> None:
        session.flush()
        try:
            touches = self.witness.touches()
        except Unseen:  # then nothing is told either
            return
        foreign_key = broken(self.connection, self.tables, touches)
        if foreign_key is not None:
            fault = f"{foreign_key.parent} refers to a row that is not there"
            raise IntegrityError("COMMIT", {}, ValueError(fault))


_current: ContextVar[Rehearsal | None] = ContextVar("rehearsal", default=None)


def current() -> Rehearsal | None:
    """Return the rehearsal that this thread carries out, None where what it does is meant."""
    return _current.get()


@contextmanager
def carried_out(rehearsal: Rehearsal) -> Iterator[None]:
    """Make it the current one until the block ends."""
    token = _current.set(rehearsal)
    try:
        yield
    finally:
        _current.reset(token)


def refuse_another(*_event: Any) -> None:
    """Raise Escaping while there is a rehearsal. SQLAlchemy's `checkout` and `commit`."""
    if current() is not None:
        raise Escaping


def notice_giving_way(context: ExceptionContext) -> None:
    """Note an error by which a rehearsal gave way. SQLAlchemy's `handle_error`."""
    rehearsal = current()
    if rehearsal is not None and gave_way(context.original_exception):
        rehearsal.gave_way = True


def gave_way(fault: BaseException | None) -> bool:
    """Whether a driver's error says that somebody else went first."""
    if isinstance(fault, sqlite3.OperationalError):
        return "locked" in str(fault) or "interrupted" in str(fault)
    return getattr(fault, "sqlstate", None) in GAVE_WAY
