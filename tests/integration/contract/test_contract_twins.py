"""Whatever is asked, both sides answer the same bytes, status and headers."""

import itertools
import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.contract.world import Answer, Question, World

LISTS = ("/api/categories/", "/api/products/", "/api/reviews/")
ITEMS = [
    f"{path}{key}/"
    for path in LISTS
    for key in (1, 2, 6, 46, 999999, "abc", "1_0", "%201", "-1", 2**63, "9" * 30)
]


def alike(world: World, question: Question) -> Answer:
    """Assert that both sides answer the same; return the answer."""
    monolith, catalog = world.both(question)
    if catalog != monolith:
        pytest.fail(f"{question}\nmonolith: {monolith}\ncatalog:  {catalog}", pytrace=False)
    return monolith


def test_every_item_and_every_missing_one_is_the_same(world):
    for path in ITEMS:
        alike(world, Question("GET", path))


def test_every_page_of_every_list_is_the_same(world):
    for path, page in itertools.product(
        LISTS, ("", "1", "2", "3", "last", "0", "-1", "99", "x", "1.0", " 2", "\uff12")
    ):
        alike(world, Question("GET", f"{path}?page={quote(page)}"))


def test_every_page_size_is_the_same(world):
    for path, size in itertools.product(LISTS, ("", "1", "7", "100", "101", "0", "-5", "x", "1e1")):
        alike(world, Question("GET", f"{path}?page_size={size}&page=2&a=ü&b=%C3%BC&b=2&=x&plus=a+b&%zz"))


FILTERS = {
    "/api/categories/": {"parent": ("1", "2", "99999", "x", "", "%00", " 1 ", "1.0", "9" * 30)},
    "/api/products/": {
        "category": ("leaf-1", " leaf-1 ", "nothing", "", "%00", "leaf-1%00"),
        "price_min": (
            "10",
            "19.99",
            "19.990",
            "x",
            "",
            "NaN",
            "-1",
            "1e2",
            "1e60",
            "123456789",
            "12345678.999",
        ),
        "price_max": ("20", "0.01", "Infinity", " 20 ", "2_0", "0.00000001", "0e9", "0e99"),
        "rating_min": ("0.4", "5", "10", "0.005", "-0"),
        "released_after": (
            "2023-06-01",
            "06/01/2023",
            "June 1, 2023",
            "1 Jun 2023",
            "2023-13-01",
            "x",
            " ",
            "%00",
        ),
    },
    "/api/reviews/": {
        "product": ("1", "24", "99999", "x", "", "1%00"),
        "rating": ("1", "5", "4.0", "4.5", "1000", "x", "", "-3", "1e1"),
    },
}


def test_every_filter_good_or_bad_is_the_same(world):
    for path, filters in FILTERS.items():
        for name, values in filters.items():
            for value in values:
                alike(world, Question("GET", f"{path}?{name}={value.replace(' ', '%20')}"))


def test_all_wrong_filters_are_told_together_and_the_same(world):
    for path, filters in FILTERS.items():
        alike(world, Question("GET", path + "?" + "&".join(f"{name}=x" for name in filters)))


SEARCHES = (
    "product",
    "ÉCLAIR",
    "éclair",
    "100 %",
    "_",
    "%",
    "\\",
    '"thing 1"',
    '"',
    "'",
    "a,b",
    ",",
    "ü",
    "SKU-00 4",
    "thing,4",
    '"with 50%"',
    "'say \"",
    "日本",
    "\u2028",
    "",
    " ",
    '"a\\"b"',
    'x"y z"',
)


def test_every_search_is_the_same(world):
    for path, term in itertools.product(LISTS, SEARCHES):
        alike(world, Question("GET", f"{path}?{urlencode({'search': term})}"))
        alike(world, Question("GET", f"{path}?search=%00{quote(term)}"))


def test_every_ordering_is_the_same(world):
    orders = (
        "price",
        "-price",
        "name",
        "-name",
        "created_at",
        "-created_at",
        "rating",
        "-rating",
        "id",
        "-id",
        "x",
        "",
        "price,-name",
        " -price , name",
        "--price",
        "-",
        "x,price",
        "price,price",
    )
    for path, order in itertools.product(LISTS, orders):
        alike(world, Question("GET", f"{path}?{urlencode({'ordering': order, 'page_size': 100})}"))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST", "TRACE", "QUERY"])
