"""Clients that write to whichever database takes it, with a ledger."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg

from proxy.routes import Owner
from tests.e2e.takeover_threads import Threads
from tests.integration.takeover.things import Things

PAUSE_SECONDS = 0.002
WRITE = (
    "INSERT INTO thing (id, code, note) VALUES ({0}, {0}, {0})"
    " ON CONFLICT (id) DO UPDATE SET note = excluded.note"
)
OWN = 1_000_000


class Session:
    """One connection to one side."""

    def __init__(self, things: Things, owner: Owner) -> None:
        side = things.side(owner)
        self.sqlite = side.is_sqlite
        self.connection: Any = (
            sqlite3.connect(side.url.removeprefix("sqlite:///"), isolation_level=None, timeout=5)
            if side.is_sqlite
            else psycopg.connect(side.url, autocommit=True)
        )

    def write(self, key: int, note: str) -> bool:
        """Write one row; return False where a fence refused, or a lock was not to be had."""
        statement = WRITE.format("?" if self.sqlite else "%s")
        try:
            self.connection.execute(statement, [key, f"k{key}", note])
        except (sqlite3.IntegrityError, sqlite3.OperationalError, psycopg.DatabaseError) as refusal:
            if "moved (takeover catalog" in str(refusal) or "locked" in str(refusal):
                return False
            raise
        return True


class Clients(Threads):
    """Clients, and what was acknowledged to them: a row's last value, row after row."""

    def __init__(self, things: Things, number: int) -> None:
        super().__init__(number)
        self.ledger: list[tuple[int, str]] = []
        self._things = things

    def run(self, number: int) -> None:
        """Write own keys, each time on whichever side takes it."""
        sides = [Session(self._things, owner) for owner in Owner]
        with closing(sides[0].connection), closing(sides[1].connection):
            self._write(sides, number)

    def _write(self, sides: list[Session], number: int) -> None:
        turn = 0
        while not self._stop.wait(PAUSE_SECONDS):
            turn += 1
            key = OWN * (number + 1) + (turn if turn % 2 else max(1, turn - 7))
            while not sides[0].write(key, str(turn)):
                sides.reverse()
                if self._stop.wait(PAUSE_SECONDS):
                    return
            self.ledger.append((key, str(turn)))

    def missing(self, rows: list[tuple]) -> list[str]:
        """Return what was acknowledged and is not there, with the last value."""
        found = {row[0]: row[2] for row in rows}
        last = dict(self.ledger)
        return [
            f"{key}: {found.get(key)!r}, not {note!r}" for key, note in last.items() if found.get(key) != note
        ]
