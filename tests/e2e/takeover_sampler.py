"""Looks, at single instants, who takes writes: both databases are asked in transactions that hold fences
still.
"""

import sqlite3
from contextlib import ExitStack, closing, suppress
from typing import Any

import psycopg

from tests.e2e.takeover_threads import Threads
from tests.integration.takeover.sides import Side

PAUSE_SECONDS = 0.01
AWAY_SECONDS = 0.2
REFUSED = "moved (takeover catalog"
AWAY = (sqlite3.OperationalError, psycopg.OperationalError)


class Asked:
    """One database, asked by a write of one row that is never kept."""

    def __init__(self, side: Side, write: str) -> None:
        self._sqlite = side.is_sqlite
        self._write = write
        self._connection: Any = (
            sqlite3.connect(side.url.removeprefix("sqlite:///"), isolation_level=None, timeout=5)
            if side.is_sqlite
            else psycopg.connect(side.url, autocommit=True)
        )

    def takes_a_write(self) -> bool:
        """Begin a transaction that writes; return whether it was taken. While it is open no fence moves."""
        self._connection.execute("BEGIN IMMEDIATE" if self._sqlite else "BEGIN")
        try:
            self._connection.execute(self._write)
        except (sqlite3.IntegrityError, psycopg.DatabaseError) as refusal:
            if REFUSED in str(refusal):
                return False
            raise
        return True

    def undo(self) -> None:
        """Undo the transaction."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def still_open(self) -> bool:
        """Return True while the transaction is open; raise what the driver raises where it has gone."""
        return bool(self._connection.execute("SELECT 1").fetchone())


class Sampler(Threads):
    """Asks both again and again. `both` counts the instants at which both took a write: none may be."""

    def __init__(self, sides: tuple[Side, Side], write: str) -> None:
        super().__init__(1)
        self.samples = 0
        self.both = 0
        self._sides = sides
        self._write = write

    def run(self, number: int) -> None:
        """Sample until told to stop."""
        while not self._stop.wait(AWAY_SECONDS):
            with suppress(*AWAY):  # one that is away, or busy for long, says nothing of this instant
                self._sample_while_both_answer()

    def _sample_while_both_answer(self) -> None:
        with ExitStack() as opened:
            one, other = (opened.enter_context(closing(Asked(side, self._write))) for side in self._sides)
            while not self._stop.wait(PAUSE_SECONDS):
                try:
                    if one.takes_a_write() and other.takes_a_write():
                        self.both += one.still_open()
                    self.samples += 1
                finally:
                    other.undo()
                    one.undo()
