import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.takeover.values import Unfit, canonical, converter

REFUSED = [
    ("boolean", 2),
    ("boolean", "true"),
    ("boolean", 1.0),
    ("integer", "many"),
    ("integer", 2**31),
    ("smallint", -(2**15) - 1),
    ("bigint", 1.5),
    ("numeric(10,2)", "12.00"),
    ("double precision", 2**53 + 1),
    ("character varying(5)", b"bytes"),
    ("text", "a\x00b"),
    ("bytea", "text"),
    ("jsonb", "{not json"),
    ("uuid", "not a uuid"),
    ("date", "2024-02-30"),
    ("timestamp with time zone", "yesterday"),
    ("timestamp without time zone", "2024-01-01 00:00:00+00:00"),
]


@pytest.mark.parametrize(("declared", "value"), REFUSED)
def test_a_value_that_does_not_fit_is_refused_and_not_changed(declared, value):
    with pytest.raises(Unfit):
        converter(declared)(value)


def test_a_type_nobody_taught_us_has_no_converter():
    assert converter("tsvector") is None


@pytest.mark.parametrize(
    ("declared", "value", "converted"),
    [
        ("boolean", 1, True),
        ("numeric(10,2)", 19.99, Decimal("19.99")),
        ("numeric(10,2)", 20, Decimal(20)),
        ("double precision", 3, 3.0),
        ("character varying(200)", "Grüße", "Grüße"),
        ("jsonb", '{"a": 1}', '{"a": 1}'),
        ("uuid", "0" * 31 + "1", UUID(int=1)),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("timestamp with time zone", "2024-01-01 10:00:00.5", datetime(2024, 1, 1, 10, 0, 0, 500000, UTC)),
    ],
)
def test_djangos_forms_on_sqlite_become_typed_values(declared, value, converted):
    assert converter(declared)(value) == converted


@given(st.decimals(min_value=0, max_value=99_999_999, places=2))
def test_a_decimal_kept_as_a_double_comes_back_exactly(price):
    assert converter("numeric(10,2)")(float(price)) == price


def test_equal_values_have_one_canonical_form():
    assert canonical(Decimal("1.50"), "numeric(10,2)") == canonical(Decimal("1.5"), "numeric(10,2)")
    assert canonical(Decimal("0.00"), "numeric(10,2)") == canonical(Decimal("-0"), "numeric(10,2)")
    assert canonical('{"b": 1e2, "a": [1.0]}', "jsonb") == canonical('{"a": [1], "b": 100}', "jsonb")


@pytest.mark.parametrize(("one", "other"), [(1, "1"), (1, True), (None, ""), ([1, 2], [2, 1]), ({}, [])])
def test_different_json_values_have_different_forms(one, other):
    assert repr(canonical(json.dumps(one), "jsonb")) != repr(canonical(json.dumps(other), "jsonb"))
