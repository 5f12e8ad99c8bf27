"""Fill the store: exact counts, some whole pairs, the requests of a corpus. Effects: that file."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from proxy.pairs import Pair
from strangler.compare.corpus import without_secrets
from strangler.compare.findings import Finding, Subject, digest, findings_of
from strangler.compare.recording import Recording
from strangler.compare.retention import OVERFLOW, Limits, Retention, Shelf, Stock
from strangler.compare.store import Judged, connect, packed
from strangler.compare.tally import Tally
from strangler.compare.waiting import Waiting


class Writer:
    """The one writer. Creates the file, readable by its owner alone, when it is not there."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        """Open the store. Raises ForeignStore."""
        self._limits = limits or Limits()
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole requests are in it, with their cookies and tokens.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = connect(path, may_write=True)
        self._waiting = Waiting(self._database)
        self._recall()

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def record(
        self,
        batch: Sequence[Judged],
        faults: Mapping[str, int] | None = None,
        waiting: Sequence[Judged] = (),
    ) -> None:
        """Count every comparison and every fault of the comparer, keep some pairs whole. One transaction.

        What is `waiting` is kept for a second look and not counted before it.
        """
        with self._transaction():
            self._add(batch)
            self._count_faults(faults or {})
            for judged in waiting:
                self._record_request(judged.pair)
                self._waiting.add(judged)

    def next_waiting(self, after: int) -> tuple[int, Judged] | None:
        """Return the first pair that waits behind a number, with its own; None when there is none."""
        return self._waiting.next(after)

    def waiting(self) -> int:
        """Return how many pairs wait."""
        return self._waiting.count()

    def decide(self, number: int, judged: Judged) -> None:
        """Count a pair that waited, if it still does."""
        with self._transaction():
            if self._waiting.take(number):
                self._add([judged])

    def decide_all(self) -> None:
        """Count all pairs that wait, as they were judged at first."""
        with self._transaction():
            self._add(self._waiting.take_all())

    def settle(self, route: str, at: float, who: str, reason: str) -> None:
        """Let no evidence before a moment count for or against a route: its differences are dealt with."""
        with self._transaction():
            self._add(self._waiting.take_all(route))
            self._database.execute(
                "INSERT INTO settled VALUES (?, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " epoch = epoch + 1, at = excluded.at, who = excluded.who, reason = excluded.reason",
                (route, at, who, reason),
            )

    def _add(self, batch: Sequence[Judged]) -> None:
        tally = Tally(self._epochs())
        for judged in batch:
            tally.add(judged)
            self._record(judged, tally)
        self._count(tally)
        self._evict()

    def _record(self, judged: Judged, tally: Tally) -> None:
        self._record_request(judged.pair)
        findings = findings_of(judged.comparison)
        example = self._keep(judged, digest(judged.comparison.verdict, findings))
        for finding in findings:
            tally.found(judged.pair, self._known_or_overflow(judged.pair, finding), example)

    def _record_request(self, pair: Pair) -> None:
        digest = self._recording.take(pair)
        if digest is not None:
            asked = msgspec.json.encode(without_secrets(pair.request))
            self._database.execute(
                "INSERT INTO requests (route, digest, asked) VALUES (?, ?, ?)", (pair.route, digest, asked)
            )

    def _count(self, tally: Tally) -> None:
        self._database.executemany(
            "INSERT INTO counts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT"
            " DO UPDATE SET n = n + ?9, first_at = min(first_at, ?10), last_at = max(last_at, ?11)",
            tally.count_rows(),
        )
        self._database.executemany(
            "INSERT INTO hits VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
            " n = n + ?3, last_at = max(last_at, ?4)",
            tally.hit_rows(),
        )
        self._database.executemany(
            "INSERT INTO findings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET"
            " n = n + ?6, last_at = max(last_at, ?7), example = coalesce(?8, example)",
            tally.finding_rows(),
        )

    def _count_faults(self, faults: Mapping[str, int]) -> None:
        self._database.executemany(
            "INSERT INTO faults VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = n + ?2",
            [(name, n) for name, n in faults.items() if n],
        )

    def _keep(self, judged: Judged, fingerprint: str) -> int | None:
        pair, comparison = judged.pair, judged.comparison
        wanted = Shelf(pair.route, pair.stage, comparison.verdict.value, fingerprint)
        shelf = self._retention.shelf(wanted)
        if not self._retention.take(shelf, pair.at):
            return None
        stored = packed(pair)
        cursor = self._database.execute(
            "INSERT INTO comparisons (request_id, at, route, stage, verdict, fingerprint, comparison, pair)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (pair.id, pair.at, *_columns(shelf), msgspec.json.encode(comparison), stored),
        )
        self._bytes += len(stored)
        self._trim(shelf)
        return cursor.lastrowid

    def _known_or_overflow(self, pair: Pair, finding: Finding) -> Finding:
        known = self._known.setdefault((pair.route, pair.stage), set())
        if finding not in known and len(known) >= self._limits.findings_per_route:
            finding = Finding(finding.subject, finding.name, OVERFLOW)
        known.add(finding)
        return finding

    def _trim(self, shelf: Shelf) -> None:
        """Keep the newest pairs of a shelf."""
        self._forget(
            "SELECT id, length(pair) FROM comparisons WHERE route = ? AND stage = ? AND verdict = ?"
            " AND fingerprint = ? ORDER BY id DESC LIMIT -1 OFFSET ?",
            (*_columns(shelf), self._limits.per_fingerprint),
        )

    def _evict(self) -> None:
        """Keep the file within its bytes, the oldest pairs going first."""
        while self._bytes > self._limits.total_bytes:
            self._forget("SELECT id, length(pair) FROM comparisons ORDER BY id LIMIT ?", (50,))

    def _forget(self, select: str, parameters: tuple[Any, ...]) -> None:
        rows = self._database.execute(select, parameters).fetchall()
        self._database.executemany("DELETE FROM comparisons WHERE id = ?", [(row[0],) for row in rows])
        self._bytes -= sum(row[1] for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            self._recall()
            raise
        self._database.execute("COMMIT")

    def _recall(self) -> None:
        """Take what is remembered beside the file from the file."""
        self._retention = Retention(self._limits, self._stocks())
        self._bytes = self._bytes_kept()
        self._known = self._findings_known()
        self._recording = Recording(self._database.execute("SELECT route, digest FROM requests").fetchall())

    def _stocks(self) -> list[Stock]:
        rows = self._database.execute(
            "SELECT route, stage, verdict, fingerprint, count(*), max(at) FROM comparisons"
            " GROUP BY route, stage, verdict, fingerprint"
        )
        return [Stock(Shelf(*row[:4]), row[4], row[5]) for row in rows.fetchall()]

    def _epochs(self) -> dict[str, int]:
        # Asked for each batch: another process settles.
        return dict(self._database.execute("SELECT route, epoch FROM settled").fetchall())

    def _bytes_kept(self) -> int:
        return int(
            self._database.execute("SELECT coalesce(sum(length(pair)), 0) FROM comparisons").fetchone()[0]
        )

    def _findings_known(self) -> dict[tuple[str, str], set[Finding]]:
        known: dict[tuple[str, str], set[Finding]] = {}
        rows = self._database.execute("SELECT route, stage, subject, name, pattern FROM findings")
        for route, stage, subject, name, pattern in rows.fetchall():
            known.setdefault((route, stage), set()).add(Finding(Subject(subject), name, pattern))
        return known


def _columns(shelf: Shelf) -> tuple[str, str, str, str]:
    return shelf.route, shelf.stage, shelf.verdict, shelf.fingerprint
