"""The last minutes are told from snapshots, exact to a slot."""

from proxy.recent import SECONDS, SLOT_SECONDS, Recent

KEY, OTHER = ("catalog.products", "catalog"), ("catalog.products", "monolith")


def _minutes(rate: int, minutes: int) -> tuple[Recent, float, dict[tuple[str, str], tuple[int, int]]]:
    """Return what is kept after `rate` requests a second, each tenth an error, for so long."""
    recent, now, totals = Recent(), 1000.0, {KEY: (0, 0)}
    for second in range(minutes * 60 + 1):
        now = 1000.0 + second
        totals = {KEY: (rate * second, rate * second // 10)}
        if recent.due(now):
            recent.keep(now, totals)
    return recent, now, totals


def test_each_window_holds_its_own_minutes() -> None:
    recent, now, totals = _minutes(rate=10, minutes=20)
    found = [recent.within(seconds, now, totals)[KEY] for seconds in SECONDS]
    assert found == [(600, 60), (3000, 300), (9000, 900)]


def test_a_young_worker_tells_all_it_counted() -> None:
    recent, now, totals = _minutes(rate=10, minutes=2)
    assert recent.within(900, now, totals) == {KEY: (1200, 120)}


def test_what_was_not_asked_for_lately_is_left_out() -> None:
    recent, now, totals = _minutes(rate=10, minutes=2)
    recent.keep(now, totals)
    assert recent.within(60, now + 61, totals) == {}


def test_a_target_that_is_new_counts_from_its_first_request() -> None:
    recent, now, totals = _minutes(rate=10, minutes=2)
    assert recent.within(60, now, totals | {OTHER: (5, 0)})[OTHER] == (5, 0)
    recent.keep(now + SLOT_SECONDS, totals | {OTHER: (5, 0)})
    assert recent.within(60, now + SLOT_SECONDS, totals | {OTHER: (7, 1)})[OTHER] == (7, 1)


def test_a_long_life_keeps_no_more_than_the_longest_window() -> None:
    recent, _, _ = _minutes(rate=1, minutes=60)
    assert len(recent._snapshots) <= SECONDS[-1] / SLOT_SECONDS + 2
