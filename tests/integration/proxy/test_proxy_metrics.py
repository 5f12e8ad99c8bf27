"""A scrape is the sum of what every worker wrote, dead ones included."""

import re
from pathlib import Path

import pytest

from proxy.counts import SECONDS, SUFFIX, exposition
from proxy.errors import ForwardError
from proxy.metrics import Metrics


def _values(folder: Path) -> dict[str, float]:
    lines = exposition(folder).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def _worker(folder: Path, name: str) -> Metrics:
    return Metrics(folder / f"{name}{SUFFIX}")


def test_nothing_counted_is_still_an_exposition(tmp_path: Path) -> None:
    assert _values(tmp_path) == {
        "strangler_tables_rejected_total": 0,
        "strangler_access_lines_dropped_total": 0,
    }


def test_counts_of_all_workers_add_up(tmp_path: Path) -> None:
    for worker in (_worker(tmp_path, "1"), _worker(tmp_path, "2")):
        worker.observe("r", "catalog", 200, 0.25, None)
        worker.observe("r", "catalog", 204, 2.0, None)
        worker.observe("r", "catalog", 502, 1.0, ForwardError.UPSTREAM_RESET)
        worker.observe_shadow("r", "sent")
        worker.observe_fallback("r", "timeout")
        worker.observe_rejected_table()
        worker.observe_dropped_lines(3)
        worker.write()
    values = _values(tmp_path)
    labels = 'route="r",status_class="2xx",target="catalog"'
    assert values[f"strangler_request_seconds_count{{{labels}}}"] == 4
    assert values[f"strangler_request_seconds_sum{{{labels}}}"] == 4.5
    assert values[f"strangler_request_seconds_count{{{labels.replace('2xx', '5xx')}}}"] == 2
    assert values['strangler_proxy_errors_total{error="upstream_reset"}'] == 2
    assert values['strangler_shadows_total{outcome="sent",route="r"}'] == 2
    assert values['strangler_fallbacks_total{reason="timeout",route="r"}'] == 2
    assert values["strangler_tables_rejected_total"] == 2
    assert values["strangler_access_lines_dropped_total"] == 6


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.0011, 0.3, 30.0, 31.0])
def test_a_duration_counts_in_every_bucket_that_holds_it(tmp_path: Path, seconds: float) -> None:
    worker = _worker(tmp_path, "1")
    worker.observe("r", "t", 200, seconds, None)
    worker.write()
    found = {
        match[1]: value
        for name, value in _values(tmp_path).items()
        if (match := re.search(r'_bucket\{le="([^"]+)"', name))
    }
    assert len(found) == len(SECONDS) + 1
    assert all(value == (seconds <= float(bound)) for bound, value in found.items())


def test_a_route_is_told_by_target_with_its_errors(tmp_path: Path) -> None:
    worker = _worker(tmp_path, "1")
    for status in (200, 404, 500, 503):
        worker.observe("r", "catalog", status, 0.1, None)
    worker.observe("r", "monolith", 200, 0.1, None)
    assert worker.by_route() == {
        "r": {"catalog": {"requests": 4, "errors": 2}, "monolith": {"requests": 1, "errors": 0}}
    }


def test_shadows_are_told_by_outcome(tmp_path: Path) -> None:
    worker = _worker(tmp_path, "1")
    for outcome in ("sent", "sent", "failed", "dropped"):
        worker.observe_shadow("r", outcome)
    assert worker.shadows() == {"sent": 2, "failed": 1, "dropped": 1}


def test_a_folder_that_cannot_be_written_costs_nobody_anything(tmp_path: Path) -> None:
    worker = _worker(tmp_path / "gone", "1")
    worker.observe("r", "t", 200, 0.1, None)
    worker.write()
    assert worker.by_route()["r"]["t"]["requests"] == 1
