"""When a breaker opens, whom it lets try, and what it never counts. The clock is a number."""

import logging
from itertools import count

import pytest

from proxy.breaker import PROBE_SECONDS, Breaker, State
from proxy.metrics import Metrics
from proxy.routes import BreakerOptions
from proxy.window import Window

OPTIONS = BreakerOptions(percent=50, volume=10, window=10, open=5, budget=20)


def _breaker(options: BreakerOptions = OPTIONS) -> Breaker:
    return Breaker("catalog", "", options, logging.getLogger("test"), Metrics(None))


def _opened(at: float = 100.0) -> Breaker:
    breaker = _breaker()
    for _ in range(OPTIONS.volume):
        breaker.failed(at, probe=False)
    assert breaker.state is State.OPEN
    return breaker


def _half_opened() -> Breaker:
    breaker = _opened(at=100)
    assert breaker.admits_probe(105)
    return breaker


def test_a_few_failures_never_open_it() -> None:
    breaker = _breaker()
    for _ in range(OPTIONS.volume - 1):
        breaker.failed(100, probe=False)
    assert (breaker.state, breaker.closed) == (State.CLOSED, True)


def test_it_opens_at_its_share_of_failures() -> None:
    breaker = _breaker()
    for _ in range(10):
        breaker.succeeded(100, probe=False)
    for failures in range(1, 11):
        breaker.failed(100, probe=False)
        assert breaker.closed == (failures < 10)


def test_failures_longer_ago_than_the_window_do_not_count() -> None:
    breaker = _breaker()
    for second in range(0, 110, 11):
        breaker.failed(100 + second, probe=False)
    assert breaker.closed


def test_fallbacks_past_their_budget_open_it() -> None:
    breaker = _breaker()
    for _ in range(10):
        breaker.succeeded(100, probe=False)
    for _ in range(2):
        breaker.fell_back(100)
    assert breaker.closed
    breaker.fell_back(100)
    assert breaker.state is State.OPEN


def test_answers_that_break_off_open_it() -> None:
    breaker = _breaker()
    for number in range(1, 11):
        assert breaker.closed
        breaker.succeeded(100, probe=False)
        if number > 5:
            breaker.broke_off(100)
    assert breaker.state is State.OPEN


def test_an_open_one_lets_nobody_through_until_its_time_is_over() -> None:
    breaker = _opened(at=100)
    assert not breaker.admits_probe(104.9)
    assert breaker.admits_probe(105)
    assert breaker.state is State.HALF_OPEN


def test_it_says_when_to_ask_again() -> None:
    breaker = _opened(at=100)
    assert [breaker.retry_after(now) for now in (100, 101.5, 104.9, 105, 200)] == [5, 4, 1, 1, 1]
    assert _breaker().retry_after(100) == 1


def test_probes_go_one_at_a_time() -> None:
    breaker = _half_opened()
    assert not any(breaker.admits_probe(now) for now in (105, 106, 105 + PROBE_SECONDS - 0.1))


def test_a_probe_that_is_answered_closes_it_with_a_clean_slate() -> None:
    breaker = _half_opened()
    breaker.succeeded(106, probe=True)
    assert (breaker.state, breaker.closed) == (State.CLOSED, True)
    for _ in range(OPTIONS.volume - 1):
        breaker.failed(106, probe=False)
    assert breaker.closed


def test_a_probe_that_fails_opens_it_again() -> None:
    breaker = _half_opened()
    breaker.failed(106, probe=True)
    assert breaker.state is State.OPEN
    assert not breaker.admits_probe(110.9)
    assert breaker.admits_probe(111)


def test_a_probe_whose_client_left_gives_its_place_away() -> None:
    breaker = _half_opened()
    breaker.gave_up()
    assert breaker.admits_probe(105)


def test_a_probe_that_stays_silent_gives_its_place_away() -> None:
    assert _half_opened().admits_probe(105 + PROBE_SECONDS)


def test_calls_from_before_it_opened_change_nothing() -> None:
    breaker = _half_opened()
    breaker.succeeded(106, probe=False)
    breaker.failed(106, probe=False)
    breaker.fell_back(106)
    breaker.broke_off(106)
    assert breaker.state is State.HALF_OPEN


def test_eight_slow_calls_pass_through_at_once() -> None:
    breaker = _breaker()
    under_way = count()
    for _ in range(8):  # all begin before the first ends: nothing is held between the two
        assert breaker.closed
        next(under_way)
    for _ in range(8):
        breaker.succeeded(103, probe=False)
    assert (next(under_way), breaker.state) == (8, State.CLOSED)


def test_changes_are_logged_with_the_name(caplog: pytest.LogCaptureFixture) -> None:
    _opened()
    assert caplog.messages == ["the breaker of catalog is open"]


def test_a_window_forgets_slice_by_slice() -> None:
    window = Window(10)
    for second in range(10):
        window.at(second).calls += 1
    assert [window.total(now).calls for now in (9, 10, 14, 18.9, 19, 50)] == [10, 9, 5, 1, 0, 0]


def test_a_window_counts_each_kind_apart() -> None:
    window = Window(10)
    window.at(1).failures += 1
    window.at(2).fallbacks += 2
    window.at(2).calls += 3
    total = window.total(3)
    assert (total.calls, total.failures, total.fallbacks) == (3, 1, 2)
    window.clear()
    assert window.total(3).failures == 0
