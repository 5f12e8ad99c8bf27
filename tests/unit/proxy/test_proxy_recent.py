"""The last minutes are told from snapshots, exact to a slot, whoever took them."""

from pathlib import Path

import pytest

from proxy.cells import Cells, read_cells
from proxy.recent import SECONDS, SLOT_SECONDS, SLOTS, Recent, before


def _counts(*numbers: int) -> "memoryview[int]":
    cells = Cells(None, 1)
    for index, number in enumerate(numbers):
        cells.view[index] = number
    return cells.view[: len(numbers)]


def _minutes(ring: Cells, minutes: int, rate: int = 10) -> float:
    """Take the snapshots of a row that grows by `rate` a second, for so long; return the last moment."""
    recent, now = Recent(ring), 1000.0
    for second in range(minutes * 60 + 1):
        now = 1000.0 + second
        if recent.due(now):
            recent.keep(now, _counts(rate * second))
    return now


@pytest.mark.parametrize("seconds", SECONDS)
def test_each_window_holds_its_own_minutes(seconds: int) -> None:
    ring = Cells(None, SLOTS)
    now = _minutes(ring, 40)
    assert before(ring.view, now - seconds, 1) == [(40 * 60 - seconds) * 10]


def test_a_young_worker_tells_all_it_counted() -> None:
    ring = Cells(None, SLOTS)
    assert before(ring.view, _minutes(ring, 2) - 900, 1) == [0]


def test_a_row_that_is_new_counts_from_its_first_request() -> None:
    ring = Cells(None, SLOTS)
    now = _minutes(ring, 2)
    assert before(ring.view, now, 3) == [1200, 0, 0]
    Recent(ring).keep(now + SLOT_SECONDS, _counts(1300, 7))
    assert before(ring.view, now + SLOT_SECONDS, 3) == [1300, 7, 0]


def test_the_next_in_a_seat_tells_the_minutes_of_the_last(tmp_path: Path) -> None:
    now = _minutes(Cells(tmp_path / "ring", SLOTS), 3)
    after = Cells(tmp_path / "ring", SLOTS)
    assert not Recent(after).due(now)
    assert before(after.view, now - 60, 1) == [1200]
    assert before(read_cells(tmp_path / "ring"), now - 60, 1) == [1200]


def test_a_snapshot_that_a_kill_broke_off_is_none() -> None:
    ring = Cells(None, SLOTS)
    now = _minutes(ring, 20)
    times = ring.view[:SLOTS].tolist()
    oldest = times.index(min(times))
    ring.view[oldest] = 0
    ring.view[SLOTS + oldest] = 10**9
    assert before(ring.view, now - 900, 1) == [(20 * 60 - 900) * 10]
    assert before(ring.view, 1000.0 + 5 * 60 - 16, 1) == [0]  # older than every snapshot


def test_nothing_is_kept_of_a_seat_without_snapshots(tmp_path: Path) -> None:
    assert before(read_cells(tmp_path / "none"), 1000.0, 2) == [0, 0]
