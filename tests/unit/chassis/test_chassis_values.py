"""The service's fields against REST framework's own: the same values accepted, the same words said."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from extracted.chassis.errors import ValidationError
from extracted.chassis.fields import Field
from extracted.chassis.form import accept
from extracted.chassis.values import Boolean, Char, Day, Exact, JsonValue, Slug, Whole

TWINS: dict[str, tuple[Field, serializers.Field]] = {
    "text": (Char(max_length=5), serializers.CharField(max_length=5)),
    "blank text": (Char(blank=True, nullable=True), serializers.CharField(allow_blank=True, allow_null=True)),
    "slug": (Slug(max_length=6), serializers.SlugField(max_length=6)),
    "whole": (Whole(min_value=-3, max_value=9), serializers.IntegerField(min_value=-3, max_value=9)),
    "exact": (
        Exact(digits=6, places=2, min_value=Decimal("0.01")),
        serializers.DecimalField(max_digits=6, decimal_places=2, min_value=Decimal("0.01")),
    ),
    "no number": (
        Exact(digits=6, places=6, nullable=True),
        serializers.DecimalField(max_digits=6, decimal_places=6, allow_null=True),
    ),
    "boolean": (Boolean(), serializers.BooleanField()),
    "day": (Day(nullable=True), serializers.DateField(allow_null=True)),
    "json": (JsonValue(), serializers.JSONField()),
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=7).filter(json.dumps),
    lambda children: (
        st.lists(children, max_size=2) | st.dictionaries(st.text(max_size=2), children, max_size=2)
    ),
    max_leaves=3,
) | st.sampled_from(
    [
        "",
        " ",
        "on",
        "OFF",
        "1.0",
        "1.00 ",
        "-0",
        "0.005",
        "1e2",
        "0e5",
        "2024-1-2",
        "2024-01-02",
        "20240102",
        "\u0661",
        "1" * 1001,
    ]
)


class NoRows:
    def taken(self, name: str, value: str) -> bool:
        return False

    def exists(self, name: str, key: int) -> bool:
        return False


def ours(kind: Field, body: dict[str, Any]) -> Any:
    try:
        return accept({"f": kind}, body, NoRows(), partial=False)
    except ValidationError as refusal:
        return refusal.body


def theirs(kind: serializers.Field, body: dict[str, Any]) -> Any:
    form = type("Form", (serializers.Serializer,), {"f": kind})(data=body)
    return form.validated_data if form.is_valid() else json.loads(json.dumps(form.errors))


def storable(value: Any) -> bool:
    """Our JSON fields refuse what PostgreSQL cannot store; REST framework's do not ask."""
    text = json.dumps(value)
    return "\\u0000" not in text and "\\ud" not in text


@pytest.mark.parametrize("twin", TWINS)
@given(value=VALUES.filter(storable))
def test_a_field_says_what_rest_framework_says(twin, value):
    kind, reference = TWINS[twin]
    assert ours(kind, {"f": value}) == theirs(reference, {"f": value})


@pytest.mark.parametrize("twin", TWINS)
def test_a_field_that_is_not_given_is_missed_in_the_same_words(twin):
    kind, reference = TWINS[twin]
    assert ours(kind, {}) == theirs(reference, {})


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_refused_in_the_same_words(body):
    kind, reference = TWINS["text"]
    assert ours(kind, body) == theirs(reference, body)


@pytest.mark.parametrize("value", ["a\x00", "\ud800", {"a": ["\x00"]}, {"\x00": 1}])
def test_json_that_postgresql_cannot_store_is_refused(value):
    with pytest.raises(ValidationError):
        accept({"f": JsonValue()}, {"f": value}, NoRows(), partial=False)
