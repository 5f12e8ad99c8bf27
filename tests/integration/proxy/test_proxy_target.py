"""A tester with a signature chooses which side answers a read; nobody else does, and no write ever."""

import time
from collections.abc import Callable

import pytest
from raw_client import fetch
from recording_origin import Origin, answer, fresh, says
from running_proxy import STEADY, RunningProxy, route

from proxy.claims import Purpose, signed


def _claim(running: RunningProxy, side: str, seconds: int = 60, purpose: Purpose = Purpose.TARGET) -> str:
    secret = (running.control / "secret").read_bytes()
    return "X-Strangler-Target: " + signed(secret, purpose, int(time.time()) + seconds, side)


def _who(running: RunningProxy, path: str, *lines: str, method: str = "GET") -> str:
    body = fetch(running.port, path, *lines, method=method).body.decode()
    return body.removeprefix('{"from":"').removesuffix('"}')


@pytest.mark.parametrize("stage", ["monolith", "shadow", "canary10", "service"])
@pytest.mark.parametrize("side", ["monolith", "service"])
def test_a_signed_tester_chooses_the_side_at_every_stage(
    proxy: RunningProxy, monolith: Origin, service: Origin, stage: str, side: str
) -> None:
    path = fresh(f"/{stage}/")
    assert _who(proxy, path, _claim(proxy, side)) == side
    (asked,) = (monolith if side == "monolith" else service).asked(path)
    assert asked.values(b"x-strangler-target") == []


def test_a_chosen_answer_is_neither_compared_nor_put_in_a_share(proxy: RunningProxy, service: Origin) -> None:
    chosen, plain = fresh("/shadow/"), fresh("/shadow/")
    got = fetch(proxy.port, chosen, _claim(proxy, "monolith"))
    assert got.values("Set-Cookie") == []
    fetch(proxy.port, plain)
    service.wait_for(plain)
    assert service.asked(chosen) == []


@pytest.mark.parametrize(
    "claim",
    [
        lambda running: "X-Strangler-Target: service",
        lambda running: "X-Strangler-Target: service.9999999999." + "0" * 64,
        lambda running: _claim(running, "service", -1),
        lambda running: _claim(running, "service", 60, Purpose.DEBUG),
        lambda running: _claim(running, "orders"),
    ],
    ids=["unsigned", "forged", "expired", "another purpose", "no such side"],
)
def test_nobody_else_chooses(
    proxy: RunningProxy, monolith: Origin, claim: Callable[[RunningProxy], str]
) -> None:
    path = fresh("/monolith/")
    assert _who(proxy, path, claim(proxy)) == "monolith"
    assert monolith.asked(path)[0].values(b"x-strangler-target") == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_goes_to_its_owner_whatever_is_claimed(proxy: RunningProxy, method: str) -> None:
    assert _who(proxy, fresh("/moved/"), _claim(proxy, "monolith"), method=method) == "service"
    assert _who(proxy, fresh("/kept/"), _claim(proxy, "service"), method=method) == "monolith"


def test_a_retired_route_has_no_monolith_to_choose(proxy: RunningProxy) -> None:
    assert _who(proxy, fresh("/retired/"), _claim(proxy, "monolith")) == "service"


def test_a_tester_sees_the_services_failure_and_opens_no_breaker(
    start: Callable[..., RunningProxy], service: Origin
) -> None:
    breaker = "breaker = { volume = 1, percent = 1 }"
    running = start(route("r", "monolith", breaker, "fallback = { on = [503] }"), workers=1)
    path = fresh("/r/")
    service.scripted(path, says(answer(b"failed", "503 Service Unavailable")))
    assert fetch(running.port, path, _claim(running, "service")).status == 503
    assert {each["state"] for each in running.ask("status")[0]["breakers"]} == {"closed"}


def test_a_tester_chooses_even_after_writing(start: Callable[..., RunningProxy]) -> None:
    running = start(route("r", "service", STEADY), route("w", "monolith", methods=("POST",)), workers=1)
    token = "Authorization: Token t"
    fetch(running.port, fresh("/w/"), token, method="POST")
    assert _who(running, fresh("/r/"), token) == "monolith"
    assert _who(running, fresh("/r/"), token, _claim(running, "service")) == "service"
