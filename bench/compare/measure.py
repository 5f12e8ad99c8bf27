"""Time comparers on pairs, interleaved, in CPU seconds of this one process. Effects: the clock alone."""

import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.compare.comparers import Make, Run

FIRST_TIMES = 1


@dataclass(frozen=True)
class Figure:
    """Pairs a second of one comparer on one kind of pair: the median of the rounds, and all of them."""

    comparer: str
    pairs: str
    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle round."""
        return statistics.median(self.rounds)


def measure(
    comparers: Mapping[str, Make],
    candidates: Mapping[str, bytes],
    folder: Path,
    *,
    seconds: float,
    rounds: int,
) -> Iterator[Figure]:
    """Yield a figure for each comparer on each kind of pair. A cell takes at least `seconds` in all."""
    for kind, candidate in candidates.items():
        runs = {name: make(candidate, folder) for name, make in comparers.items()}
        measured: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                measured[name].append(rate(run, seconds / rounds))
        for name, found in measured.items():
            yield Figure(name, kind, tuple(found))


def rate(run: Run, seconds: float) -> float:
    """Return how many pairs a CPU second takes, doubling their number until `seconds` are spent."""
    times = FIRST_TIMES
    while True:
        started = time.process_time()
        run(times)
        spent = time.process_time() - started
        if spent >= seconds:
            return times / spent
        times *= 2
