"""One canonical form of a path, and the most specific route for it."""

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.match import BadPath, Matcher, canonical_path, is_plain, parse_template
from proxy.routes import Route, Stage


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"x",
        b"*",
        b"/a%2fb",
        b"/a%2Fb",
        b"/a%5cb",
        b"/a%5Cb",
        b"/a%00",
        b"/a\\b",
        b"/a\x00",
        b"/a\x1f",
        b"/a b",
        b"/a\x7f",
        b"/a\xe9",
        b"/a#b",
        b"/%",
        b"/%2",
        b"/%zz",
        b"/%%41",
        b"/a%",
        b"/..",
        b"/../a",
        b"/a/../..",
        b"/%2e%2e/a",
        b"/a/%2E./../b",
        b"/./../a",
    ],
)
def test_a_path_without_a_canonical_form_is_refused(path: bytes) -> None:
    with pytest.raises(BadPath):
        canonical_path(path)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        (b"/", b"/"),
        (b"/a/b/", b"/a/b/"),
        (b"/a;v=1/b,c/$x@y:z", b"/a;v=1/b,c/$x@y:z"),
        (b"/%41%7e%2D%5f%2e", b"/A~-_."),
        (b"/%3a%40%3B%2c%21", b"/:@;,!"),
        (b"/%c3%a9%20%25%3f%23", b"/%C3%A9%20%25%3F%23"),
        (b'/a"<>^`{|}', b"/a%22%3C%3E%5E%60%7B%7C%7D"),
        (b"//a///b//", b"/a/b/"),
        (b"///", b"/"),
        (b"/a/./b", b"/a/b"),
        (b"/a/b/..", b"/a/"),
        (b"/a/b/.", b"/a/b/"),
        (b"/a/../b", b"/b"),
        (b"/a/%2e%2E/b", b"/b"),
        (b"/a//../b", b"/b"),
        (b"/.hidden/..x/x..", b"/.hidden/..x/x.."),
        (b"/...", b"/..."),
        (b"/%252e%252e/%2541", b"/%252e%252e/%2541"),
    ],
)
def test_each_path_has_this_one_form(path: bytes, canonical: bytes) -> None:
    assert canonical_path(path) == canonical


_segments = st.lists(
    st.sampled_from([*"aB0-._~!$&'()*+,;=:@|\"<>^`{}", "%41", "%2e", "%2E", "%3a", "%C3%a9", "%25", "%7c"]),
    max_size=4,
).map("".join)
_paths = st.lists(_segments, min_size=1, max_size=5).map(lambda parts: ("/" + "/".join(parts)).encode())


def _canonical(path: bytes) -> bytes | None:
    try:
        return canonical_path(path)
    except BadPath:
        return None


@given(_paths)
def test_the_canonical_form_is_its_own_canonical_form(path: bytes) -> None:
    canonical = _canonical(path)
    assert canonical is None or canonical_path(canonical) == canonical


@given(_paths, _paths)
def test_paths_an_origin_reads_alike_have_one_form(first: bytes, second: bytes) -> None:
    forms = _canonical(first), _canonical(second)
    if None not in forms and unquote_to_bytes(forms[0] or b"") == unquote_to_bytes(forms[1] or b""):
        assert forms[0] == forms[1]


@given(st.binary(max_size=30))
def test_any_bytes_are_refused_or_become_plain_ascii(noise: bytes) -> None:
    canonical = _canonical(b"/" + noise)
    if canonical is not None:
        assert canonical.startswith(b"/")
        assert all(0x20 < byte < 0x7F for byte in canonical)
        assert b"//" not in canonical
        assert not {b".", b".."} & set(canonical.split(b"/"))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a/",
        "/a//b",
        "/a{x}/",
        "/{X}/",
        "/{}/",
        "/{rest...}/a",
        "/{a}{b}/",
        "/%41/",
        "/%3a/",
        "/../a",
        "/./a",
        "/a%2fb/",
        "/a\\b",
    ],
)
def test_a_template_that_could_never_match_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        parse_template(path)


