"""Carry out one write of a client: in one transaction, where this database owns the table, and once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from extracted.chassis.answers import Once, first_answer, keep_answer
from extracted.chassis.database import Database
from extracted.chassis.elsewhere import Elsewhere, Nowhere
from extracted.chassis.fence import refuse_if_fenced
from extracted.chassis.resource import Answer

Work = Callable[[Session], Answer]


@dataclass(frozen=True)
class Shelf:
    """Where the things are: the database, the clock that dates their changes, who else may refer to them."""

    database: Database
    clock: Callable[[], datetime]
    elsewhere: Elsewhere = field(default_factory=Nowhere)


def write(shelf: Shelf, table: str, work: Work, asked: Once | None = None) -> Answer:
    """Return what `work` answers, or answered the first time when it was `asked` before.

    Raises Moved, with everything rolled back, where a fence stands before `table`. Runs `work` once more
    where another transaction came between its checks and its writes.
    """
    try:
        return _once(shelf, table, work, asked)
    except IntegrityError:
        return _once(shelf, table, work, asked)


def _once(shelf: Shelf, table: str, work: Work, asked: Once | None) -> Answer:
    with shelf.database.writing() as session:
        # Before the fence: what was done here is told here, whoever owns the table by now.
        first = first_answer(session, asked, shelf.clock()) if asked else None
        if first is not None:
            return first
        refuse_if_fenced(session, table)
        answer = work(session)
        if asked:
            keep_answer(session, asked, answer)
        return answer
