"""What comparison knew at the moment of a flip."""

from contextlib import closing

from strangler.audit import Audit
from strangler.compare.writing import Writer
from strangler.evidence import verdict_counts
from strangler.flip import flip
from strangler.overview import list_routes
from strangler.steps import Forward
from tests.cases.compare.compared import differing, matching

ROUTE = "catalog.products"


def compared(place):
    place.var.mkdir()
    with closing(Writer(place.verdicts)) as writer:
        shadows = [matching(number, route=ROUTE, stage="shadow") for number in range(3)]
        canaries = [matching(3, route=ROUTE, stage="canary"), differing(4, route=ROUTE, stage="canary")]
        writer.record(shadows + canaries)


def test_verdicts_are_counted_over_all_stages(place):
    compared(place)
    assert verdict_counts(place.verdicts) == {ROUTE: {"MATCH": 4, "DIFF": 1}}


def test_a_flip_records_the_verdicts_of_its_moment(place, ann):
    compared(place)
    flip(place, ROUTE, Forward(), ann)
    assert Audit(place.audit).read().lines[0].record.evidence == {"MATCH": 4, "DIFF": 1}


def test_routes_show_verdicts_where_something_was_compared(place):
    compared(place)
    rows = {row.name: row.verdicts for row in list_routes(place).routes}
    assert rows[ROUTE] == {"MATCH": 4, "DIFF": 1}
    assert rows["catalog.product"] == {}


def test_a_store_that_cannot_be_read_never_stops_a_move(place, ann):
    place.var.mkdir()
    place.verdicts.write_bytes(b"no store" * 1000)
    assert flip(place, ROUTE, Forward(), ann).changed
    assert Audit(place.audit).read().lines[0].record.evidence is None
