"""What one step of the migration looked like: to the clients, at the proxy, to the comparer."""

import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.traffic import Sample
from strangler.evidence import verdict_counts
from strangler.workers import worker_statuses

SETTLE_SECONDS = 10.0


@dataclass(frozen=True)
class Seen:
    """A step's figures. Seconds are the clients'; counts are of the one route that moves."""

    requests: int
    problems: tuple[Sample, ...]
    p50: float
    p99: float
    answered: Mapping[str, int]  # by target
    verdicts: Mapping[str, int]


class Watch:
    """Counters that only grow, read at the end of each step; a step is the difference."""

    def __init__(self, var: Path, route: str) -> None:
        self._control = var / "proxy"
        self._store = var / "compare.sqlite3"
        self._route = route
        self._answered: Counter[str] = Counter()
        self._verdicts: Counter[str] = Counter()

    def moved(self) -> None:
        """Count from here on: the move is acknowledged by every worker."""
        self._verdicts = self._settled_verdicts()
        self._answered = self._targets()

    def step(self, samples: list[Sample]) -> Seen:
        """Return what clients saw since the last call, and of the route what happened since the move."""
        answered = self._targets()
        verdicts = self._settled_verdicts()
        seen = Seen(
            requests=len(samples),
            problems=tuple(sample for sample in samples if sample.problem),
            p50=_quantile([sample.seconds for sample in samples], 50),
            p99=_quantile([sample.seconds for sample in samples], 99),
            answered=answered - self._answered,
            verdicts=verdicts - self._verdicts,
        )
        self._answered, self._verdicts = answered, verdicts
        return seen

    def _targets(self) -> Counter[str]:
        totals: Counter[str] = Counter()
        for worker in worker_statuses(self._control).answers:
            for target, count in worker.counts.get(self._route, {}).items():
                totals[target] += count.requests
        return totals

    def _settled_verdicts(self) -> Counter[str]:
        """Wait, within bounds, until every pair that was handed over has its verdict."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            workers = worker_statuses(self._control).answers
            asked = sum(worker.shadow["sent"] + worker.shadow["failed"] for worker in workers)
            queued = sum(worker.shadow["queued"] for worker in workers)
            verdicts = Counter(verdict_counts(self._store).get(self._route, {}))
            if (not queued and verdicts.total() >= asked) or time.monotonic() > deadline:
                return verdicts
            time.sleep(0.1)


def _quantile(seconds: Iterable[float], percent: int) -> float:
    values = sorted(seconds)
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
