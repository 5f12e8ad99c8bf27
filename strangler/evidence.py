"""Say what comparison knows about the routes. Read-only; without a readable store it knows nothing."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from strangler.compare.reading import Reader
from strangler.errors import StranglerError

Verdicts = Mapping[str, Mapping[str, int]]


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
