"""What no route names is counted by template, in bounded memory, without anybody's data."""

import pytest

from proxy.templates import MAX_BYTES, MAX_SEGMENTS, template_of
from proxy.unmatched import MAX_PATHS, MAX_TEMPLATES, OTHERS, Unmatched


@pytest.mark.parametrize(
    "segment",
    [
        b"1",
        b"0",
        b"4711",
        b"deadbeef",
        b"3f2b8c1e-0d4a-4b7e-9c55-0a1b2c3d4e5f",
        b"eyJhbGciOiJIUzI1NiJ9",
        b"cs_test_a1B2c3D4e5F6",
        b"x" * 41,
        b"%C3%A9",
        b"someone@example.org",
    ],
)
def test_what_varies_is_never_kept(segment: bytes) -> None:
    assert template_of(b"/api/" + segment + b"/edit/") == "/api/{id}/edit/"


@pytest.mark.parametrize(
    "path", [b"/", b"/api/v2/products/", b"/static/app.css", b"/robots.txt", b"/a/top-10/", b"/oauth2/x"]
)
def test_what_names_a_thing_is_kept(path: bytes) -> None:
    assert template_of(path) == path.decode()


def test_a_deep_path_is_cut() -> None:
    assert template_of(b"/a" * 20) == "/a" * MAX_SEGMENTS + "/{rest...}"


def test_a_long_path_is_cut_before_it_is_kept() -> None:
    unmatched = Unmatched([])
    for number in range(3):
        unmatched.note(b"GET", b"/a/" + b"b" * 60_000 + b"%d" % number)
    assert [len(path) for _, path in unmatched._paths] == [MAX_BYTES]
    assert unmatched.most_frequent() == [(("GET", "/a/{id}"), 3)]


def test_requests_for_one_template_are_counted_together() -> None:
    unmatched = Unmatched([])
    for number in range(30):
        unmatched.note(b"GET", b"/orders/%d/" % number)
    unmatched.note(b"POST", b"/orders/")
    assert unmatched.most_frequent() == [(("GET", "/orders/{id}/"), 30), (("POST", "/orders/"), 1)]


def test_counts_grow_over_digests() -> None:
    unmatched = Unmatched([])
    for _ in range(3):
        unmatched.note(b"GET", b"/a")
        unmatched.digest()
    assert unmatched.most_frequent() == [(("GET", "/a"), 3)]


def _word(number: int) -> bytes:
    return b"".join(b"abcdefghij"[int(digit) : int(digit) + 1] for digit in str(number)) + b"-z"


def test_a_flood_of_paths_never_hides_a_frequent_one() -> None:
    unmatched = Unmatched([])
    for number in range(4 * MAX_TEMPLATES):
        unmatched.note(b"GET", b"/" + _word(number))
        unmatched.note(b"GET", b"/often")
        if number % 100 == 0:
            unmatched.digest()
    found = unmatched.most_frequent()
    assert found[0] == (("GET", "/often"), 4 * MAX_TEMPLATES)
    assert len(found) == MAX_TEMPLATES
    assert sum(number for _, number in found) == 8 * MAX_TEMPLATES


def test_paths_beyond_the_bound_are_counted_together() -> None:
    unmatched = Unmatched([])
    for number in range(MAX_PATHS + 5):
        unmatched.note(b"GET", b"/orders/%d" % number)
    assert dict(unmatched.most_frequent()) == {("GET", "/orders/{id}"): MAX_PATHS, OTHERS: 5}
