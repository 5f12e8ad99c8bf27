"""What one step of the migration looked like: to the clients, at the proxy, to the comparer."""

import contextlib
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.traffic import Sample
from strangler.compare.reading import Reader
from strangler.errors import NoStore
from strangler.evidence import verdict_counts
from strangler.workers import worker_statuses

SETTLE_SECONDS = 10.0
EVIDENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Seen:
    """A step's figures. Seconds are the clients'; `answered` is of the one route that moves, by target."""

    requests: int
    problems: tuple[Sample, ...]
    p50: float
    p99: float
    answered: Mapping[str, int]


class Watch:
    """Reads counters that only grow; a step is the difference."""

    def __init__(self, var: Path, route: str) -> None:
        self._control = var / "proxy"
        self._store = var / "compare.sqlite3"
        self._route = route
        self._move_began = self._last_move_began = self._move_ended = Counter[str]()

    def move_begins(self) -> None:
        """Note who answered how often before a move."""
        self._last_move_began, self._move_began = self._move_began, self._targets()

    def move_ended(self) -> None:
        """Note the same once every worker has acknowledged it."""
        self._move_ended = self._targets()

    def step(self, samples: list[Sample], may_answer: frozenset[str]) -> Seen:
        """Return what happened between two moves.

        The command that moves takes a moment: whoever may answer at this stage is counted from where the
        first begins to where the second ends, the other side only between the two.
        """
        wide = self._targets() - self._last_move_began
        strict = self._move_began - self._move_ended
        seconds = [sample.seconds for sample in samples]
        return Seen(
            requests=len(samples),
            problems=tuple(sample for sample in samples if sample.problem),
            p50=quantile(seconds, 50),
            p99=quantile(seconds, 99),
            answered={target: (wide if target in may_answer else strict)[target] for target in wide},
        )

    def wait_for(self, compared: int, routes: Iterable[str]) -> None:
        """Return once each route has that many comparisons, or enough time has passed to have them."""
        deadline = time.monotonic() + EVIDENCE_SECONDS
        missing = set(routes)
        while missing and time.monotonic() < deadline:
            time.sleep(0.1)
            counts = verdict_counts(self._store)
            missing = {route for route in missing if sum(counts.get(route, {}).values()) < compared}

    def verdicts(self) -> defaultdict[str, Counter[str]]:
        """Return the route's verdicts by stage, once every pair has one. Ask when traffic has ended."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            workers = worker_statuses(self._control).answers
            asked = sum(worker.shadow["sent"] + worker.shadow["failed"] for worker in workers)
            queued = sum(worker.shadow["queued"] for worker in workers)
            found = self._judged()
            total = sum(each.total() for each in found.values())
            if (not queued and total >= asked) or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _judged(self) -> defaultdict[str, Counter[str]]:
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        with contextlib.suppress(NoStore), Reader(self._store) as reader:
            for count in reader.counts():
                if count.route != self._route:
                    continue
                found[count.stage][count.verdict.value] += count.n
        return found

    def _targets(self) -> Counter[str]:
        totals: Counter[str] = Counter()
        for worker in worker_statuses(self._control).answers:
            for target, count in worker.counts.get(self._route, {}).items():
                totals[target] += count.requests
        return totals


def quantile(seconds: Iterable[float], percent: int) -> float:
    values = sorted(seconds)
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
