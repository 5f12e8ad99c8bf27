"""Defects planted in the shop's real answers are caught; what only looks different is never reported."""

import pytest

from strangler.compare.verdict import Verdict
from tests.cases.compare.answers import judged, kinds, request
from tests.cases.compare.defects import DEFECTS
from tests.cases.compare.harmless import HARMLESS
from tests.cases.compare.shop_answers import recorded, target_of


def _compared(name, change, *, swapped=False):
    control, candidate = recorded(name), change(recorded(name))
    assert control != candidate, "the change changes nothing"
    sides = (candidate, control) if swapped else (control, candidate)
    return judged(*sides, request("GET", target_of(name)))


def test_the_corpus_is_as_large_as_promised():
    assert len(DEFECTS) >= 60
    assert len(HARMLESS) >= 30


@pytest.mark.parametrize(("name", "change", "found"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_in_a_real_answer_is_caught_and_named(name, change, found):
    comparison = _compared(name, change)
    assert comparison.verdict is Verdict.DIFF
    assert found in kinds(comparison)


@pytest.mark.parametrize(("name", "change", "found"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_caught_on_either_side(name, change, found):
    assert _compared(name, change, swapped=True).verdict is Verdict.DIFF


@pytest.mark.parametrize(("name", "change"), HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_different_is_never_reported(name, change):
    comparison = _compared(name, change)
    assert kinds(comparison) == []
    assert comparison.verdict in (Verdict.MATCH, Verdict.EXPECTED)
    assert comparison.forgiven or comparison.verdict is Verdict.MATCH


HIDDEN = [
    pytest.param(name, change, HARMLESS[harmless][1], id=f"{defect}, {harmless}")
    for defect, (name, change, _) in DEFECTS.items()
    for harmless in ("Flask's whole way", "gzip", "another server")
    if HARMLESS[harmless][0] == name
]


@pytest.mark.parametrize(("name", "change", "also"), HIDDEN)
def test_no_harmless_change_hides_a_defect(name, change, also):
    assert _compared(name, lambda answer: also(change(answer))).verdict is Verdict.DIFF
