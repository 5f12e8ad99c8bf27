"""Ask the store what was compared. Read-only."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from strangler.compare.circumstances import Circumstances
from strangler.compare.corpus import Asked
from strangler.compare.findings import Finding, Subject
from strangler.compare.store import Count, Evidence, Found, Hit, Kept, connect, no_store, unpacked
from strangler.compare.verdict import Verdict


class Reader:
    """Read-only access. Close it, or use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the store. Raises NoStore or ForeignStore."""
        if not path.is_file():
            raise no_store(path)
        self._database = connect(path, may_write=False)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def counts(self) -> tuple[Count, ...]:
        """Return the exact counts, by route."""
        rows = self._database.execute(
            "SELECT route, stage, verdict, sum(n), min(first_at), max(last_at) FROM counts"
            " GROUP BY route, stage, verdict ORDER BY route, stage"
        )
        return tuple(
            Count(route, stage, Verdict(verdict), *rest) for route, stage, verdict, *rest in rows.fetchall()
        )

    def evidence(self, route: str, since: float, stage: str | None = None) -> tuple[Evidence, ...]:
        """Return what is known of a route since it was settled, at any stage or at one.

        Counts are kept by the hour; one with a comparison before `since` is left out whole.
        """
        rows = self._database.execute(
            "SELECT method, outcome, role, verdict, sum(n), min(first_at), max(last_at) FROM counts"
            " WHERE route = ?1 AND first_at >= ?2 AND (?3 IS NULL OR stage = ?3)"
            " AND epoch = coalesce((SELECT epoch FROM settled WHERE route = ?1), 0)"
            " GROUP BY method, outcome, role, verdict",
            (route, since, stage),
        )
        return tuple(
            Evidence(Circumstances(method, outcome, role), Verdict(verdict), *rest)
            for method, outcome, role, verdict, *rest in rows.fetchall()
        )

    def waiting(self, route: str) -> int:
        """Return how many differing pairs of a route wait for a second look."""
        found = self._database.execute("SELECT count(*) FROM waiting WHERE route = ?", (route,)).fetchone()
        return int(found[0])

    def hits(self) -> tuple[Hit, ...]:
        """Return how often each rule forgave something, by route."""
        rows = self._database.execute("SELECT route, rule, n, last_at FROM hits ORDER BY rule, route")
        return tuple(Hit(*row) for row in rows.fetchall())

    def settled_at(self, route: str) -> float:
        """Return the moment before which no evidence of a route counts; 0.0 when there is none."""
        row = self._database.execute("SELECT at FROM settled WHERE route = ?", (route,)).fetchone()
        return float(row[0]) if row else 0.0

    def kept(self, route: str | None = None) -> Iterator[Kept]:
        """Yield every comparison that is kept whole, the oldest first."""
        rows = self._database.execute(
            "SELECT id, pair, comparison FROM comparisons WHERE ?1 IS NULL OR route = ?1 ORDER BY id",
            (route,),
        )
        for number, pair, comparison in rows:
            yield Kept(number, unpacked(pair, comparison))

    def requests(self, route: str | None = None) -> tuple[Asked, ...]:
        """Return the recorded requests, of one route or of all, in the order in which they came."""
        rows = self._database.execute(
            "SELECT asked FROM requests WHERE ?1 IS NULL OR route = ?1 ORDER BY id", (route,)
        )
        return tuple(msgspec.json.decode(asked, type=Asked) for (asked,) in rows.fetchall())

    def findings(self) -> tuple[Found, ...]:
        """Return what was found, the most frequent first."""
        rows = self._database.execute(
            "SELECT route, stage, subject, name, pattern, n, last_at, example FROM findings"
            " ORDER BY n DESC, name, pattern"
        )
        return tuple(
            Found(route, stage, Finding(Subject(subject), name, pattern), *rest)
            for route, stage, subject, name, pattern, *rest in rows.fetchall()
        )

    def faults(self) -> Mapping[str, int]:
        """Return how often the comparer itself met something it could not use."""
        return dict(self._database.execute("SELECT name, n FROM faults").fetchall())

    def find(self, wanted: str) -> Kept | None:
        """Return the kept comparison of this number, or the newest of this request id."""
        row = self._database.execute(
            "SELECT id, pair, comparison FROM comparisons WHERE CAST(id AS TEXT) = ?1 OR request_id = ?1"
            " ORDER BY CAST(id AS TEXT) = ?1 DESC, id DESC LIMIT 1",
            (wanted,),
        ).fetchone()
        return Kept(row[0], unpacked(row[1], row[2])) if row else None

    def newest(self, limit: int) -> tuple[str, ...]:
        """Return the numbers of the comparisons kept last, those that do not match first."""
        rows = self._database.execute(
            "SELECT id FROM comparisons ORDER BY verdict = 'MATCH', id DESC LIMIT ?", (limit,)
        )
        return tuple(str(row[0]) for row in rows.fetchall())
