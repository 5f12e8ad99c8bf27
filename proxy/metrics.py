"""What the proxy counts: requests by route, target and status class with their seconds, and its own errors.

A request costs a few integer additions here. Every worker writes its counts to a file of its own a few times
a second; a scrape adds the files of all workers up, dead ones included, and says it in Prometheus' format.
"""

import contextlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from proxy.errors import ForwardError

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


class Metrics:
    """One worker's counts, and the file they are kept in."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._encoder = msgspec.msgpack.Encoder()
        self._written = b""  # what the file holds
        self._tallies: dict[tuple[str, str, int], Tally] = {}
        self._errors: defaultdict[str, int] = defaultdict(int)
        self._shadows: defaultdict[str, dict[str, int]] = defaultdict(
            lambda: {"sent": 0, "failed": 0, "dropped": 0}
        )
        self._fallbacks: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._tables_rejected = 0
        self._access_lines_dropped = 0

    def observe(
        self, route: str, target: str, status: int, seconds: float, failed: ForwardError | None
    ) -> None:
        """Count one answered request."""
        key = (route, target, status // 100)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally(*key, buckets=[0] * (len(SECONDS) + 1))
        tally.buckets[bisect_left(SECONDS, seconds)] += 1
        tally.seconds += seconds
        if failed is not None:
            self._errors[failed.id] += 1

    def observe_shadow(self, route: str, outcome: str) -> None:
        """Count one shadow request: `sent` (answered), `failed` or `dropped`."""
        self._shadows[route][outcome] += 1

    def observe_fallback(self, route: str, reason: str) -> None:
        """Count one request that the monolith answers because the service failed (`fallback.Failed`)."""
        self._fallbacks[route][reason] += 1

    def observe_rejected_table(self) -> None:
        """Count one table that was not applied."""
        self._tables_rejected += 1

    def observe_dropped_lines(self, total: int) -> None:
        """Note how many lines of the access log this worker has dropped since it started."""
        self._access_lines_dropped = total

    def write(self) -> None:
        """Put the counts where a scrape finds them. Atomic: a reader sees one state or the next."""
        counts = Counts(
            list(self._tallies.values()),
            dict(self._errors),
            dict(self._shadows),
            self._tables_rejected,
            dict(self._fallbacks),
            self._access_lines_dropped,
        )
        encoded = self._encoder.encode(counts)
        if encoded == self._written:  # an idle worker leaves the disk alone
            return
        temporary = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk costs the scrape, never a request
            temporary.write_bytes(encoded)
            temporary.replace(self._file)
            self._written = encoded

    def totals(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return requests and errors (answers of 5xx) by route and target since the worker started."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for tally in self._tallies.values():
            key = (tally.route, tally.target)
            requests, errors = found.get(key, (0, 0))
            number = sum(tally.buckets)
            found[key] = (requests + number, errors + (number if tally.status_class == 5 else 0))
        return found

    def by_route(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return `{route: {target: {"requests", "errors"}}}`; an error is an answer of 5xx."""
        return nested(self.totals())

    def shadows(self) -> dict[str, int]:
        """Return how many shadows were sent, failed and dropped."""
        totals = {"sent": 0, "failed": 0, "dropped": 0}
        for outcomes in self._shadows.values():
            for outcome, number in outcomes.items():
                totals[outcome] += number
        return totals


def nested(totals: Mapping[tuple[str, str], tuple[int, int]]) -> dict[str, dict[str, dict[str, int]]]:
    """Return totals by route, then by target, as they are told."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (route, target), (requests, errors) in totals.items():
        found.setdefault(route, {})[target] = {"requests": requests, "errors": errors}
    return found


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
