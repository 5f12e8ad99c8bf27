"""What paced clients saw, and the figures drawn from it. Pure.

Times are seconds of the machine's monotonic clock, which all its processes share.
"""

from collections.abc import Iterable
from math import ceil

import msgspec


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One answered request: its number on its connection (from 0), and the origin that the answer names."""

    sent: float
    seconds: float
    turn: int
    status: int
    origin: str


class Seen(msgspec.Struct, frozen=True):
    """All that happened to the clients of one run.

    `lost`: requests that got no whole answer. `refused`: connections that could not be made. `closed`:
    connections that the proxy ended between two requests, which costs the client a new one.
    """

    answers: list[Answer]
    lost: int
    refused: int
    closed: int

    @property
    def errors(self) -> int:
        """How often a client did not get the answer it asked for."""
        return self.lost + self.refused + sum(answer.status != 200 for answer in self.answers)


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the nearest-rank percentile of `values`, 0 where there are none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def answered_by(answers: Iterable[Answer]) -> dict[str, int]:
    """Return how many answers each origin gave."""
    counts: dict[str, int] = {}
    for answer in answers:
        counts[answer.origin] = counts.get(answer.origin, 0) + 1
    return counts
