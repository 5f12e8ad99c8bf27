"""Every stage, for reads and writes, inside and outside the share, with and without a shadow's draw."""

from itertools import product

import pytest

from proxy.decide import Decision, Router, decide
from proxy.routes import Group, Owner, Route, RouteTable, Stage, Upstream, frozen

MONOLITH = Upstream("monolith", "http://m:1", "m", 1)
SERVICE = Upstream("catalog", "http://c:2", "c", 2)
INSIDE, OUTSIDE = 999, 1000  # of a canary at 10 %


def _router(stage: Stage, shadow_percent: float = 50.0) -> Router:
    percent = 10.0 if stage is Stage.CANARY else 0.0
    route = Route("r", "g", "/r/", ("GET", "POST"), stage, percent, shadow_percent)
    group = Group("g", "catalog", ("t",), Owner.MONOLITH)
    upstreams = frozen({"monolith": MONOLITH, "catalog": SERVICE})
    return Router(RouteTable("v", upstreams, frozen({"g": group}), frozen({"r": route})))


def _decision(
    stage: Stage, *, safe: bool, bucket: int | None, draw: float, shadow_percent: float = 50.0
) -> Decision:
    router = _router(stage, shadow_percent)
    route = router.table.routes["r"]
    return decide(router.choices(route), safe=safe, bucket=bucket, draw=draw)


ALWAYS = {Stage.MONOLITH: MONOLITH, Stage.SHADOW: MONOLITH, Stage.SERVICE: SERVICE, Stage.RETIRED: SERVICE}
SHADOWED = {Stage.SHADOW: SERVICE, Stage.CANARY: SERVICE, Stage.SERVICE: MONOLITH}


@pytest.mark.parametrize(
    ("stage", "safe", "bucket", "draw"),
    list(product(ALWAYS, (True, False), (None, INSIDE, OUTSIDE), (0.0, 49.9, 50.0, 99.9))),
)
def test_a_stage_without_a_share_looks_at_no_bucket(
    stage: Stage, safe: bool, bucket: int | None, draw: float
) -> None:
    decision = _decision(stage, safe=safe, bucket=bucket, draw=draw)
    assert decision.target is ALWAYS[stage]
    assert decision.candidate is (SHADOWED.get(stage) if safe and draw < 50 else None)


@pytest.mark.parametrize(("safe", "draw"), list(product((True, False), (0.0, 99.9))))
def test_the_canarys_share_gets_the_service_unshadowed(safe: bool, draw: float) -> None:
    assert _decision(Stage.CANARY, safe=safe, bucket=INSIDE, draw=draw) == Decision(SERVICE)


@pytest.mark.parametrize("bucket", [OUTSIDE, None])
@pytest.mark.parametrize(("safe", "draw"), list(product((True, False), (0.0, 99.9))))
def test_whoever_is_outside_the_share_gets_the_monolith(bucket: int | None, safe: bool, draw: float) -> None:
    candidate = SERVICE if safe and draw < 50 else None
    assert _decision(Stage.CANARY, safe=safe, bucket=bucket, draw=draw) == Decision(MONOLITH, candidate)


@pytest.mark.parametrize("stage", Stage)
def test_no_shadow_share_means_no_shadow(stage: Stage) -> None:
    decision = _decision(stage, safe=True, bucket=OUTSIDE, draw=0.0, shadow_percent=0.0)
    assert decision.candidate is None


@pytest.mark.parametrize(
    ("stage", "draw", "bucket"), list(product(Stage, (0.0, 99.9), (None, INSIDE, OUTSIDE)))
)
def test_a_write_is_never_shadowed(stage: Stage, draw: float, bucket: int | None) -> None:
    assert _decision(stage, safe=False, bucket=bucket, draw=draw, shadow_percent=100).candidate is None


def test_what_no_route_names_is_the_monoliths() -> None:
    router = _router(Stage.SERVICE)
    assert router.find(b"GET", b"/elsewhere/") is None
    assert router.find(b"PUT", b"/r/") is None
    assert router.default == Decision(MONOLITH)
