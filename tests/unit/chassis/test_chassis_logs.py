import pytest

from extracted.chassis.logs import request_id, trace_id

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("given", [None, "", "a b", "line\nbreak", "x" * 129])
def test_an_id_that_could_spoil_the_log_is_replaced(given):
    assert request_id(given) != given
    assert len(request_id(given)) == 32


def test_a_plain_request_id_is_kept():
    assert request_id("01J-abc.7:8") == "01J-abc.7:8"


NO_TRACES = [None, "", "00-short-01", f"00-{'0' * 32}-{'1' * 16}-01", f"00-{TRACE.upper()}-{'1' * 16}-01"]


@pytest.mark.parametrize("given", NO_TRACES)
def test_what_is_no_traceparent_names_no_trace(given):
    assert trace_id(given) is None


def test_a_traceparent_names_its_trace():
    assert trace_id(f"00-{TRACE}-00f067aa0ba902b7-01") == TRACE