def test_every_method_by_nobody_is_the_same(world, method):
    for path in (*LISTS, "/api/products/1/", "/api/reviews/1/", "/api/categories/999/", "/api/products/abc/"):
        alike(world, Question(method, path))


@pytest.mark.parametrize("who", ["staff", "ada"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "TRACE"])
def test_every_refused_method_by_somebody_is_the_same(world, who, method):
    for path in ("/api/products/abc/", "/api/categories/99999/", "/api/reviews/99999/"):
        alike(world, Question(method, path, who))
    if method in {"PUT", "PATCH", "DELETE", "TRACE"}:
        for path in LISTS:
            alike(world, Question(method, path, who))


ACCEPTS = (
    "*/*",
    "application/json",
    "application/*",
    "text/html",
    "text/html, */*;q=0.1",
    "application/json;q=0",
    "application/json; indent=4",
    "application/json; indent=99",
    "application/json; indent=x",
    "",
    ",",
    "x",
    "*/*; indent=2",
    "application/json; charset=utf-8",
    "text/*, application/xml;q=0.9",
)


def test_every_accept_header_is_the_same(world):
    for accept, path in itertools.product(
        ACCEPTS, ("/api/products/1/", "/api/products/?page=9", "/api/reviews/1/")
    ):
        alike(world, Question("GET", path, headers=(("Accept", accept),)))


@pytest.mark.parametrize("wanted", ["json", "api", "xml", "", "JSON"])
def test_every_format_parameter_is_the_same(world, wanted):
    alike(world, Question("GET", f"/api/categories/?format={wanted}"))


def test_every_missing_slash_is_the_same(world):
    for method, path in itertools.product(
        ("GET", "POST", "HEAD", "DELETE"),
        (
            "/api/products",
            "/api/products?page=2&q=ü%20x",
            "/api/products/1",
            "/api/reviews/a%20b;c",
            "/api/products/ü",
        ),
    ):
        alike(world, Question(method, path))


NOWHERE = (
    "/api/products/1.5/",
    "/api/products/1.5",
    "/api/products/1/x/",
    "/api/products//",
    "//api/products/",
)


def test_a_path_nobody_answers_is_missing_on_both_sides(world):
    # The page itself is each side's own: the shop's shows who is signed in.
    for path in NOWHERE:
        monolith, catalog = world.both(Question("GET", path))
        assert catalog.status == monolith.status == 404
        assert catalog.headers.keys() == monolith.headers.keys()
        assert catalog.headers["content-type"] == monolith.headers["content-type"]


def test_what_options_tells_staff_is_the_same(world):
    for path in (*LISTS, "/api/products/1/", "/api/products/6/", "/api/categories/1/", "/api/reviews/999/"):
        monolith, catalog = world.both(Question("OPTIONS", path, "staff"))
        assert json.loads(catalog.body) == without_engine_limit(json.loads(monolith.body)), path


def without_engine_limit(metadata: dict) -> dict:
    """On SQLite the monolith names SQLite's own limit for an image's position; the service PostgreSQL's."""
    text = json.dumps(metadata).replace(str(2**63 - 1), str(2**31 - 1))
    return json.loads(text)


@pytest.mark.parametrize("name", ["If-None-Match", "If-Match", "If-Unmodified-Since", "If-Modified-Since"])
def test_every_conditional_request_is_the_same(world, name):
    etag = alike(world, Question("GET", "/api/products/1/")).headers["etag"]
    values = (etag, f"W/{etag}", f'"x", {etag}', "*", '"x"', "x", "", "Wed, 21 Oct 2015 07:28:00 GMT")
    for value, path, method in itertools.product(
        values, ("/api/products/1/", "/api/products/99999/"), ("GET", "HEAD")
    ):
        alike(world, Question(method, path, headers=((name, value),)))


