"""Every stage, for reads and writes, inside and outside the share, with and without a shadow's draw."""

from itertools import product

import pytest

from proxy.decide import Decision, Router, decide
from proxy.routes import Group, Owner, Route, RouteTable, Stage, Upstream, frozen

MONOLITH = Upstream("monolith", "http://m:1", "m", 1)
SERVICE = Upstream("catalog", "http://c:2", "c", 2)
INSIDE, OUTSIDE = 999, 1000  # of a canary at 10 %


def _router(
    stage: Stage, shadow_percent: float = 50.0, owner: Owner = Owner.MONOLITH, *, rehearse: bool = False
) -> Router:
    percent = 10.0 if stage is Stage.CANARY else 0.0
    route = Route("r", "g", "/r/", ("GET", "POST"), stage, percent, shadow_percent, rehearse=rehearse)
    group = Group("g", "catalog", ("t",), owner)
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
    ("stage", "bucket", "draw"),
    list(product(ALWAYS, (None, INSIDE, OUTSIDE), (0.0, 49.9, 50.0, 99.9))),
)
def test_a_stage_without_a_share_looks_at_no_bucket(stage: Stage, bucket: int | None, draw: float) -> None:
    decision = _decision(stage, safe=True, bucket=bucket, draw=draw)
    assert decision.target is ALWAYS[stage]
    assert decision.candidate is (SHADOWED.get(stage) if draw < 50 else None)


@pytest.mark.parametrize("draw", [0.0, 99.9])
def test_the_canarys_share_gets_the_service_unshadowed(draw: float) -> None:
    assert _decision(Stage.CANARY, safe=True, bucket=INSIDE, draw=draw) == Decision(SERVICE)


@pytest.mark.parametrize("bucket", [OUTSIDE, None])
@pytest.mark.parametrize("draw", [0.0, 99.9])
def test_whoever_is_outside_the_share_gets_the_monolith(bucket: int | None, draw: float) -> None:
    candidate = SERVICE if draw < 50 else None
    assert _decision(Stage.CANARY, safe=True, bucket=bucket, draw=draw) == Decision(MONOLITH, candidate)


@pytest.mark.parametrize("stage", Stage)
def test_no_shadow_share_means_no_shadow(stage: Stage) -> None:
    decision = _decision(stage, safe=True, bucket=OUTSIDE, draw=0.0, shadow_percent=0.0)
    assert decision.candidate is None


@pytest.mark.parametrize(
    ("stage", "draw", "bucket"), list(product(Stage, (0.0, 99.9), (None, INSIDE, OUTSIDE)))
)
def test_a_write_is_never_shadowed(stage: Stage, draw: float, bucket: int | None) -> None:
    assert _decision(stage, safe=False, bucket=bucket, draw=draw, shadow_percent=100).candidate is None


@pytest.mark.parametrize(("stage", "bucket", "owner"), list(product(Stage, (None, INSIDE, OUTSIDE), Owner)))
def test_a_write_is_its_owners_whatever_the_stage_and_the_share(
    stage: Stage, bucket: int | None, owner: Owner
) -> None:
    router = _router(stage, owner=owner)
    options = router.choices(router.table.routes["r"])
    target = decide(options, safe=False, bucket=bucket, draw=0.0).target
    assert target is (MONOLITH if owner is Owner.MONOLITH else SERVICE) is router.owner("g")


COPIES = {
    Owner.MONOLITH: {Stage.SHADOW, Stage.CANARY, Stage.SERVICE},
    Owner.SERVICE: {Stage.MONOLITH, Stage.SHADOW, Stage.CANARY},
}


@pytest.mark.parametrize(("stage", "owner"), list(product(Stage, Owner)))
def test_writers_are_remembered_exactly_where_somebody_reads_a_copy(stage: Stage, owner: Owner) -> None:
    router = _router(stage, 0.0, owner)
    read = stage in COPIES[owner]
    assert router.choices(router.table.routes["r"]).copies is read
    assert router.copied == (frozenset({"g"}) if read else frozenset())


def test_a_reverse_shadow_reads_a_copy() -> None:
    assert _router(Stage.SERVICE, 1.0, Owner.SERVICE).copied == {"g"}


def test_what_no_route_names_is_the_monoliths() -> None:
    router = _router(Stage.SERVICE)
    assert router.find(b"GET", b"/elsewhere/") is None
    assert router.find(b"PUT", b"/r/") is None
    assert router.default == Decision(MONOLITH)


@pytest.mark.parametrize("owner", Owner)
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("draw", [0.0, 49.9, 50.0])
def test_a_rehearsal_never_changes_who_performs_a_write(stage: Stage, owner: Owner, draw: float) -> None:
    router = _router(stage, owner=owner, rehearse=True)
    options = router.choices(router.table.routes["r"])
    decision = decide(options, safe=False, bucket=None, draw=draw)
    assert decision.target is (MONOLITH if owner is Owner.MONOLITH else SERVICE)
    rehearsed = stage is Stage.SHADOW and owner is Owner.MONOLITH and draw < 50
    assert decision.candidate is (SERVICE if rehearsed else None)


def test_a_write_is_rehearsed_only_where_its_route_asks_for_it() -> None:
    router = _router(Stage.SHADOW)
    options = router.choices(router.table.routes["r"])
    assert decide(options, safe=False, bucket=None, draw=0.0).candidate is None
