"""An upstream's own address never leads a client past the proxy; every other reference stays."""

import pytest

from proxy.location import as_client_sees, rewritten
from proxy.routes import Upstream

UPSTREAM = Upstream("catalog", "http://Catalog.internal:8101", "Catalog.internal", 8101)
PLAIN = Upstream("plain", "http://10.0.0.7:80", "10.0.0.7", 80)
SIX = Upstream("six", "http://[::1]:8101", "::1", 8101)


def _seen(value: bytes, upstream: Upstream = UPSTREAM) -> bytes:
    return as_client_sees(value, upstream, b"https", b"shop.example:8443")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"/api/products/1/",
        b"api/products/1/",
        b"?page=2",
        b"#top",
        b"https://elsewhere.example/a",
        b"http://catalog.internal/a",
        b"http://catalog.internal:81010/a",
        b"http://catalog.internal.evil.example:8101/a",
        b"http://evil.example@catalog.internal:8101/a",
        b"http://catalog.internal:8101@evil.example/a",
        b"http://evil.example/?to=http://catalog.internal:8101/",
        b"http://evil.example\\catalog.internal:8101/",
        b"ftp://catalog.internal:8101/a",
        b"http:/catalog.internal:8101/a",
        b"/redirect?to=//catalog.internal:8101/",
    ],
)
def test_a_relative_or_foreign_reference_stays(value: bytes) -> None:
    assert _seen(value) == value


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (b"http://catalog.internal:8101/a?b=c#d", b"https://shop.example:8443/a?b=c#d"),
        (b"HTTP://CATALOG.INTERNAL:8101/A", b"https://shop.example:8443/A"),
        (b"https://catalog.internal:8101/a", b"https://shop.example:8443/a"),
        (b"http://catalog.internal:8101", b"https://shop.example:8443"),
        (b"http://catalog.internal:8101?x", b"https://shop.example:8443?x"),
        (b"//catalog.internal:8101/a", b"//shop.example:8443/a"),
    ],
)
def test_the_upstreams_own_authority_becomes_the_clients(value: bytes, seen: bytes) -> None:
    assert _seen(value) == seen


@pytest.mark.parametrize(
    ("value", "own"),
    [
        (b"http://10.0.0.7/a", True),
        (b"http://10.0.0.7:/a", True),
        (b"http://10.0.0.7:80/a", True),
        (b"//10.0.0.7/a", True),
        (b"https://10.0.0.7/a", False),
    ],
)
def test_a_default_port_need_not_be_written(value: bytes, own: bool) -> None:
    assert (_seen(value, PLAIN) != value) is own


def test_an_ipv6_authority_is_known_by_its_brackets() -> None:
    assert _seen(b"http://[::1]:8101/a", SIX) == b"https://shop.example:8443/a"


def test_only_the_two_lines_that_point_are_rewritten() -> None:
    own = b"http://catalog.internal:8101/a"
    lines = [b"Link: " + own, b"Location: " + own, b"Content-Location: " + own, b"X-Location: " + own]
    assert rewritten(lines, UPSTREAM, b"http", b"shop.example") == [
        b"Link: " + own,
        b"Location: http://shop.example/a",
        b"Content-Location: http://shop.example/a",
        b"X-Location: " + own,
    ]
