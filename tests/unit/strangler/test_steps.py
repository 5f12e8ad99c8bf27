"""Where one flip or one step back takes a route."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routes import Route, Stage
from strangler.errors import BadPercent, NoFurtherStage, ReasonMissing, StageSkipped, WrongDirection
from strangler.steps import Forward, Position, step_back, step_forward, undo


def route_at(stage: Stage, percent: float = 0.0) -> Route:
    return Route("catalog.products", "catalog", "/api/products/", ("GET",), stage, percent)


def test_skipping_a_stage_is_refused_with_the_step_that_is_allowed():
    with pytest.raises(StageSkipped) as refusal:
        step_forward(route_at(Stage.SHADOW), Forward(Stage.SERVICE))
    assert refusal.value.id == "S203"
    assert refusal.value.message == "route 'catalog.products' is at shadow; it cannot go straight to service"
    assert refusal.value.next == "strangler flip catalog.products        (to canary)"


def test_skipping_without_a_reason_is_refused():
    with pytest.raises(ReasonMissing, match="from monolith to service"):
        step_forward(route_at(Stage.MONOLITH), Forward(Stage.SERVICE, skip=True))


def test_flip_to_an_earlier_stage_names_the_command_that_goes_back():
    with pytest.raises(WrongDirection) as refusal:
        step_forward(route_at(Stage.CANARY, 10), Forward(Stage.SHADOW))
    assert refusal.value.next == "strangler back catalog.products shadow"


def test_back_to_a_later_stage_names_the_command_that_flips():
    with pytest.raises(WrongDirection) as refusal:
        step_back(route_at(Stage.SHADOW), Stage.SERVICE)
    assert refusal.value.next == "strangler flip catalog.products service"


def test_a_retired_route_goes_no_further():
    with pytest.raises(NoFurtherStage, match="no later stage"):
        step_forward(route_at(Stage.RETIRED), Forward())


def test_a_route_at_the_monolith_goes_no_further_back():
    with pytest.raises(NoFurtherStage, match="no earlier stage"):
        step_back(route_at(Stage.MONOLITH), None)


@pytest.mark.parametrize("percent", [0, -1, 0.001, 10.005, 100.01, float("nan"), float("inf")])
def test_a_share_that_no_canary_can_have_is_refused(percent: float):
    with pytest.raises(BadPercent):
        step_forward(route_at(Stage.SHADOW), Forward(percent=percent))


def test_a_percent_for_another_stage_is_refused():
    with pytest.raises(BadPercent, match="only a canary has a percent"):
        step_forward(route_at(Stage.MONOLITH), Forward(percent=5))


@pytest.mark.parametrize("percent", [0.01, 0.07, 0.29, 33.33, 99.99, 100])
def test_every_hundredth_of_a_percent_is_a_share(percent: float):
    assert step_forward(route_at(Stage.SHADOW), Forward(percent=percent)) == Position(Stage.CANARY, percent)


def test_a_flip_without_a_stage_goes_one_step_forward():
    walked = []
    route = route_at(Stage.MONOLITH)
    while route.stage is not Stage.RETIRED:
        position = step_forward(route, Forward())
        walked.append(str(position))
        route = route_at(position.stage, position.percent)
    assert walked == ["shadow", "canary 10 %", "service", "retired"]


def test_a_percent_at_a_canary_changes_its_share_in_both_directions():
    assert step_forward(route_at(Stage.CANARY, 10), Forward(percent=50)) == Position(Stage.CANARY, 50)
    assert step_forward(route_at(Stage.CANARY, 50), Forward(percent=10)) == Position(Stage.CANARY, 10)


def test_flipping_to_the_present_stage_changes_nothing():
    assert step_forward(route_at(Stage.CANARY, 25), Forward(Stage.CANARY)) == Position(Stage.CANARY, 25)


def test_a_skip_with_a_reason_goes_straight_there():
    asked = Forward(Stage.SERVICE, skip=True, reason="rehearsed")
    assert step_forward(route_at(Stage.MONOLITH), asked) == Position(Stage.SERVICE)


@given(st.sampled_from(Stage), st.sampled_from(Stage))
def test_back_reaches_every_earlier_stage_at_once(origin: Stage, target: Stage):
    if target.rank <= origin.rank:
        assert step_back(route_at(origin, 30 if origin is Stage.CANARY else 0), target).stage is target


@given(st.sampled_from(Stage), st.sampled_from(Stage), st.integers(1, 10_000), st.integers(1, 10_000))
def test_the_undo_command_leads_back_to_the_origin(origin: Stage, target: Stage, one: int, two: int):
    start = Position(origin, one / 100 if origin is Stage.CANARY else 0.0)
    end = Position(target, two / 100 if target is Stage.CANARY else 0.0)
    if start == end:
        return
    position = end
    for typed in undo("r", start, end).split(" && "):
        position = _typed(typed.split(" ")[1:], position)
    assert position == start


def _typed(words: list[str], position: Position) -> Position:
    """Carry out a typed flip or back on a position."""
    verb, _, *rest = words
    stage = Stage(rest.pop(0)) if rest and not rest[0].startswith("--") else None
    route = route_at(position.stage, position.percent)
    if verb == "back":
        return step_back(route, stage)
    percent = float(rest[rest.index("--percent") + 1]) if "--percent" in rest else None
    return step_forward(
        route, Forward(stage, percent, "--skip" in rest, "undo" if "--reason" in rest else "")
    )
