"""A client's trace goes on; nothing that is not well-formed does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.trace import accepted_state, begun, continued, trace_id, with_span

TRACE, SPAN = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
GIVEN = b"00-" + TRACE + b"-" + SPAN + b"-00"


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"00",
        b"ff" + GIVEN[2:],
        GIVEN.upper(),
        GIVEN + b"-more",
        GIVEN + b" ",
        GIVEN + b"\n",
        b" " + GIVEN,
        GIVEN + b"," + GIVEN,
        GIVEN[:-1],
        GIVEN.replace(TRACE, b"0" * 32),
        GIVEN.replace(SPAN, b"0" * 16),
        GIVEN.replace(b"-", b"_"),
        b"01-" + TRACE + b"-" + SPAN + b"-00more",
    ],
)
def test_a_traceparent_that_is_not_well_formed_is_not_continued(bad: bytes) -> None:
    assert continued(bad) == b""


@pytest.mark.parametrize("flags", [b"00", b"01", b"fe"])
def test_a_well_formed_traceparent_goes_on_as_it_came(flags: bytes) -> None:
    assert continued(GIVEN[:-2] + flags) == GIVEN[:-2] + flags


def test_a_later_version_goes_on_as_version_00() -> None:
    assert continued(b"cc-" + TRACE + b"-" + SPAN + b"-ff-what-comes") == GIVEN[:-2] + b"01"


def test_a_state_too_long_to_be_owed_is_dropped_whole() -> None:
    assert accepted_state(b"a" * 512) == b"a" * 512
    assert accepted_state(b"a" * 513) == b""


@given(st.integers(0, 2**64 - 1))
def test_a_trace_that_begins_is_one_that_goes_on(bits: int) -> None:
    made = begun(b"0" * 16, bits)
    assert continued(made) == made
    assert made.endswith(b"-01")
    assert trace_id(made) == b"0" * 16 + b"%016x" % (bits or 1)


def test_another_span_stays_in_the_same_trace() -> None:
    head = (
        b"GET / HTTP/1.1\r\nX-A: traceparent: 00-x\r\ntraceparent: " + GIVEN + b"\r\ntracestate: a=1\r\n\r\n"
    )
    found = re.findall(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-00", with_span(head, 0xABC))
    assert found == [(TRACE, b"0000000000000abc")]
    assert with_span(head, int(SPAN, 16)) == head


def test_a_head_without_a_trace_stays_as_it_is() -> None:
    assert with_span(b"GET / HTTP/1.1\r\n\r\n", 1) == b"GET / HTTP/1.1\r\n\r\n"
