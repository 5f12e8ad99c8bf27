"""Cohorts are stable, grow monotonously, and cannot be chosen by a client."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cohort import BUCKETS, bucket, cohort_key, mint, share, verified
from proxy.own_cookies import COHORT

SECRET = b"a secret of the installation"
KEYS = [b"key-%d" % number for number in range(10_000)]
_percents = st.integers(0, BUCKETS).map(lambda hundredths: hundredths / 100)


@given(st.integers(0, BUCKETS - 1), _percents, _percents)
def test_who_is_in_a_share_is_in_every_larger_one(number: int, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert not number < share(small) or number < share(large)


@given(_percents)
def test_a_share_has_exactly_its_buckets(percent: float) -> None:
    assert share(percent) == round(percent * 100)


def test_a_key_keeps_its_bucket_over_releases() -> None:
    assert bucket(SECRET, "catalog", b"key") == 5081


@pytest.mark.parametrize("percent", [0.5, 1, 10, 30, 50, 90])
def test_ten_thousand_keys_spread_evenly(percent: float) -> None:
    part = percent / 100
    inside = sum(bucket(SECRET, "catalog", key) < share(percent) for key in KEYS)
    assert inside == pytest.approx(len(KEYS) * part, abs=3 * math.sqrt(len(KEYS) * part * (1 - part)))


@pytest.mark.parametrize(
    ("secret", "group"), [(SECRET, "orders"), (b"another secret", "catalog")], ids=["group", "secret"]
)
def test_another_group_or_secret_draws_other_cohorts(secret: bytes, group: str) -> None:
    here = {key for key in KEYS if bucket(SECRET, "catalog", key) < 5000}
    there = {key for key in KEYS if bucket(secret, group, key) < 5000}
    assert len(here & there) == pytest.approx(2500, abs=3 * math.sqrt(10_000 * 0.25 * 0.75))


def test_a_minted_cookie_is_verified() -> None:
    cookie = mint(SECRET, b"\x01" * 16)
    assert verified(SECRET, cookie) == b"01" * 16


@pytest.mark.parametrize(
    "forged",
    [
        b"",
        b".",
        b"key",
        b"key.",
        b".signature",
        b"01" * 16 + b"." + b"0" * 32,
        mint(b"another secret", b"\x01" * 16),
        mint(SECRET, b"\x01" * 16)[:-1],
        mint(SECRET, b"\x01" * 16) + b"0",
        b"02" + mint(SECRET, b"\x01" * 16)[2:],
    ],
)
def test_a_cookie_that_was_not_minted_here_is_no_key(forged: bytes) -> None:
    assert verified(SECRET, forged) is None
    assert cohort_key(SECRET, COHORT + b"=" + forged, b"sessionid") is None


@pytest.mark.parametrize("cookies", [b"", b"a=1", b"sessionid=", b"xsessionid=1", b";;=;"])
def test_without_a_key_there_is_no_cohort(cookies: bytes) -> None:
    assert cohort_key(SECRET, cookies, b"sessionid") is None


def test_a_session_counts_before_the_minted_cookie() -> None:
    minted = COHORT + b"=" + mint(SECRET, b"\x01" * 16)
    assert cohort_key(SECRET, minted + b"; sessionid=s", b"sessionid") == b"session:s"
    assert cohort_key(SECRET, b"a=1; " + minted, b"sessionid") == b"cookie:" + b"01" * 16


def test_a_session_cannot_pose_as_a_minted_cookie() -> None:
    minted = cohort_key(SECRET, COHORT + b"=" + mint(SECRET, b"\x01" * 16), b"sessionid")
    posing = cohort_key(SECRET, b"sessionid=" + b"01" * 16, b"sessionid")
    assert minted != posing


def test_a_user_counts_before_everything_and_is_the_same_in_every_session() -> None:
    here = cohort_key(SECRET, b"sessionid=one", b"sessionid", (), b"7")
    there = cohort_key(SECRET, b"", b"sessionid", (b"Token t",), b"7")
    assert here == there == b"user:7"


def test_an_authorization_counts_before_the_minted_cookie() -> None:
    minted = COHORT + b"=" + mint(SECRET, b"\x01" * 16)
    assert cohort_key(SECRET, minted, b"sessionid", (b"Token t",)) == b"authorization:Token t"
