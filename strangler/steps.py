"""Decide where one flip or one step back takes a route. Pure: the route goes in, its new position comes out.

Forward is one stage at a time, unless skipping is asked for and explained. Back has no gate at all.
"""

import math
from dataclasses import dataclass
from typing import Self

from proxy.routes import Route, Stage
from strangler.errors import BadPercent, NoFurtherStage, ReasonMissing, StageSkipped, WrongDirection

FIRST_CANARY_PERCENT = 10.0


@dataclass(frozen=True)
class Position:
    """A route's stage, with the share of cohorts when it is a canary (0 otherwise)."""

    stage: Stage
    percent: float = 0.0

    @classmethod
    def of(cls, route: Route) -> Self:
        """Return where a route stands."""
        return cls(route.stage, route.percent)

    def __str__(self) -> str:
        return f"{self.stage} {self.percent:g} %" if self.stage is Stage.CANARY else str(self.stage)


@dataclass(frozen=True)
class Forward:
    """A flip as the user asked for it; None where the usual is meant."""

    stage: Stage | None = None
    percent: float | None = None
    skip: bool = False
    reason: str = ""
    force: bool = False


def step_forward(route: Route, asked: Forward) -> Position:
    """Return the position after a flip, the present one when nothing changes. Refuses what is no flip."""
    if asked.force and not asked.reason:
        raise ReasonMissing(
            f"route {route.name!r} would pass its gate by force without a reason",
            next=f"strangler flip {route.name} --force --reason 'why it is safe'",
        )
    stage = asked.stage or _usual_target(route, asked)
    if stage.rank < route.stage.rank:
        raise WrongDirection(
            f"route {route.name!r} is at {route.stage}; {stage} is an earlier stage, flip goes forward",
            next=f"strangler back {route.name} {stage}",
        )
    if stage.rank > route.stage.rank + 1:
        _permit_skip(route, stage, asked)
    return Position(stage, _percent_at(route, stage, asked.percent))


def step_back(route: Route, asked: Stage | None) -> Position:
    """Return the position after going back, one stage when none is named. Refuses to go forward."""
    if asked is None and route.stage is Stage.MONOLITH:
        raise NoFurtherStage(
            f"route {route.name!r} is at monolith; there is no earlier stage",
            next=f"strangler flip {route.name}",
        )
    stage = asked or list(Stage)[route.stage.rank - 1]
    if stage is route.stage:
        return Position.of(route)
    if stage.rank > route.stage.rank:
        raise WrongDirection(
            f"route {route.name!r} is at {route.stage}; {stage} is a later stage, back goes to earlier ones",
            next=f"strangler flip {route.name} {stage}",
        )
    return Position(stage, _percent_at(route, stage, None))


def undo(route: str, origin: Position, target: Position) -> str:
    """Return the command that takes a route from `target` back to `origin`."""
    percent = f" --percent {origin.percent:g}" if origin.stage is Stage.CANARY else ""
    distance = origin.stage.rank - target.stage.rank
    if distance < 0:
        # `back` enters a canary at its first share; the share it had is one flip further.
        wider = percent and origin.percent != FIRST_CANARY_PERCENT
        return f"strangler back {route} {origin.stage}" + (
            f" && strangler flip {route}{percent}" if wider else ""
        )
    skip = " --skip --reason 'undo'" if distance > 1 else ""
    return f"strangler flip {route} {origin.stage}{percent}{skip}"


def _usual_target(route: Route, asked: Forward) -> Stage:
    if route.stage is Stage.CANARY and asked.percent is not None:
        return Stage.CANARY
    if route.stage is Stage.RETIRED:
        raise NoFurtherStage(
            f"route {route.name!r} is at retired; there is no later stage",
            next=f"strangler history {route.name}",
        )
    return list(Stage)[route.stage.rank + 1]


def _permit_skip(route: Route, stage: Stage, asked: Forward) -> None:
    following = list(Stage)[route.stage.rank + 1]
    if not asked.skip:
        raise StageSkipped(
            f"route {route.name!r} is at {route.stage}; it cannot go straight to {stage}",
            next=f"strangler flip {route.name}        (to {following})",
        )
    if not asked.reason:
        raise ReasonMissing(
            f"route {route.name!r} would skip from {route.stage} to {stage} without a reason",
            next=f"strangler flip {route.name} {stage} --skip --reason 'why it is safe'",
        )


def _percent_at(route: Route, stage: Stage, asked: float | None) -> float:
    if stage is not Stage.CANARY:
        if asked is not None:
            raise BadPercent(
                f"{asked:g} % was given for stage {stage}; only a canary has a percent",
                next=f"strangler flip {route.name} {stage}",
            )
        return 0.0
    if asked is None:
        return route.percent or FIRST_CANARY_PERCENT
    hundredths = round(asked * 100, 6)
    if not (math.isfinite(asked) and 1 <= hundredths <= 10_000 and hundredths == int(hundredths)):
        raise BadPercent(
            f"{asked:g} % was given; a canary's share goes from 0.01 to 100 in steps of 0.01",
            next=f"strangler flip {route.name} canary --percent {FIRST_CANARY_PERCENT:g}",
        )
    return asked
