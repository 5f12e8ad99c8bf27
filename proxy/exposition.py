"""The sum of what all workers counted, as Prometheus reads it. Read-only.

Counters are the sum over every seat, whoever held it; gauges that over the seats that are held. The requests'
histogram is written here: the library takes seconds of a worker's time for a table of thousands of routes.
"""

from collections.abc import Iterable, Iterator
from operator import add
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from proxy.families import FAMILIES, Family, Kind
from proxy.request_counts import BUCKETS, MICROSECONDS, SECONDS, WIDTH
from proxy.seats import Seat, seats
from proxy.tallies import Name, read_tallies

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
REQUESTS = "strangler_request_seconds"

_HEAD = f"""\
# HELP {REQUESTS} Seconds from a request's head to the last byte of its answer
# TYPE {REQUESTS} histogram
"""
_KINDS = {family.name: family.kind for family in FAMILIES}


def exposition(folder: Path) -> bytes:
    """Return what was counted in the seats of `folder`, in Prometheus' text format."""
    there = list(seats(folder))
    registry = CollectorRegistry()
    registry.register(_Others(_sum_of_others(there)))
    return b"".join((*_requests(there), generate_latest(registry)))


def _requests(there: Iterable[Seat]) -> Iterator[bytes]:
    total: dict[Name, list[int]] = {}
    for seat in there:
        for name, row in read_tallies(seat.requests, WIDTH):
            numbers = row.tolist()
            known = total.get(name)
            total[name] = numbers if known is None else list(map(add, known, numbers))
    yield _HEAD.encode()
    for name, numbers in total.items():
        if numbers[0]:
            yield _histogram(name, numbers).encode()


def _histogram(name: Name, numbers: list[int]) -> str:
    """Return the lines of one route, target and status class."""
    route, target, status_class = name
    labels = f'route="{route}",status_class="{status_class}xx",target="{target}"'
    lines = []
    so_far = 0
    for bound, number in zip(SECONDS, numbers[BUCKETS:], strict=True):
        so_far += number
        lines.append(f'{REQUESTS}_bucket{{le="{bound}",{labels}}} {so_far}.0\n')
    requests = max(numbers[0], so_far)  # a worker may be counting at this very moment
    lines.append(f'{REQUESTS}_bucket{{le="+Inf",{labels}}} {requests}.0\n')
    lines.append(f"{REQUESTS}_count{{{labels}}} {requests}.0\n")
    lines.append(f"{REQUESTS}_sum{{{labels}}} {numbers[MICROSECONDS] / 1_000_000}\n")
    return "".join(lines)


def _sum_of_others(there: Iterable[Seat]) -> dict[Name, int]:
    total: dict[Name, int] = {}
    for seat in there:
        for name, (number,) in read_tallies(seat.others, 1):
            if seat.held or _KINDS.get(name[0]) is Kind.COUNTER:
                total[name] = total.get(name, 0) + number
    return total


class _Others(Collector):
    """Every family of `families`, with what was counted of it."""

    def __init__(self, counted: dict[Name, int]) -> None:
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        """Yield the families, also those nothing was counted of."""
        samples: dict[str, dict[Name, int]] = {family.name: {} for family in FAMILIES}
        for (name, *labels), number in self._counted.items():
            samples.get(name, {})[tuple(labels)] = number
        for family in FAMILIES:
            yield _metric(family, samples[family.name])


def _metric(family: Family, samples: dict[Name, int]) -> Metric:
    kind = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels)
    if not family.labels:
        samples = {(): 0} | samples
    for labels, number in samples.items():
        metric.add_metric(labels, number)
    return metric
