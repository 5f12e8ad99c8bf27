"""An attempt is judged once, keeps what it may have to send again, and blames no client on the service."""

import logging

import pytest

from proxy.answer_head import AnswerHead
from proxy.attempt import Attempt
from proxy.breaker import Breaker, State
from proxy.decide import Decision
from proxy.fallback import Case, Failed, Next, Rules
from proxy.guard import Guard
from proxy.request_head import RequestFields
from proxy.routes import BreakerOptions, Owner, Upstream

LOG = logging.getLogger("test")
MONOLITH, SERVICE = Upstream("monolith", "http://m:1", "m", 1), Upstream("catalog", "http://c:2", "c", 2)
OPTIONS = BreakerOptions(volume=1, percent=100, budget=100, open=5, slow=2)


def _guard(owner: Owner = Owner.SERVICE) -> Guard:
    breaker = Breaker("catalog", "", OPTIONS, LOG)
    return Guard(Rules(True, owner, frozenset({503})), 10, Decision(MONOLITH), SERVICE, breaker)


def _attempt(guard: Guard, length: int | None = 0, *, safe: bool = True) -> Attempt:
    fields = RequestFields()
    fields.length, fields.has_body = length, length != 0
    return Attempt(guard, fields, safe=safe)


def _state(guard: Guard) -> State:
    assert guard.breaker is not None
    return guard.breaker.state


def _case(failed: Failed, *, safe: bool = True, replayable: bool = True) -> Case:
    return Case(failed, safe=safe, replayable=replayable)


@pytest.mark.parametrize("failed", [Failed.UNREACHABLE, Failed.RESET, Failed.TIMEOUT, Failed.INVALID])
def test_a_service_that_does_not_answer_opens_its_breaker(failed: Failed) -> None:
    guard = _guard()
    assert _attempt(guard).after(_case(failed), 1.0, LOG) is Next.FALL_BACK
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
    _attempt(guard).heard(AnswerHead(status), waited, 1.0)
    assert _state(guard) is state


def test_a_client_that_leaves_counts_for_nothing() -> None:
    guard = _guard()
    _attempt(guard).abandoned()
    assert _state(guard) is State.CLOSED


def test_a_retry_is_not_counted_before_its_outcome() -> None:
    guard = _guard()
    assert _attempt(guard).after(_case(Failed.CLOSED), 1.0, LOG) is Next.RETRY_FRESH
    assert _state(guard) is State.CLOSED


def test_one_probe_goes_and_the_others_are_turned_away() -> None:
    guard = _guard()
    _attempt(guard).after(_case(Failed.RESET), 1.0, LOG)
    refused, probe, second = _attempt(guard), _attempt(guard), _attempt(guard)
    assert not refused.admitted(5.9)
    assert refused.retry_after(5.9) == 1
    assert probe.admitted(6.0)
    assert not second.admitted(6.0)
    probe.abandoned()
    assert second.admitted(6.0)
    probe.abandoned()  # it has no place to give away any more
    assert not _attempt(guard).admitted(6.0)
    second.heard(AnswerHead(200), 0.1, 7.0)
    assert _state(guard) is State.CLOSED


def test_a_body_is_kept_up_to_its_bound() -> None:
    attempt = _attempt(_guard(), length=None)
    attempt.keep(b"12345")
    attempt.keep(b"67890")
    assert attempt.keeps_body
    assert attempt.rewind() == [b"12345", b"67890"]
    attempt.keep(b"12345")
    attempt.keep(b"678901")
    assert not attempt.keeps_body


@pytest.mark.parametrize(
    ("length", "safe", "owner", "kept"),
    [
        (10, True, Owner.SERVICE, True),
        (11, True, Owner.SERVICE, False),
        (10, False, Owner.SERVICE, False),
        (10, False, Owner.MONOLITH, True),
        (0, True, Owner.SERVICE, False),
    ],
)
def test_only_a_body_that_could_be_sent_again_is_kept(
    length: int, safe: bool, owner: Owner, kept: bool
) -> None:
    assert _attempt(_guard(owner), length, safe=safe).keeps_body is kept


def test_a_body_too_large_to_be_kept_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    step = _attempt(_guard(), length=11).after(_case(Failed.RESET, replayable=False), 1.0, LOG)
    assert step is Next.ANSWER
    assert "the body is not whole within 10 bytes" in caplog.text
