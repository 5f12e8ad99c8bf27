"""What live traffic asked becomes a corpus: each request once, bounded, nothing that could be a write."""

import pytest

from strangler.compare.recording import Recording
from tests.cases.compare.answers import answer, pair, request


def _live(target="/api/items/", method="GET", **more):
    return pair(answer("{}"), answer("{}"), request(method, target), **more)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_never_recorded(method):
    assert Recording().take(_live(method=method)) is None


@pytest.mark.parametrize("stage", ["replay", "search"])
def test_what_the_kit_itself_asked_is_not_recorded(stage):
    assert Recording().take(_live(stage=stage)) is None


def test_a_request_is_recorded_once():
    recording = Recording()
    assert recording.take(_live())
    assert recording.take(_live()) is None
    assert recording.take(_live(method="HEAD"))
    assert recording.take(_live(route="catalog.other"))


def test_what_was_recorded_before_is_known():
    digest = Recording().take(_live())
    assert Recording([("catalog.products", digest)]).take(_live()) is None


def test_a_route_with_enough_requests_takes_no_more():
    recording = Recording(most=2)
    taken = [recording.take(_live(f"/api/items/?page={page}")) is not None for page in range(4)]
    assert taken == [True, True, False, False]
    assert recording.take(_live(route="catalog.other"))
