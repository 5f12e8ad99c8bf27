"""Show, for Prometheus, how many events wait to be passed on, and for how long the oldest has."""

import time
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from extracted.chassis.database import Database
from extracted.chassis.events.outbox import waiting


class OutboxFigures(Collector):
    """Asks the service's database whenever the metrics are read; shows nothing where that does not answer."""

    def __init__(self, service: str, database: Database) -> None:
        self._service = service
        self._database = database

    def collect(self) -> Iterator[Metric]:
        """Yield the two figures."""
        try:
            with self._database.reading() as session:
                now = waiting(session)
        except SQLAlchemyError:
            return
        events = GaugeMetricFamily("service_events_waiting", "Events not passed on yet", labels=["service"])
        events.add_metric([self._service], now.events)
        yield events
        oldest = GaugeMetricFamily(
            "service_events_oldest_seconds", "Age of the oldest event not passed on", labels=["service"]
        )
        oldest.add_metric(
            [self._service], max(0.0, time.time() - now.since.timestamp()) if now.since else 0.0
        )
        yield oldest