def _route(path: str, *methods: str) -> Route:
    return Route(path, "g", path, methods or ("GET",), Stage.MONOLITH)


def _found(paths: list[str], path: str, method: str = "GET") -> str | None:
    route = Matcher([_route(each) for each in paths]).find(method.encode(), path.encode())
    return route and route.name


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/a/", "/a/"),
        ("/a/b/", "/a/b/"),
        ("/a/c/", "/a/{x}/"),
        ("/a/b/c/", "/a/b/{rest...}"),
        ("/a/b/d/", "/a/b/{rest...}"),
        ("/a/x/c/", "/a/{x}/c/"),
        ("/a/x/y/z", "/a/{rest...}"),
        ("/a/{x}/", "/a/{x}/"),
        ("/a", None),
        ("/a/b", "/a/{rest...}"),
        ("/b/", None),
        ("/", None),
    ],
)
def test_the_most_specific_route_wins_in_any_order(path: str, wanted: str | None) -> None:
    paths = ["/a/", "/a/{x}/", "/a/b/", "/a/{x}/c/", "/a/b/{rest...}", "/a/{rest...}"]
    assert _found(paths, path) == wanted
    assert _found(paths[::-1], path) == wanted


def test_a_literal_that_leads_nowhere_gives_way_to_a_parameter() -> None:
    paths = ["/a/b/c/d/", "/a/{x}/c/e/", "/{w}/b/c/f/"]
    assert _found(paths, "/a/b/c/e/") == "/a/{x}/c/e/"
    assert _found(paths, "/a/b/c/f/") == "/{w}/b/c/f/"
    assert _found(paths, "/a/b/c/g/") is None


def test_a_method_decides_between_routes_of_one_path() -> None:
    matcher = Matcher([_route("/a/b/"), _route("/a/{x}/", "POST"), _route("/a/{rest...}", "PUT")])
    found = {method: matcher.find(method, b"/a/b/") for method in (b"GET", b"POST", b"PUT", b"DELETE")}
    names = {method: route and route.name for method, route in found.items()}
    assert names == {b"GET": "/a/b/", b"POST": "/a/{x}/", b"PUT": "/a/{rest...}", b"DELETE": None}


def test_a_parameter_is_one_segment_that_is_not_empty() -> None:
    assert _found(["/a/{x}/"], "/a/b/") == "/a/{x}/"
    for path in ("/a//", "/a/", "/a/b", "/a/b/c/"):
        assert _found(["/a/{x}/"], path) is None


def test_a_rest_takes_the_remainder_even_an_empty_one() -> None:
    for path in ("/a/", "/a/b", "/a/b/c/"):
        assert _found(["/a/{rest...}"], path) == "/a/{rest...}"
    assert _found(["/a/{rest...}"], "/a") is None


def test_a_template_outside_ascii_matches_the_canonical_path() -> None:
    assert _found(["/caf\u00e9/{x}/"], canonical_path(b"/caf%c3%a9/1/").decode()) == "/caf\u00e9/{x}/"


def test_five_thousand_routes_are_told_apart() -> None:
    shapes = ("/r{n}/", "/r{n}/{{id}}/", "/s/{{id}}/r{n}/", "/t/r{n}/{{rest...}}", "/r{n}/x/y/")
    paths = [shape.format(n=number) for number in range(1000) for shape in shapes]
    matcher = Matcher([_route(path) for path in paths])
    for path in paths:
        asked = path.replace("{id}", "7").replace("{rest...}", "7/8")
        route = matcher.find(b"GET", asked.encode())
        assert route is not None
        assert route.name == path


@given(st.text(alphabet="/.%~a0Z-_:@!'\\ \x7f;?&", max_size=12))
def test_a_path_is_plain_exactly_where_resolving_it_changes_nothing(text: str) -> None:
    path = ("/" + text).encode()
    settled = re.fullmatch(rb"[/A-Za-z0-9._~!$&'()*+,;=:@-]*", path) is not None
    assert is_plain(path) is (settled and b"//" not in path and b"/." not in path)
