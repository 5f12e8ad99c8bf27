"""Draw the figures of the shadow benchmark from what clients saw. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.seen import percentile
from bench.shadow.candidates import Candidate
from bench.shadow.peers import Copies
from bench.shadow.run import Sample


@dataclass(frozen=True, slots=True)
class Figures:
    """One measurement in milliseconds: the first request of each connection, and the later ones on it."""

    peer: str
    candidate: Candidate
    round: int
    requests: int
    errors: int
    first_p50: float
    first_p99: float
    next_p50: float
    next_p99: float
    copies: Copies | None


TIMES = ("first_p50", "first_p99", "next_p50", "next_p99")


def figures(sample: Sample) -> Figures:
    """Return the figures of one measurement."""
    answers = sample.seen.answers
    first = [answer.seconds * 1e3 for answer in answers if answer.turn == 0]
    later = [answer.seconds * 1e3 for answer in answers if answer.turn]
    return Figures(
        peer=sample.peer,
        candidate=sample.candidate,
        round=sample.round,
        requests=len(answers),
        errors=sample.seen.errors,
        first_p50=percentile(first, 50),
        first_p99=percentile(first, 99),
        next_p50=percentile(later, 50),
        next_p99=percentile(later, 99),
        copies=sample.copies,
    )


@dataclass(frozen=True, slots=True)
class Noise:
    """How far a proxy's own figure without any shadow went from round to round: slowest over fastest."""

    first_p99: float
    next_p99: float


def summarise(rounds: Sequence[Figures]) -> dict[tuple[str, Candidate], Figures]:
    """Return one row per peer and candidate: median times; sums of requests, errors and copies."""
    groups: dict[tuple[str, Candidate], list[Figures]] = {}
    for each in rounds:
        groups.setdefault((each.peer, each.candidate), []).append(each)
    return {key: _together(group) for key, group in groups.items()}


def _together(group: Sequence[Figures]) -> Figures:
    counted = [each.copies for each in group if each.copies is not None]
    copies = Copies(
        sum(each.answered for each in counted),
        sum(each.failed for each in counted),
        sum(each.dropped for each in counted),
    )
    return Figures(
        peer=group[0].peer,
        candidate=group[0].candidate,
        round=len(group),
        requests=sum(each.requests for each in group),
        errors=sum(each.errors for each in group),
        copies=copies if counted else None,
        **{name: median(getattr(each, name) for each in group) for name in TIMES},
    )


def noise(rounds: Sequence[Figures], peer: str) -> Noise:
    """Return how much the peer's p99 without a shadow varied over the rounds."""
    alone = [each for each in rounds if each.peer == peer and each.candidate is Candidate.NONE]

    def spread(times: list[float]) -> float:
        return max(times) / min(times)

    return Noise(spread([each.first_p99 for each in alone]), spread([each.next_p99 for each in alone]))


def slowdown(rows: dict[tuple[str, Candidate], Figures], peer: str, candidate: Candidate, time: str) -> float:
    """Return a figure with `candidate` as a multiple of the same proxy's without a shadow."""
    found: float = getattr(rows[peer, candidate], time) / getattr(rows[peer, Candidate.NONE], time)
    return found
