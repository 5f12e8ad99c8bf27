"""What a worker counted, as it leaves it for a scrape, and the sum over all in Prometheus' format."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# Upper bounds of the buckets, in seconds; one more bucket takes what is slower.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SUFFIX = ".counts"


class Tally(msgspec.Struct):
    """Requests of one route that one target answered with one status class, and how long they took."""

    route: str
    target: str
    status_class: int
    buckets: list[int]  # one for each bound, and the last for what is slower
    seconds: float = 0.0


class Counts(msgspec.Struct):
    """All that one worker counted since it started."""

    tallies: list[Tally]
    errors: dict[str, int]  # by ForwardError id
    shadows: dict[str, dict[str, int]]  # by route, by outcome
    tables_rejected: int = 0
    fallbacks: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)  # by route, by reason
    access_lines_dropped: int = 0


class _AllWorkers(Collector):
    """The sum of what every worker wrote."""

    def __init__(self, counts: Iterable[Counts]) -> None:
        self._tallies: dict[tuple[str, str, int], Tally] = {}
        self._errors: defaultdict[str, int] = defaultdict(int)
        self._shadows: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._fallbacks: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._tables_rejected = 0
        self._access_lines_dropped = 0
        for each in counts:
            self._add(each)

    def _add(self, counts: Counts) -> None:
        for tally in counts.tallies:
            key = (tally.route, tally.target, tally.status_class)
            total = self._tallies.setdefault(key, Tally(*key, buckets=[0] * len(tally.buckets)))
            total.buckets = [a + b for a, b in zip(total.buckets, tally.buckets, strict=True)]
            total.seconds += tally.seconds
        for error, number in counts.errors.items():
            self._errors[error] += number
        for route, outcomes in counts.shadows.items():
            for outcome, number in outcomes.items():
                self._shadows[route, outcome] += number
        for route, reasons in counts.fallbacks.items():
            for reason, number in reasons.items():
                self._fallbacks[route, reason] += number
        self._tables_rejected += counts.tables_rejected
        self._access_lines_dropped += counts.access_lines_dropped

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families (Prometheus exposition format)."""
        seconds = HistogramMetricFamily(
            "strangler_request_seconds",
            "Seconds from a request's head to the last byte of its answer",
            labels=("route", "target", "status_class"),
        )
        for tally in self._tallies.values():
            labels = (tally.route, tally.target, f"{tally.status_class}xx")
            seconds.add_metric(labels, _cumulative(tally.buckets), tally.seconds)
        yield seconds
        errors = CounterMetricFamily(
            "strangler_proxy_errors", "Answers the proxy gave itself", labels=("error",)
        )
        for error, number in self._errors.items():
            errors.add_metric((error,), number)
        yield errors
        shadows = CounterMetricFamily(
            "strangler_shadows", "Shadow requests by outcome", labels=("route", "outcome")
        )
        for labels_, number in self._shadows.items():
            shadows.add_metric(labels_, number)
        yield shadows
        fallbacks = CounterMetricFamily(
            "strangler_fallbacks",
            "Requests the monolith answers because the service failed",
            labels=("route", "reason"),
        )
        for labels_, number in self._fallbacks.items():
            fallbacks.add_metric(labels_, number)
        yield fallbacks
        rejected = CounterMetricFamily("strangler_tables_rejected", "Routing tables that were refused")
        rejected.add_metric((), self._tables_rejected)
        yield rejected
        dropped = CounterMetricFamily(
            "strangler_access_lines_dropped", "Lines of the access log that could not be kept or written"
        )
        dropped.add_metric((), self._access_lines_dropped)
        yield dropped


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    found: list[tuple[str, float]] = []
    for bound, number in zip((*map(str, SECONDS), "+Inf"), buckets, strict=True):
        total += number
        found.append((bound, total))
    return found


def exposition(folder: Path) -> bytes:
    """Return the counts of all workers whose files are in `folder`, in Prometheus' text format."""
    decoder = msgspec.msgpack.Decoder(Counts)
    registry = CollectorRegistry()
    registry.register(_AllWorkers(decoder.decode(file.read_bytes()) for file in folder.glob(f"*{SUFFIX}")))
    return generate_latest(registry)
