"""Draw the figures of the fallback benchmark from what clients saw. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.fallback.failing import Failing
from bench.fallback.writes import Performed
from bench.seen import Seen, percentile


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: what readers saw of one proxy, and where the writes of another run ended up."""

    peer: str
    failing: Failing
    round: int
    seen: Seen
    performed: Performed


@dataclass(frozen=True, slots=True)
class Figures:
    """One measurement, or the median of several. Times in milliseconds, of right answers alone."""

    peer: str
    failing: Failing
    rounds: int
    requests: int
    right: int
    errors: int
    p50: float
    p99: float
    slowest: float
    performed: Performed


def figures(sample: Sample) -> Figures:
    """Return the figures of one measurement."""
    seen = sample.seen
    times = [answer.seconds * 1e3 for answer in seen.answers if answer.status == 200]
    return Figures(
        peer=sample.peer,
        failing=sample.failing,
        rounds=1,
        requests=len(seen.answers) + seen.lost,
        right=len(times),
        errors=seen.errors,
        p50=percentile(times, 50),
        p99=percentile(times, 99),
        slowest=max(times, default=0.0),
        performed=sample.performed,
    )


def summarise(rounds: Sequence[Figures]) -> dict[tuple[str, Failing], Figures]:
    """Return one row per peer and failure: medians of times, sums of requests, errors and writes."""
    groups: dict[tuple[str, Failing], list[Figures]] = {}
    for each in rounds:
        groups.setdefault((each.peer, each.failing), []).append(each)
    return {key: _together(group) for key, group in groups.items()}


def _together(group: Sequence[Figures]) -> Figures:
    def total(name: str) -> int:
        return sum(int(getattr(each, name)) for each in group)

    def middle(name: str) -> float:
        return median(float(getattr(each, name)) for each in group)

    writes = [each.performed for each in group]
    return Figures(
        peer=group[0].peer,
        failing=group[0].failing,
        rounds=len(group),
        requests=total("requests"),
        right=total("right"),
        errors=total("errors"),
        p50=middle("p50"),
        p99=middle("p99"),
        slowest=max(each.slowest for each in group),
        performed=Performed(
            *(
                sum(getattr(each, name) for each in writes)
                for name in ("writes", "service", "monolith", "twice", "never")
            )
        ),
    )


def slowdown(
    rows: dict[tuple[str, Failing], Figures], peer: str, failing: Failing, time: str
) -> float | None:
    """Return a figure under a failure as a multiple of the same proxy's while the service is well."""
    well: float = getattr(rows[peer, Failing.NOT], time)
    found: float = getattr(rows[peer, failing], time)
    return found / well if well and found else None
