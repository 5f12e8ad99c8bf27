"""Say what comparison knows about the routes. Read-only; without a readable store it knows nothing."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from proxy.routes import Stage
from strangler.compare.reading import Reader
from strangler.compare.store import HOUR
from strangler.errors import StranglerError
from strangler.gate import Known, structural

Verdicts = Mapping[str, Mapping[str, int]]


def known_of(store: Path, route: str, hours: float, now: float, stage: Stage | None = None) -> Known:
    """Return what comparison knows of a route from the last hours, since it was last settled.

    With a `stage`, what was compared there alone. Nothing where there is no store, or none that can be read:
    then no gate can pass.
    """
    try:
        with Reader(store) as reader:
            since = max(now - hours * HOUR, reader.settled_at(route))
            found = (each for each in reader.findings() if each.route == route and each.last_at >= since)
            there = (each for each in found if stage in (None, each.stage))
            return Known(
                reader.evidence(route, now - hours * HOUR, stage),
                structural(there),
                stage,
                reader.waiting(route),
            )
    except (StranglerError, sqlite3.Error):
        return Known(stage=stage)


def verdict_counts(store: Path) -> Verdicts:
    """Return how often each route got each verdict, over all stages; empty when there is no store.

    A store that cannot be read counts as none: evidence informs a flip, and must never stop a step back.
    """
    try:
        with Reader(store) as reader:
            counts = reader.counts()
    except (StranglerError, sqlite3.Error):
        return {}
    totals: dict[str, Counter[str]] = {}
    for count in counts:
        totals.setdefault(count.route, Counter())[count.verdict.value] += count.n
    return totals
