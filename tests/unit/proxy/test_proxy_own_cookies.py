"""No upstream sees a cookie of the proxy's, and no cookie of anybody else's is lost."""

import pytest

from proxy.own_cookies import set_cookie, without_own


@pytest.mark.parametrize(
    ("cookies", "left"),
    [
        (b"a=1", b"a=1"),
        (b"a=1; strangler_cohort=x; b=2", b"a=1; b=2"),
        (b"a=1; strangler_pin_catalog=1.x; b=2", b"a=1; b=2"),
        (b"strangler_cohort=x", b""),
        (b"strangler_cohort=x;strangler_pin_a=y;a=1", b"a=1"),
        (b"xstrangler_cohort=x; a=strangler_b", b"xstrangler_cohort=x; a=strangler_b"),
    ],
)
def test_only_the_proxys_cookies_are_taken_out(cookies: bytes, left: bytes) -> None:
    assert without_own(cookies) == left


def test_a_cookie_is_never_for_scripts_and_on_tls_for_tls_alone() -> None:
    line = set_cookie(b"strangler_x", b"1", seconds=10, secure=False)
    assert line == b"Set-Cookie: strangler_x=1; Path=/; Max-Age=10; HttpOnly; SameSite=Lax\r\n"
    assert set_cookie(b"strangler_x", b"1", seconds=10, secure=True).endswith(b"; Secure\r\n")
