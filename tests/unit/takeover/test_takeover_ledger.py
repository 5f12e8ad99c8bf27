"""The judge of a storm sees every way in which a write can be lost, doubled or done against its refusal."""

import pytest

from tests.e2e.takeover_ledger import Fate, Write, faults

FIRST, LATER = "lamp first", "lamp later"


def wrong(later: Fate, rows: list[str], times: int, first: Fate = Fate.DONE) -> list[str]:
    writes = [Write("lamp", FIRST, True, first), Write("lamp", LATER, False, later)]
    return list(faults(writes, {"lamp": rows}, {("lamp", LATER): times}))


@pytest.mark.parametrize(
    ("later", "rows", "times", "said"),
    [
        (Fate.DONE, [], 1, "lost"),
        (Fate.DONE, [FIRST], 1, "lost"),
        (Fate.DONE, [LATER, LATER], 1, "doubled"),
        (Fate.DONE, [LATER], 2, "written 2 times"),
        (Fate.DONE, [LATER], 0, "written 0 times"),
        (Fate.UNKNOWN, [LATER], 2, "written 2 times"),
        (Fate.UNKNOWN, ["another"], 0, "lost"),
        (Fate.REFUSED, [LATER], 1, "lost"),
        (Fate.REFUSED, [FIRST], 1, "written 1 times"),
    ],
)
def test_what_is_not_as_it_was_acknowledged_is_named(later, rows, times, said):
    assert said in "; ".join(wrong(later, rows, times))


@pytest.mark.parametrize(
    ("later", "rows", "times"),
    [
        (Fate.DONE, [LATER], 1),
        (Fate.UNKNOWN, [LATER], 1),
        (Fate.UNKNOWN, [FIRST], 0),
        (Fate.REFUSED, [FIRST], 0),
    ],
)
def test_what_is_as_it_was_acknowledged_is_not(later, rows, times):
    assert wrong(later, rows, times) == []


@pytest.mark.parametrize(("first", "allowed"), [(Fate.REFUSED, False), (Fate.UNKNOWN, True)])
def test_a_product_that_was_refused_must_not_be_there(first, allowed):
    found = list(faults([Write("lamp", FIRST, True, first)], {"lamp": [FIRST]}, {}))
    assert (found == []) is allowed
