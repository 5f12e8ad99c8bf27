"""Count and time requests by route, for Prometheus to read at `/metrics`; over all workers of the service."""

import os
import time
from collections.abc import Sequence

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from extracted.chassis.rehearsals.current import current


def add_metrics(app: Flask, more: Sequence[Collector] = ()) -> None:
    """Measure every request but rehearsals; show the figures, and what `more` finds."""
    registry = CollectorRegistry()
    labels = ("service", "route", "method", "status")
    requests = Counter("service_requests", "Requests answered", labels, registry=registry)
    seconds = Histogram(
        "service_request_seconds", "Seconds from request to answer", labels[:3], registry=registry
    )

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def measure(response: Response) -> Response:
        if current() is not None:
            return response
        route = request.url_rule.rule if request.url_rule else "unrouted"
        method = request.method if request.url_rule else "any"
        requests.labels(app.name, route, method, response.status_code).inc()
        seconds.labels(app.name, route, method).observe(time.perf_counter() - g.started)
        return response

    found = CollectorRegistry()  # asked anew by whichever worker shows the figures
    for collector in more:
        found.register(collector)

    @app.get("/metrics")
    def metrics() -> Response:
        figures = generate_latest(_all_workers(registry)) + generate_latest(found)
        return Response(figures, content_type=CONTENT_TYPE_LATEST)


def _all_workers(registry: CollectorRegistry) -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return registry
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