def test_links_name_the_scheme_and_host_the_client_used(world):
    for headers in (
        (("X-Forwarded-Proto", "https"),),
        (("X-Forwarded-Proto", "http"),),
        (("Host", "localhost:80"),),
        (("Host", "localhost:8000"), ("X-Forwarded-Proto", "https")),
        (("Host", "127.0.0.1"), ("X-Forwarded-Host", "evil.example")),
    ):
        alike(world, Question("GET", "/api/products/?page=2", headers=headers))


BODIES = (
    b"",
    b"{",
    b"[1",
    b"\xff",
    b'{"a": NaN}',
    b"null",
    b"[]",
    b'"x"',
    b"5",
    b"\xef\xbb\xbf{}",
    b'{"a":1}\xc3',
    b"{}{}",
    b"\x00",
    b'{"a": 1e999}',
    b"9" * 5000,
)
TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "text/plain",
    "application/x-www-form-urlencoded",
    "",
    "application/json; charset=base64",
    "application/*",
)


def test_every_unreadable_body_is_refused_the_same(world):
    for body, kind in itertools.product(BODIES, TYPES):
        for method, path in (
            ("POST", "/api/products/"),
            ("PUT", "/api/categories/1/"),
        ):
            alike(world, Question(method, path, "staff", data=body, headers=(("Content-Type", kind),)))


def test_a_body_beyond_djangos_limit_is_refused_the_same(world):
    big = b'{"name": "' + b"x" * 2_621_440 + b'"}'
    alike(
        world,
        Question(
            "POST", "/api/categories/", "staff", data=big, headers=(("Content-Type", "application/json"),)
        ),
    )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=2) | st.dictionaries(st.text(max_size=3), children, max_size=2)
    ),
    max_leaves=4,
)
LIKELY = st.sampled_from(
    [
        "",
        " ",
        "x" * 130,
        "x" * 201,
        "a b",
        "product-1",
        "leaf-1",
        "SKU-001",
        "1",
        "1.0",
        "-1",
        "0.00",
        "0.011",
        "1e3",
        "123456789.00",
        "99999999999",
        "NaN",
        "Infinity",
        "2024-02-30",
        "2024-2-9",
        "20240209",
        "2024-02-09T00:00",
        "true",
        "maybe",
        "\x00",
        "a\x00",
        "\ud800",
        0,
        1,
        6,
        2**31,
        2**63,
        1.5,
        True,
        False,
        None,
        [],
        {},
        [1],
        {"a": 1},
        1e20,
    ]
)
FIELDS = {
    "/api/categories/": ("name", "slug", "parent", "position"),
    "/api/products/": (
        "sku",
        "name",
        "slug",
        "description",
        "category_id",
        "price",
        "currency",
        "weight_kg",
        "attributes",
        "is_active",
        "released_on",
    ),
    "/api/reviews/": ("product", "rating", "title", "body"),
}


def refused_by_both(world: World, path: str, body: dict) -> None:
    """Assert that a body with a field nobody can accept gets the same errors on both sides."""
    # One field is always wrong, so that nothing is ever written and both shops stay the same.
    spoiler = {"/api/categories/": "name", "/api/products/": "name", "/api/reviews/": "title"}[path]
    alike(world, Question("POST", path, "staff", json={**body, spoiler: []}))


@pytest.mark.parametrize("path", LISTS)
def test_every_field_refuses_every_likely_value_the_same(world, path):
    for name, value in itertools.product(FIELDS[path], LIKELY.elements):
        refused_by_both(world, path, {name: value})


@pytest.mark.parametrize("path", LISTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_invented_body_is_refused_the_same(world, path, data):
    body = data.draw(st.dictionaries(st.sampled_from(FIELDS[path]), LIKELY | JSON_VALUES))
    refused_by_both(world, path, body)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_invented_query_is_answered_the_same(world, data):
    path = data.draw(st.sampled_from(LISTS))
    names = [*FILTERS[path], "search", "ordering", "page", "page_size", "format", "x"]
    text = st.text(max_size=6) | st.sampled_from(["1", "2", "20", "-price", "leaf-1", "product"])
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(names), text), max_size=4))
    alike(world, Question("GET", f"{path}?{urlencode(pairs, errors='surrogatepass')}"))
