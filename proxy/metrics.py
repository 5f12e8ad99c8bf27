"""What the proxy counts: requests by route, target and status class with their seconds, and its own errors.

Prometheus in multiprocess mode: every worker maps a file of its own under PROMETHEUS_MULTIPROC_DIR, and what
a worker counted outlives it. The environment variable must stand before this module is imported.
"""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from proxy.errors import ForwardError

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class Tally:
    """How often a target answered a route since the worker started, and how often with a 5xx."""

    requests: int = 0
    errors: int = 0
    by_class: dict[int, Histogram] = field(default_factory=dict)


class Metrics:
    """One worker's counts, as Prometheus sees them and as `strangler status` does."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._seconds = Histogram(
            "strangler_request_seconds",
            "Seconds from a request's head to the last byte of its answer",
            ("route", "target", "status_class"),
            buckets=SECONDS,
            registry=registry,
        )
        self._errors = Counter(
            "strangler_proxy_errors", "Answers the proxy gave itself", ("error",), registry=registry
        )
        self._shadows = Counter(
            "strangler_shadows", "Shadow requests by outcome", ("route", "outcome"), registry=registry
        )
        self._rejected = Counter(
            "strangler_tables_rejected", "Routing tables that were refused", registry=registry
        )
        self._tallies: dict[tuple[str, str], Tally] = {}
        self.shadow = {"sent": 0, "failed": 0, "dropped": 0}

    def observe(
        self, route: str, target: str, status: int, seconds: float, failed: ForwardError | None
    ) -> None:
        """Count one answered request."""
        tally = self._tallies.get((route, target))
        if tally is None:
            tally = self._tallies[route, target] = Tally()
        tally.requests += 1
        status_class = status // 100
        histogram = tally.by_class.get(status_class)
        if histogram is None:
            histogram = self._seconds.labels(route, target, f"{status_class}xx")
            tally.by_class[status_class] = histogram
        histogram.observe(seconds)
        if status_class == 5:
            tally.errors += 1
        if failed is not None:
            self._errors.labels(failed.id).inc()

    def observe_shadow(self, route: str, outcome: str) -> None:
        """Count one shadow request: `sent` (answered), `failed` or `dropped`."""
        self.shadow[outcome] += 1
        self._shadows.labels(route, outcome).inc()

    def observe_rejected_table(self) -> None:
        """Count one table that was not applied."""
        self._rejected.inc()

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return requests and errors by route and target."""
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for (route, target), tally in self._tallies.items():
            counts.setdefault(route, {})[target] = {"requests": tally.requests, "errors": tally.errors}
        return counts


def exposition() -> bytes:
    """Return the counts of all workers, dead ones included, in Prometheus' text format. Reads their files."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
