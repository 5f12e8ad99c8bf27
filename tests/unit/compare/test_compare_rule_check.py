"""Rules that hide too much, or nothing any more, are found."""

from datetime import date

import pytest

from strangler.compare.rejudge import Turn, rejudge
from strangler.compare.rule_check import Fault, check
from strangler.compare.rule_list import list_rules
from strangler.compare.store import Hit, Judged, Kept
from strangler.compare.verdict import Verdict
from tests.cases.compare.answers import answer, book, pair
from tests.cases.compare.compared import differing, judge

TODAY = date(2026, 11, 25)
ROUTES = {"catalog.products", "catalog.reviews"}
PAIR = pair(
    answer('{"rows":[{"id":1,"tags":["a"],"by":{"name":"x"}}],"views":1}'),
    answer('{"rows":[{"id":1,"tags":["a"],"by":{"name":"x"}}],"views":2}'),
)


def _faults(*own, pairs=(PAIR,), hit=()):
    return [(each.rule, each.fault) for each in check(book(*own), TODAY, ROUTES, pairs, hit).faults]


def test_a_rule_that_forgave_something_is_well():
    assert _faults({"path": "$.views", "ignore": True}) == []


@pytest.mark.parametrize(
    "path",
    [
        "$",
        "$[*]",
        "$.rows[*]",
        "header",
        "html",
        "html.body.main[*]",
        "$.rows",
        "$.rows[*].tags",
        "$.rows[*].by",
    ],
)
def test_ignoring_a_root_an_array_or_an_object_is_too_broad(path):
    assert ("ignore", Fault.TOO_BROAD) in _faults({"path": path, "ignore": True}, hit=["ignore"])


def test_a_list_may_be_unordered_as_a_whole():
    assert _faults({"path": "$", "unordered": True}, hit=["unordered"]) == []


def test_a_rule_that_nothing_needs_is_dead():
    assert _faults({"path": "$.gone", "ignore": True}) == [("ignore", Fault.DEAD)]


def test_a_rule_that_once_forgave_something_is_not_dead():
    assert _faults({"path": "$.gone", "ignore": True}, hit=["ignore"]) == []


def test_a_rule_whose_route_was_never_compared_is_unproven_and_no_fault():
    found = check(
        book({"path": "$.a", "ignore": True, "route": "catalog.reviews"}), TODAY, ROUTES, [PAIR], ()
    )
    assert (found.faults, found.unproven) == ((), ("ignore",))


def test_an_expired_rule_is_a_fault_even_if_it_is_needed():
    rule = {"path": "$.views", "ignore": True, "expires": TODAY}
    assert _faults(rule, hit=["ignore"]) == [("ignore", Fault.EXPIRED)]


def test_a_rule_of_a_route_that_is_gone_is_a_fault():
    rule = {"path": "$.views", "ignore": True, "route": "catalog.product"}
    assert ("ignore", Fault.UNKNOWN_ROUTE) in _faults(rule)


def test_a_rule_of_every_route_is_proven_by_any():
    assert _faults({"path": "$.views", "ignore": True, "route": "*"}) == []


def test_stored_pairs_are_judged_again_under_new_rules():
    kept = [Kept(1, Judged(PAIR, judge(PAIR).comparison)), Kept(2, differing(2, field="price"))]
    found = rejudge(kept, book({"path": "$.views", "ignore": True}))
    assert found.turns == (
        (Turn("catalog.products", Verdict.DIFF, Verdict.DIFF), 1, 2),
        (Turn("catalog.products", Verdict.DIFF, Verdict.EXPECTED), 1, 1),
    )
    assert (found.total, found.diffs) == (2, 1)


def test_every_rule_is_listed_with_its_hits():
    hits = [Hit("catalog.products", "ignore", 3, 10.0), Hit("catalog.reviews", "framing", 4, 20.0)]
    listed = {each.name: each for each in list_rules(book({"path": "$.views", "ignore": True}), hits)}
    assert (listed["ignore"].hits, listed["ignore"].owner) == (3, "tests")
    assert (listed["framing"].hits, listed["framing"].last_at) == (4, 20.0)
    assert listed["own_host"].last_at is None


def test_a_routes_list_has_only_its_own_rules_and_hits():
    own = book({"path": "$.views", "ignore": True}, {"path": "$.x", "skew": 1, "route": "catalog.reviews"})
    listed = {
        each.name: each
        for each in list_rules(own, [Hit("catalog.reviews", "framing", 4, 2.0)], "catalog.products")
    }
    assert "skew" not in listed
    assert listed["framing"].hits == 0
