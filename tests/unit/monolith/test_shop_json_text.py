"""JSON values hold only text that every database can store."""

import pytest
from django.core.exceptions import ValidationError as NotClean
from rest_framework.exceptions import ValidationError as NotValid
from shop.catalog.serializers import refuse_unstorable_text


@pytest.mark.parametrize("value", ["a\x00", ["a", ["\x00"]], {"a": {"b": "\x00"}}, {"\x00": 1}])
def test_null_characters_are_refused_however_deep(value):
    with pytest.raises(NotClean, match="Null characters"):
        refuse_unstorable_text(value)


@pytest.mark.parametrize("value", ["\ud800", ["\udfff"], {"a": ["\ud83d"]}])
def test_half_characters_are_refused_however_deep(value):
    with pytest.raises((NotClean, NotValid), match="Surrogate characters"):
        refuse_unstorable_text(value)


def test_a_written_out_escape_is_ordinary_text():
    refuse_unstorable_text({"a": ["\\u0000", "\\ud800", "😀", 0, None, ""]})
