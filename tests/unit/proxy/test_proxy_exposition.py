"""A scrape is the sum of what was counted in every seat, in the words Prometheus reads."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from proxy import families
from proxy.errors import ForwardError
from proxy.exposition import REQUESTS, exposition
from proxy.families import FAMILIES, Kind
from proxy.metrics import Metrics
from proxy.request_counts import SECONDS

PAGE = Path(__file__).parents[3] / "docs" / "proxy.md"


def _values(folder: Path) -> dict[str, float]:
    lines = exposition(folder).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_nothing_counted_is_still_an_exposition(tmp_path: Path) -> None:
    names = {metric.name for metric in text_string_to_metric_families(exposition(tmp_path).decode())}
    assert names == {family.name.removesuffix("_total") for family in FAMILIES} | {REQUESTS}
    assert set(_values(tmp_path).values()) == {0.0}


def test_counts_of_all_workers_add_up(tmp_path: Path) -> None:
    for worker in (Metrics(tmp_path), Metrics(tmp_path)):
        worker.observe("r", "catalog", 200, 0.25, None)
        worker.observe("r", "catalog", 204, 2.0, None)
        worker.observe("r", "catalog", 502, 1.0, ForwardError.UPSTREAM_RESET)
        worker.observe_shadow("r", "sent")
        worker.observe_fallback("r", "timeout")
        worker.observe_rejected_table()
        worker.observe_dropped_lines(2)
        worker.observe_dropped_lines(3)
        worker.gauge(families.CONNECTIONS, 7)
    values = _values(tmp_path)
    labels = 'route="r",status_class="2xx",target="catalog"'
    assert values[f"{REQUESTS}_count{{{labels}}}"] == 4
    assert values[f"{REQUESTS}_sum{{{labels}}}"] == 4.5
    assert values[f"{REQUESTS}_count{{{labels.replace('2xx', '5xx')}}}"] == 2
    assert values['strangler_proxy_errors_total{error="upstream_reset"}'] == 2
    assert values['strangler_shadows_total{outcome="sent",route="r"}'] == 2
    assert values['strangler_fallbacks_total{reason="timeout",route="r"}'] == 2
    assert values["strangler_tables_rejected_total"] == 2
    assert values["strangler_access_lines_dropped_total"] == 6
    assert (values["strangler_workers"], values["strangler_connections"]) == (2, 14)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.0011, 0.3, 30.0, 31.0])
def test_a_duration_counts_in_every_bucket_that_holds_it(tmp_path: Path, seconds: float) -> None:
    Metrics(tmp_path).observe("r", "t", 200, seconds, None)
    found = {
        match[1]: value
        for name, value in _values(tmp_path).items()
        if (match := re.search(r'_bucket\{le="([^"]+)"', name))
    }
    assert len(found) == len(SECONDS) + 1
    assert all(value == (seconds <= float(bound)) for bound, value in found.items())


class _ByTheLibrary:
    """One request of 0.3 seconds, as the library writes it."""

    def collect(self) -> list[Metric]:
        family = HistogramMetricFamily(
            REQUESTS, "Seconds from a request's head to the last byte of its answer",
            labels=("route", "target", "status_class"),
        )  # fmt: skip
        buckets = [(str(bound), float(bound >= 0.3)) for bound in SECONDS]
        family.add_metric(("r", "t", "2xx"), [*buckets, ("+Inf", 1.0)], 0.3)
        return [family]


def test_the_histogram_is_written_as_the_library_writes_it(tmp_path: Path) -> None:
    Metrics(tmp_path).observe("r", "t", 200, 0.3, None)
    registry = CollectorRegistry()
    registry.register(_ByTheLibrary())
    assert exposition(tmp_path).startswith(generate_latest(registry))


def _left_by_a_dead_worker(folder: Path) -> None:
    metrics = Metrics(folder)
    assert metrics.seat
    metrics.observe("r", "t", 200, 0.1, None)
    metrics.breaker_is("catalog", "", "open")
    (metrics.seat.folder / "held").unlink()  # a hold is of the file: the next takes another


def test_a_dead_workers_counters_stay_and_its_gauges_go(tmp_path: Path) -> None:
    _left_by_a_dead_worker(tmp_path)
    values = _values(tmp_path)
    assert values['strangler_request_seconds_count{route="r",status_class="2xx",target="t"}'] == 1
    assert values['strangler_breaker_openings_total{route="",upstream="catalog"}'] == 1
    assert 'strangler_breakers{route="",state="open",upstream="catalog"}' not in values
    assert values["strangler_workers"] == 0


def test_the_next_worker_counts_on_and_begins_with_gauges_of_its_own(tmp_path: Path) -> None:
    _left_by_a_dead_worker(tmp_path)
    Metrics(tmp_path).observe("r", "t", 200, 0.1, None)
    values = _values(tmp_path)
    assert values['strangler_request_seconds_count{route="r",status_class="2xx",target="t"}'] == 2
    assert values['strangler_breakers{route="",state="open",upstream="catalog"}'] == 0
    assert values["strangler_workers"] == 1


def test_a_breakers_states_are_told_and_its_openings_counted(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    name = '{{route="r",state="{}",upstream="catalog"}}'
    for state, told in (("open", (1, 0)), ("half-open", (0, 1)), ("open", (1, 0)), ("closed", (0, 0))):
        metrics.breaker_is("catalog", "r", state)
        values = _values(tmp_path)
        states = tuple(values["strangler_breakers" + name.format(each)] for each in ("open", "half-open"))
        assert states == told
    assert values['strangler_breaker_openings_total{route="r",upstream="catalog"}'] == 2


def test_shadows_are_told_by_outcome(tmp_path: Path) -> None:
    worker = Metrics(tmp_path)
    for outcome in ("sent", "sent", "failed", "dropped"):
        worker.observe_shadow("r", outcome)
    assert worker.shadows() == {"sent": 2, "failed": 1, "dropped": 1}


def test_a_folder_that_cannot_be_written_costs_nobody_anything(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    worker = Metrics(tmp_path / "file")
    worker.observe("r", "t", 200, 0.1, ForwardError.BAD_HOST)
    assert worker.seat is None
    assert [name for name, _ in worker.requests.rows()] == [("r", "t", "2")]


def test_the_page_has_every_family_with_its_kind_and_labels() -> None:
    rows = re.findall(r"^\| `(strangler_\w+)` \| (\w+) \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    wanted = {
        (family.name, family.kind.value, ", ".join(f"`{label}`" for label in family.labels))
        for family in FAMILIES
    }
    assert set(rows) == wanted | {(REQUESTS, "histogram", "`route`, `target`, `status_class`")}
    assert {family.kind for family in FAMILIES} == set(Kind)
