"""Each stage asks each origin exactly as often as it says."""

import math
from collections import Counter

import pytest
from raw_client import Answer, Client, fetch
from recording_origin import Origin, fresh
from running_proxy import RunningProxy, until

IDENTITIES = 400


def _from(answer: Answer) -> str:
    assert answer.status == 200
    return answer.body.decode().split('"')[3]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("stage", ["monolith", "service", "retired"])
def test_one_request_reaches_one_origin_once(
    proxy: RunningProxy, monolith: Origin, service: Origin, stage: str, method: str
) -> None:
    path = fresh(f"/{stage}/")
    assert fetch(proxy.port, path, method=method).status == 200
    owner, other = (monolith, service) if stage == "monolith" else (service, monolith)
    assert len(owner.asked(path)) == 1
    assert other.asked(path) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(("stage", "moved"), [("kept", False), ("moved", True), ("retired", True)])
def test_writes_go_once_to_where_their_tables_are(
    proxy: RunningProxy, monolith: Origin, service: Origin, stage: str, moved: bool, method: str
) -> None:
    path = fresh(f"/{stage}/")
    fetch(proxy.port, path, method=method, body=b"x=1")
    owner, other = (service, monolith) if moved else (monolith, service)
    assert [asked.raw_body for asked in owner.asked(path)] == [b"x=1"]
    assert other.asked(path) == []


@pytest.mark.parametrize(("stage", "answering"), [("shadow", "monolith"), ("reverse", "service")])
def test_a_shadow_asks_the_other_origin_once_too(
    proxy: RunningProxy, monolith: Origin, service: Origin, stage: str, answering: str
) -> None:
    path = fresh(f"/{stage}/")
    assert _from(fetch(proxy.port, path)) == answering
    monolith.wait_for(path)
    service.wait_for(path)
    assert len(monolith.asked(path)) == len(service.asked(path)) == 1


def test_a_path_that_no_route_names_goes_to_the_monolith(proxy: RunningProxy, monolith: Origin) -> None:
    path = fresh("/unrouted/")
    assert _from(fetch(proxy.port, path)) == "monolith"
    assert len(monolith.asked(path)) == 1


def test_a_method_that_its_route_does_not_name_goes_to_the_monolith(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/service/")
    assert _from(fetch(proxy.port, path, method="POST", body=b"x")) == "monolith"
    assert len(monolith.asked(path)) == 1
    assert service.asked(path) == []


@pytest.fixture(scope="module")
def answered(proxy: RunningProxy) -> dict[int, dict[str, str]]:
    """Who answered each session's first and second request, by percent."""
    found: dict[int, dict[str, str]] = {}
    for percent in (10, 30, 60):
        with Client(proxy.port) as client:
            found[percent] = {
                who: _from(client.ask("GET", f"/canary{percent}/{who}", f"Cookie: sessionid={who}"))
                for who in _sessions()
            }
            again = {
                who: _from(client.ask("GET", f"/canary{percent}/{who}", f"Cookie: sessionid={who}"))
                for who in _sessions()
            }
            assert again == found[percent]
    return found


def _sessions() -> list[str]:
    return [f"session{number}" for number in range(IDENTITIES)]


@pytest.mark.parametrize("percent", [10, 30, 60])
def test_a_canary_takes_its_share_of_cohorts(answered: dict[int, dict[str, str]], percent: int) -> None:
    share = percent / 100
    sigma = math.sqrt(IDENTITIES * share * (1 - share))
    assert Counter(answered[percent].values())["service"] == pytest.approx(IDENTITIES * share, abs=3 * sigma)


def test_a_larger_share_keeps_everyone_of_the_smaller(answered: dict[int, dict[str, str]]) -> None:
    inside = {
        percent: {who for who, origin in found.items() if origin == "service"}
        for percent, found in answered.items()
    }
    assert inside[10] < inside[30] < inside[60]


def test_the_first_request_is_already_in_its_cohort(proxy: RunningProxy) -> None:
    for _ in range(40):
        with Client(proxy.port) as client:
            first = client.ask("GET", fresh("/canary30/"))
            cookie = first.value("Set-Cookie").partition(";")[0]
            assert _from(client.ask("GET", fresh("/canary30/"), f"Cookie: {cookie}")) == _from(first)
            wider = client.ask("GET", fresh("/canary60/"), f"Cookie: {cookie}")
            assert _from(first) == "monolith" or _from(wider) == "service"


def test_the_cohort_cookie_is_minted_once_and_guarded(proxy: RunningProxy) -> None:
    with Client(proxy.port) as client:
        minted = client.ask("GET", fresh("/canary30/")).value("Set-Cookie")
        cookie, *attributes = minted.split("; ")
        assert sorted(attributes) == ["HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Lax"]
        assert client.ask("GET", fresh("/canary30/"), f"Cookie: {cookie}").values("Set-Cookie") == []


def test_a_forged_cohort_cookie_counts_for_nothing(proxy: RunningProxy) -> None:
    forged = "Cookie: strangler_cohort=" + "0" * 32 + "." + "0" * 32
    answers = [fetch(proxy.port, fresh("/canary30/"), forged) for _ in range(60)]
    assert all(answer.values("Set-Cookie") for answer in answers)
    assert {_from(answer) for answer in answers} == {"monolith", "service"}


@pytest.mark.parametrize("stage", ["monolith", "shadow", "service", "retired"])
def test_only_a_canary_mints_a_cookie(proxy: RunningProxy, stage: str) -> None:
    assert fetch(proxy.port, fresh(f"/{stage}/")).values("Set-Cookie") == []


def test_no_upstream_sees_the_cohort_cookie(proxy: RunningProxy, monolith: Origin) -> None:
    cookie = fetch(proxy.port, fresh("/canary30/")).value("Set-Cookie").partition(";")[0]
    path = fresh("/monolith/")
    fetch(proxy.port, path, f"Cookie: a=1; {cookie}; b=2")
    (asked,) = monolith.asked(path)
    assert asked.values(b"cookie") == [b"a=1; b=2"]


def test_requests_are_counted_by_route_once(proxy: RunningProxy) -> None:
    before = proxy.total("retired")
    fetch(proxy.port, fresh("/retired/"))
    until(lambda: proxy.total("retired") == before + 1, "the request is counted")
