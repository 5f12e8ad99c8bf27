"""The table of what follows a failure, word for word, and the promise it serves: a write is sent once."""

from itertools import product

import pytest

from proxy.answer_head import AnswerHead
from proxy.errors import ForwardError
from proxy.fallback import NO_FALLBACK, Case, Failed, Next, Rules, after, failure_in, failure_of, rules_of
from proxy.routes import FallbackOptions, Owner, Route, Stage

UNSENT = (Failed.UNREACHABLE, Failed.OVERLOADED, Failed.BREAKER_OPEN)
SENT = (Failed.CLOSED, Failed.RESET, Failed.INVALID, Failed.TIMEOUT)
BOTH = (Owner.MONOLITH, Owner.SERVICE)
SAFE, WRITE = True, False
# (what failed, safe, owner) → what follows, everything else being well
TABLE = {
    **dict.fromkeys(product(UNSENT, (SAFE,), BOTH), Next.FALL_BACK),
    **dict.fromkeys(product(UNSENT, (WRITE,), (Owner.MONOLITH,)), Next.FALL_BACK),
    **dict.fromkeys(product(UNSENT, (WRITE,), (Owner.SERVICE,)), Next.ANSWER),
    **dict.fromkeys(product((Failed.CLOSED,), (SAFE,), BOTH), Next.RETRY_FRESH),
    **dict.fromkeys(product((Failed.RESET, Failed.INVALID, Failed.TIMEOUT), (SAFE,), BOTH), Next.FALL_BACK),
    **dict.fromkeys(product(SENT, (WRITE,), BOTH), Next.ANSWER),
    **dict.fromkeys(product((Failed.STATUS,), (SAFE,), BOTH), Next.FALL_BACK),
    **dict.fromkeys(product((Failed.STATUS,), (WRITE,), BOTH), Next.PASS_ON),
    **dict.fromkeys(product((Failed.DECLINED,), (SAFE,), BOTH), Next.FALL_BACK),
    (Failed.DECLINED, WRITE, Owner.MONOLITH): Next.FALL_BACK,
    (Failed.DECLINED, WRITE, Owner.SERVICE): Next.PASS_ON,
}


def _rules(owner: Owner, *, may_fall_back: bool = True) -> Rules:
    return Rules(may_fall_back, owner, frozenset({503}))


def _route(stage: Stage, fallback: FallbackOptions) -> Route:
    return Route("r", "g", "/r/", ("GET",), stage, fallback=fallback)


def test_the_table_has_a_row_for_everything() -> None:
    assert TABLE.keys() == set(product(Failed, (SAFE, WRITE), BOTH))


@pytest.mark.parametrize(("failed", "safe", "owner"), TABLE)
def test_what_follows_a_failure_is_what_the_table_says(failed: Failed, safe: bool, owner: Owner) -> None:
    case = Case(failed, safe=safe, replayable=True)
    assert after(case, _rules(owner)) is TABLE[failed, safe, owner]


@pytest.mark.parametrize(
    ("failed", "owner", "replayable", "retried", "in_time"),
    list(product((*SENT, Failed.STATUS), BOTH, (True, False), (True, False), (True, False))),
)
def test_a_write_that_may_have_had_an_effect_is_never_sent_again(
    failed: Failed, owner: Owner, replayable: bool, retried: bool, in_time: bool
) -> None:
    case = Case(failed, safe=False, replayable=replayable, retried=retried, in_time=in_time)
    assert after(case, _rules(owner)) in (Next.ANSWER, Next.PASS_ON)


def test_a_read_is_retried_once_and_then_falls_back() -> None:
    case = Case(Failed.CLOSED, safe=True, replayable=True, retried=True)
    assert after(case, _rules(Owner.SERVICE)) is Next.FALL_BACK


@pytest.mark.parametrize("failed", Failed)
def test_a_body_that_is_gone_is_never_sent_again(failed: Failed) -> None:
    case = Case(failed, safe=True, replayable=False)
    assert after(case, _rules(Owner.MONOLITH)) in (Next.ANSWER, Next.PASS_ON)


@pytest.mark.parametrize("failed", Failed)
def test_no_time_left_means_no_fallback(failed: Failed) -> None:
    case = Case(failed, safe=True, replayable=True, retried=True, in_time=False)
    assert after(case, _rules(Owner.MONOLITH)) in (Next.ANSWER, Next.PASS_ON)


@pytest.mark.parametrize(("failed", "safe"), list(product(Failed, (SAFE, WRITE))))
def test_where_fallback_is_off_the_monolith_is_never_asked(failed: Failed, safe: bool) -> None:
    case = Case(failed, safe=safe, replayable=True)
    assert after(case, _rules(Owner.MONOLITH, may_fall_back=False)) is not Next.FALL_BACK
    assert after(case, NO_FALLBACK) is not Next.FALL_BACK


def test_a_retired_route_has_no_monolith_behind_it() -> None:
    options = FallbackOptions(on=(503,))
    assert not rules_of(_route(Stage.RETIRED, options), Owner.SERVICE).may_fall_back
    assert rules_of(_route(Stage.SERVICE, options), Owner.SERVICE).may_fall_back


def test_a_route_may_switch_its_fallback_off() -> None:
    assert not rules_of(_route(Stage.CANARY, FallbackOptions(enabled=False)), Owner.MONOLITH).may_fall_back


@pytest.mark.parametrize(
    ("status", "declined", "failed"),
    [
        (200, False, None),
        (404, False, None),
        (500, False, None),
        (503, False, Failed.STATUS),
        (503, True, Failed.DECLINED),
        (404, True, Failed.DECLINED),
    ],
)
def test_an_answer_fails_by_a_listed_status_or_by_declining(
    status: int, declined: bool, failed: Failed | None
) -> None:
    block = b"X-Strangler-Declined: not mine" if declined else b""
    assert failure_in(AnswerHead(status, block), _rules(Owner.SERVICE)) is failed


@pytest.mark.parametrize(
    ("error", "clean", "failed"),
    [
        (ForwardError.UPSTREAM_UNREACHABLE, False, Failed.UNREACHABLE),
        (ForwardError.OVERLOADED, False, Failed.OVERLOADED),
        (ForwardError.UPSTREAM_RESET, True, Failed.CLOSED),
        (ForwardError.UPSTREAM_RESET, False, Failed.RESET),
        (ForwardError.UPSTREAM_TRUNCATED, False, Failed.RESET),
        (ForwardError.UPSTREAM_INVALID, False, Failed.INVALID),
    ],
)
def test_a_lost_answer_tells_how_it_was_lost(error: ForwardError, clean: bool, failed: Failed) -> None:
    assert failure_of(error, clean=clean) is failed
