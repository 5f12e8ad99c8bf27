"""Recognise a fence's refusal in a database error, on either engine, and name who owns the table now. Pure.

A fence says `strangler: table T moved (takeover G, epoch E)`: on PostgreSQL under a SQLSTATE of its own, on
SQLite by a trigger's RAISE, which drivers report as a broken constraint.
"""

import re
from dataclasses import dataclass
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, IntegrityError

SQLSTATE = "SF001"
MESSAGE = re.compile(
    r"strangler: table (?P<table>\S+) moved \(takeover (?P<group>\S+), epoch (?P<epoch>\d+)\)"
)


@dataclass(frozen=True, slots=True)
class Fence:
    """Which table may not be written here, and since which change of its group's owner."""

    table: str
    group: str
    epoch: int

    def __str__(self) -> str:
        return (
            f"table {self.table} moved to service {self.group} at epoch {self.epoch}:"
            " it is written there, and this database refuses"
        )


# A CommandError too, so that a management command ends with this one line and not with a traceback.
class TableMoved(DatabaseError, CommandError):  # type: ignore[misc]
    """A write was refused because its table belongs to a service now.

    No IntegrityError: what an application knows to do about a duplicate is wrong here.
    """

    def __init__(self, fence: Fence) -> None:
        super().__init__(str(fence))
        self.fence = fence


def refusal_in(error: DatabaseError) -> Fence | None:
    """Return the fence that an error of Django's database layer comes from, None for any other error."""
    if not (isinstance(error, IntegrityError) or _sqlstate(error) == SQLSTATE):
        return None
    return fence_in(str(error))


def fence_in(text: str) -> Fence | None:
    """Return the fence that a message, or a trigger's text, speaks of."""
    found = MESSAGE.search(text)
    return found and Fence(found["table"], found["group"], int(found["epoch"]))


def _sqlstate(error: DatabaseError) -> Any:
    """Return what PostgreSQL called the error: `sqlstate` with psycopg 3, `pgcode` with psycopg2."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
