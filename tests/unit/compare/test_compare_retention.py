"""Few pairs are kept of each fingerprint, and few fingerprints of each route."""

from strangler.compare.findings import findings_of, fingerprint
from strangler.compare.retention import OVERFLOW, Limits, Retention, Shelf, Stock
from tests.cases.compare.answers import bodies

LIMITS = Limits(per_fingerprint=2, fingerprints_per_route=2, refresh_seconds=60.0)


def _shelf(fingerprint: str, route: str = "r") -> Shelf:
    return Shelf(route, "shadow", "DIFF", fingerprint)


def test_a_full_shelf_takes_one_a_minute():
    retention = Retention(LIMITS)
    times = [0.0, 1.0, 2.0, 60.0, 61.0, 62.0, 121.0]
    assert [at for at in times if retention.take(_shelf("a"), at)] == [0.0, 1.0, 61.0, 121.0]


def test_a_restart_remembers_what_is_kept():
    retention = Retention(LIMITS, [Stock(_shelf("a"), 2, 100.0)])
    assert not retention.take(_shelf("a"), 120.0)


def test_too_many_fingerprints_share_one_shelf():
    retention = Retention(LIMITS, [Stock(_shelf("a"), 1, 0.0), Stock(_shelf("b"), 1, 0.0)])
    assert retention.shelf(_shelf("a")) == _shelf("a")
    assert retention.shelf(_shelf("c")) == _shelf(OVERFLOW)
    assert retention.shelf(_shelf("c", route="other")) == _shelf("c", route="other")


def test_rows_of_one_list_share_a_fingerprint():
    first = bodies('[{"a":1},{"a":1}]', '[{"a":2},{"a":1}]')
    last = bodies('[{"a":1},{"a":1}]', '[{"a":1},{"a":3}]')
    assert fingerprint(first) == fingerprint(last)
    assert [each.pattern for each in findings_of(first)] == ["$[*].a"]


def test_objects_keyed_by_numbers_share_a_fingerprint():
    assert fingerprint(bodies('{"7":1}', '{"7":2}')) == fingerprint(bodies('{"8":1}', '{"8":2}'))


def test_another_kind_is_another_fingerprint():
    assert fingerprint(bodies('{"a":1}', '{"a":2}')) != fingerprint(bodies('{"a":1}', '{"a":"1"}'))


def test_notes_leave_the_fingerprint_of_a_match():
    assert fingerprint(bodies('{"a":1}', '{ "a":1}')) == fingerprint(bodies("{}", "{}"))
