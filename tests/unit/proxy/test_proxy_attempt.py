"""An attempt is judged once, and blames no client on the service."""

import logging

import pytest

from proxy.answer_head import AnswerHead
from proxy.attempt import Attempt
from proxy.breaker import Breaker, State
from proxy.decide import Decision
from proxy.fallback import Case, Failed, Next, Rules
from proxy.guard import Guard
from proxy.metrics import Metrics
from proxy.routes import BreakerOptions, Owner, Upstream

LOG = logging.getLogger("test")
MONOLITH, SERVICE = Upstream("monolith", "http://m:1", "m", 1), Upstream("catalog", "http://c:2", "c", 2)
OPTIONS = BreakerOptions(volume=1, percent=100, budget=100, open=5, slow=2)


def _guard() -> Guard:
    breaker = Breaker("catalog", "", OPTIONS, LOG, Metrics(None))
    return Guard(Rules(True, Owner.SERVICE, frozenset({503})), 10, Decision(MONOLITH), SERVICE, breaker)


def _state(guard: Guard) -> State:
    assert guard.breaker is not None
    return guard.breaker.state


def _case(failed: Failed, *, safe: bool = True, replayable: bool = True) -> Case:
    return Case(failed, safe=safe, replayable=replayable)


@pytest.mark.parametrize("failed", [Failed.UNREACHABLE, Failed.RESET, Failed.TIMEOUT, Failed.INVALID])
def test_a_service_that_does_not_answer_opens_its_breaker(failed: Failed) -> None:
    guard = _guard()
    assert Attempt(guard).after(_case(failed), 1.0, LOG) is Next.FALL_BACK
    assert _state(guard) is State.OPEN


@pytest.mark.parametrize(
    ("status", "waited", "state"),
    [
        (200, 0.1, State.CLOSED),
        (404, 0.1, State.CLOSED),
        (500, 0.1, State.CLOSED),
        (503, 0.1, State.OPEN),
        (200, 2.1, State.OPEN),
    ],
)
def test_listed_statuses_and_slow_answers_count_and_others_do_not(
    status: int, waited: float, state: State
) -> None:
    guard = _guard()
    Attempt(guard).heard(AnswerHead(status), waited, 1.0)
    assert _state(guard) is state


def test_a_client_that_leaves_counts_for_nothing() -> None:
    guard = _guard()
    Attempt(guard).abandoned()
    assert _state(guard) is State.CLOSED


def test_a_retry_is_not_counted_before_its_outcome() -> None:
    guard = _guard()
    assert Attempt(guard).after(_case(Failed.CLOSED), 1.0, LOG) is Next.RETRY_FRESH
    assert _state(guard) is State.CLOSED


def test_one_probe_goes_and_the_others_are_turned_away() -> None:
    guard = _guard()
    Attempt(guard).after(_case(Failed.RESET), 1.0, LOG)
    refused, probe, second = Attempt(guard), Attempt(guard), Attempt(guard)
    assert not refused.admitted(5.9)
    assert refused.retry_after(5.9) == 1
    assert probe.admitted(6.0)
    assert not second.admitted(6.0)
    probe.abandoned()
    assert second.admitted(6.0)
    probe.abandoned()  # it has no place to give away any more
    assert not Attempt(guard).admitted(6.0)
    second.heard(AnswerHead(200), 0.1, 7.0)
    assert _state(guard) is State.CLOSED


def test_a_body_too_large_to_be_kept_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    step = Attempt(_guard()).after(_case(Failed.RESET, replayable=False), 1.0, LOG)
    assert step is Next.ANSWER
    assert "the body is not whole within 10 bytes" in caplog.text
