"""Decide what follows when a service failed a request. Pure: no network, no clock.

The one promise everything here serves: both origins together receive a write at most once.
"""

import enum
from dataclasses import dataclass

from proxy.answer_head import AnswerHead
from proxy.errors import ForwardError
from proxy.routes import Owner, Route, Stage


class Failed(enum.StrEnum):
    """How a service failed a request. The value is the reason in metrics and logs."""

    UNREACHABLE = "unreachable"
    OVERLOADED = "overloaded"
    BREAKER_OPEN = "breaker_open"
    CLOSED = "closed"  # a kept connection, before any byte of an answer
    RESET = "reset"
    INVALID = "invalid"
    TIMEOUT = "timeout"
    STATUS = "status"  # a 5xx that the route lists
    DECLINED = "declined"  # by the service itself, before any effect

    @property
    def without_effect(self) -> bool:
        """Whether the service certainly did nothing for the request."""
        return self in _WITHOUT_EFFECT

    @property
    def answered(self) -> bool:
        """Whether the service gave an answer that can be passed on."""
        return self in (Failed.STATUS, Failed.DECLINED)


_WITHOUT_EFFECT = frozenset({Failed.UNREACHABLE, Failed.OVERLOADED, Failed.BREAKER_OPEN, Failed.DECLINED})
_FAILED = {
    ForwardError.UPSTREAM_UNREACHABLE: Failed.UNREACHABLE,
    ForwardError.OVERLOADED: Failed.OVERLOADED,
    ForwardError.UPSTREAM_INVALID: Failed.INVALID,
    ForwardError.UPSTREAM_TIMEOUT: Failed.TIMEOUT,
}


class Next(enum.Enum):
    """What the proxy does after a failure."""

    FALL_BACK = enum.auto()  # the monolith is asked, and nothing of the failed answer is kept
    RETRY_FRESH = enum.auto()  # the same upstream is asked once more, on a new connection
    ANSWER = enum.auto()  # the proxy says which error it was
    PASS_ON = enum.auto()  # the client gets the service's own answer


@dataclass(frozen=True, slots=True)
class Rules:
    """What a route allows. `may_fall_back` is False where the monolith cannot stand in at all."""

    may_fall_back: bool
    owner: Owner
    statuses: frozenset[int]

    def permit(self, case: "Case") -> bool:
        """Return whether the monolith may be asked, a body in the way left aside."""
        harmless = case.safe or (case.failed.without_effect and self.owner is Owner.MONOLITH)
        return self.may_fall_back and case.in_time and harmless


NO_FALLBACK = Rules(False, Owner.SERVICE, frozenset())  # where the monolith itself was asked


@dataclass(frozen=True, slots=True)
class Case:
    """A failure, and what was sent before it. `replayable`: all of the body can (still) be sent."""

    failed: Failed
    safe: bool
    replayable: bool
    retried: bool = False
    in_time: bool = True


def rules_of(route: Route, owner: Owner) -> Rules:
    """Return what a route of a group owned by `owner` allows. A retired route has no monolith behind it."""
    may_fall_back = route.fallback.enabled and route.stage is not Stage.RETIRED
    return Rules(may_fall_back, owner, frozenset(route.fallback.on))


def failure_of(error: ForwardError, *, clean: bool) -> Failed:
    """Return how an upstream failed whose answer was lost; `clean` as in `upstream.Receiver`."""
    return _FAILED.get(error) or (Failed.CLOSED if clean else Failed.RESET)


def failure_in(head: AnswerHead, rules: Rules) -> Failed | None:
    """Return how an answer tells of a failure, None where it is one to pass on."""
    if head.declined:
        return Failed.DECLINED
    return Failed.STATUS if head.status in rules.statuses else None


def after(case: Case, rules: Rules) -> Next:
    """Return what follows a failure whose answer's head has not reached the client."""
    if case.replayable:
        if case.failed is Failed.CLOSED and case.safe and not case.retried:
            return Next.RETRY_FRESH
        if rules.permit(case):
            return Next.FALL_BACK
    return Next.PASS_ON if case.failed.answered else Next.ANSWER
