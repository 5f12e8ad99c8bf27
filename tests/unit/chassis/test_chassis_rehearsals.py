"""The parts of a rehearsal that touch nothing: marks, and effects in words."""

import base64
import hashlib
import hmac
import json
import zlib
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from extracted.chassis.rehearsals.effects import (
    Call,
    Effects,
    Mail,
    Op,
    RowChange,
    Told,
    Untold,
    in_words,
    scalar,
)
from extracted.chassis.rehearsals.mark import is_believed, read_key

KEY = b"a-key-of-sixteen"
TARGET = b"/__strangler__/rehearse/api/products/?a=%C3%A9"


def mark(until: int, words: bytes = b"rehearse\nPOST\n" + TARGET) -> str:
    return f"{until}." + hmac.new(KEY, words + f"\n{until}".encode(), hashlib.sha256).hexdigest()


def unpacked(words: str) -> dict[str, object]:
    version, _, packed = words.partition(";")
    assert version == "v1"
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))


@pytest.mark.parametrize(
    "text", ["short", "with a space between", "a\ttab-and-more-of-it", "ümlaut-and-more-of-it"]
)
def test_a_malformed_key_is_refused(text):
    with pytest.raises(ValueError, match="at least 16 visible ASCII"):
        read_key(text)


def test_no_key_is_none():
    assert read_key("") is None
    assert read_key("a-key-of-sixteen") == KEY


@pytest.mark.parametrize(
    ("given", "now"),
    [
        (mark(1030), 1030.5),
        (mark(1030, b"record\nPOST\n" + TARGET), 1000.0),
        (mark(1030, b"rehearse\nPUT\n" + TARGET), 1000.0),
        (mark(1030).replace("1030.", "1031."), 1000.0),
        (mark(1030).upper(), 1000.0),
        (mark(1030) + "\n", 1000.0),
        (mark(9030), 1000.0),
        ("1030.", 1000.0),
    ],
)
def test_a_mark_that_proves_something_else_is_not_believed(given, now):
    assert not is_believed(given, KEY, "POST", TARGET, now)


def test_a_mark_is_believed_until_its_second():
    assert is_believed(mark(1030), KEY, "POST", TARGET, 1030.0)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Decimal("10.50"), "10.50"),
        (Decimal("1E+3"), "1000"),
        (0.1, "0.1"),
        (True, True),
        (None, None),
        (datetime(2026, 11, 26, tzinfo=UTC), "2026-11-26T00:00:00.000000Z"),
        (datetime(2026, 11, 26, 1, tzinfo=timezone(timedelta(hours=1))), "2026-11-26T00:00:00.000000Z"),
        (date(2026, 11, 26), "2026-11-26"),
        (b"\x00\xff", "base64:AP8="),
        ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_value_has_one_form(value, told):
    assert scalar(value) == told


def test_rows_are_in_the_order_of_tables_and_keys():
    rows = [RowChange(table, Op.DELETE, {"id": key}, None) for table, key in [("b", 10), ("b", 9), ("a", 1)]]
    told = unpacked(in_words(Effects(rows)))
    assert [(row["table"], row["key"]["id"]) for row in told["rows"]] == [("a", 1), ("b", 9), ("b", 10)]


def test_what_was_not_sent_is_told():
    told = unpacked(
        in_words(
            Effects(
                events=[Told("t", {"a": 1})],
                calls=[Call("POST", "http://peer/x")],
                mails=[Mail(["a@b"], "s")],
                copied="1:2:",
            )
        )
    )
    assert told == {
        "rows": [],
        "events": [{"topic": "t", "payload": {"a": 1}}],
        "calls": [{"method": "POST", "url": "http://peer/x"}],
        "mails": [{"to": ["a@b"], "subject": "s"}],
        "copied": "1:2:",
    }


def test_too_much_is_said_to_be_too_much():
    noise = "".join(f"{number * 7919 % 10_007:x}" for number in range(20_000))
    row = RowChange("a", Op.INSERT, {"id": 1}, {"id": 1, "text": noise})
    assert in_words(Effects([row])) == "none;reason=too_large"
    assert in_words(Untold.BUSY) == "none;reason=busy"
