"""A line says how a request was decided and what it cost, and never what the client wrote."""

import json

import pytest

from proxy.access_line import CLIENT_LEFT, Entry, line_of
from proxy.errors import ForwardError
from proxy.routes import Route, Stage

ROUTE = Route("catalog.product", "catalog", "/api/products/{id}/", ("GET",), Stage.CANARY, percent=10.0)
TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"


def _entry(path: bytes = b"", **changes: object) -> Entry:
    entry = Entry(b"an-id", "10.1.2.3", 200, 216, "proxy", 100.0, 100.5)
    entry.version = "0123456789ab"
    entry.method, entry.path, entry.traceparent = b"GET", path, b"00-" + TRACE + b"-00f067aa0ba902b7-01"
    for name, value in changes.items():
        setattr(entry, name, value)
    return entry


def _written(entry: Entry) -> dict[str, object]:
    line: dict[str, object] = json.loads(line_of(entry, 1_800_000_000.0))
    return line


def test_a_moved_request_is_told_whole() -> None:
    moments = {"connected": 100.1, "first_byte": 100.3}
    assert _written(_entry(route=ROUTE, target="catalog", bucket=42, **moments)) == {
        "time": "2027-01-15T08:01:40.000000Z",
        "request_id": "an-id",
        "client": "10.1.2.3",
        "status": 200,
        "bytes": 216,
        "total_us": 500_000,
        "target": "catalog",
        "trace_id": TRACE.decode(),
        "method": "GET",
        "path": "/api/products/{id}/",
        "route": "catalog.product",
        "stage": "canary",
        "bucket": 42,
        "version": "0123456789ab",
        "connect_us": 99_999,
        "first_byte_us": 299_999,
    }


def test_a_path_without_a_route_is_told_by_its_template() -> None:
    line = _written(_entry(b"/reset/4711/", target="monolith"))
    assert (line["path"], line.get("route"), line["target"]) == ("/reset/{id}/", None, "monolith")


@pytest.mark.parametrize("error", ForwardError)
def test_every_error_is_told_by_its_id(error: ForwardError) -> None:
    assert _written(_entry(error=error.id, status=error.status))["error"] == error.id


def test_a_fallback_is_told_with_its_reason() -> None:
    assert _written(_entry(route=ROUTE, target="monolith", fallback="refused"))["fallback"] == "refused"


def test_a_client_that_left_is_told_apart_from_errors() -> None:
    assert _written(_entry(error=CLIENT_LEFT, status=0))["error"] == "client_left"


def test_a_refused_head_leaves_a_line_without_a_path() -> None:
    line = _written(_entry(method=b"", error=ForwardError.BAD_REQUEST.id, status=400))
    assert {"path", "method", "trace_id", "route"}.isdisjoint(line)
    assert line["error"] == "bad_request"
