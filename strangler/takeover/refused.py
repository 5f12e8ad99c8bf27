"""Remember that a follower's database refuses rows of the owner's, until it takes them; or that one was away.
Decides nothing.

Whoever follows stands still meanwhile: nothing of the step was kept, and all that came since is in the
owner's log.
"""

import sqlite3

import psycopg

from strangler.takeover.session import Databases
from strangler.takeover.state import Note

REFUSALS = (sqlite3.IntegrityError, sqlite3.DataError, psycopg.IntegrityError, psycopg.DataError)


def in_one_line(fault: Exception) -> str:
    """Return what a database said of rows that it refused: table, key, constraint, as it names them."""
    return "; ".join(line.strip() for line in str(fault).splitlines() if line.strip())


def remember_refused(databases: Databases, why: str) -> None:
    """Remember why rows are refused; empty: they are not, any more."""
    if why != refused(databases):
        databases.service.write_note(databases.group.name, Note.REFUSED, why)


def refused(databases: Databases) -> str:
    """Return why the follower stands still, empty where it does not. Read-only."""
    return databases.service.read_note(databases.group.name, Note.REFUSED) or ""
