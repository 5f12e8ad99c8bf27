"""Keep the pairs that differ and are to be looked at a second time, so that no crash forgets them.

Effects: the store's table `waiting`, inside its writer's transactions.
"""

import sqlite3

import msgspec

from strangler.compare.store import Judged, packed, unpacked


class Waiting:
    """The pairs that wait, oldest first, each with the verdict that stands if nobody ever looks."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, judged: Judged) -> None:
        """Let a pair wait."""
        self._database.execute(
            "INSERT INTO waiting (route, comparison, pair) VALUES (?, ?, ?)",
            (judged.pair.route, msgspec.json.encode(judged.comparison), packed(judged.pair)),
        )

    def next(self, after: int) -> tuple[int, Judged] | None:
        """Return the first pair behind a number, with its own; None when there is none."""
        row = self._database.execute(
            "SELECT id, pair, comparison FROM waiting WHERE id > ? ORDER BY id LIMIT 1", (after,)
        ).fetchone()
        return (row[0], unpacked(row[1], row[2])) if row else None

    def take(self, number: int) -> bool:
        """Let a pair wait no more; return whether it still did."""
        return self._database.execute("DELETE FROM waiting WHERE id = ?", (number,)).rowcount > 0

    def take_all(self, route: str | None = None) -> list[Judged]:
        """Let all pairs, or those of a route, wait no more; return them."""
        of_route = "FROM waiting WHERE ?1 IS NULL OR route = ?1"
        rows = self._database.execute(f"SELECT pair, comparison {of_route}", (route,)).fetchall()
        self._database.execute(f"DELETE {of_route}", (route,))
        return [unpacked(*row) for row in rows]

    def count(self) -> int:
        """Return how many wait."""
        return int(self._database.execute("SELECT count(*) FROM waiting").fetchone()[0])
