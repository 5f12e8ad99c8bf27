"""The pure parts of the chassis against the library each one stands in for."""

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import NotAcceptable
from rest_framework.filters import search_smart_split
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from extracted.chassis.conditional import Outcome, etag_of, evaluate
from extracted.chassis.filters import ordering, search_terms
from extracted.chassis.media import accepted_json, indent_of, is_json_body
from extracted.chassis.pages import page_of
from extracted.chassis.query import QueryParams
from extracted.chassis.rendering import render_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: (
        st.lists(children) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), children)
    ),
    max_leaves=8,
)
MEDIA = st.lists(
    st.sampled_from(
        [
            "*/*",
            "application/json",
            "application/*",
            "text/html",
            "x",
            "",
            "application/json; indent=4",
            "application/json;q=0",
            "*/*; indent=20",
            "application/json; indent=-1",
        ]
    ),
    min_size=1,
).map(",".join)


@given(JSON)
def test_json_is_written_as_rest_framework_writes_it(value):
    assert render_json(value) == (JSONRenderer().render(value) if value is not None else b"null")


@given(st.binary(max_size=30))
def test_a_query_string_is_read_as_django_reads_it(raw):
    ours, theirs = QueryParams.parse(raw), QueryDict(raw)
    assert {name: ours.get(name) for name in theirs} == theirs.dict()


@given(MEDIA)
def test_an_accept_header_is_weighed_as_rest_framework_weighs_it(accept):
    request = Request(RequestFactory().get("/", headers={"Accept": accept}))
    media = accepted_json(accept)
    try:
        _, chosen = DefaultContentNegotiation().select_renderer(request, [JSONRenderer()])
    except NotAcceptable:
        assert media is None
    else:
        assert media is not None
        # Among equals REST framework's own choice is a set's.
        if accept.count("indent") < 2 and accept.count("*/*") < 2:
            assert indent_of(media) == JSONRenderer().get_indent(chosen, {})


@pytest.mark.parametrize(
    ("content_type", "readable"),
    [
        ("application/json", True),
        ("application/json; charset=x", True),
        ("text/plain", False),
        ("", False),
        ("application/json" + " " * 300, False),
    ],
)
def test_only_json_bodies_are_read(content_type, readable):
    assert is_json_body(content_type) is readable


@given(st.text(st.sampled_from("ab ,\"'\\é"), max_size=12))
def test_a_search_is_split_as_rest_framework_splits_it(text):
    assert search_terms(QueryParams({"search": text})) == search_smart_split(text)


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("", ("-made", "id")),
        ("price", ("price", "id")),
        ("-price,x", ("-price", "id")),
        ("x", ("-made", "id")),
        ("id", ("-made", "id")),
        ("--price", ("-made", "id")),
    ],
)
def test_every_order_ends_in_the_id(asked, order):
    assert ordering(QueryParams({"ordering": asked}), ("price",), ("-made",)) == order


def test_an_empty_list_has_one_page():
    page = page_of(QueryParams({"page": "last"}), 0)
    assert (page.number, page.last, page.offset) == (1, 1, 0)


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, Outcome.ANSWER),
        ({"If-None-Match": '"x"'}, Outcome.ANSWER),
        ({"If-None-Match": "*"}, Outcome.NOT_MODIFIED),
        ({"If-Match": '"x"'}, Outcome.PRECONDITION_FAILED),
        ({"If-Unmodified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"}, Outcome.PRECONDITION_FAILED),
        ({"If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT"}, Outcome.ANSWER),
    ],
)
def test_a_condition_decides_what_is_sent(headers, outcome):
    assert evaluate(headers, etag_of(b"body")) is outcome


def test_an_empty_body_has_no_tag_and_no_conditions():
    assert etag_of(b"") is None
    assert evaluate({"If-Match": '"x"'}, None) is Outcome.ANSWER
