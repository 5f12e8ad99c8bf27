"""A route leaves its service by itself only over enough answers, and only past what its table allows."""

import pytest

from proxy.routes import RetreatOptions
from strangler.retreat import LastMinute, why_retreat

OPTIONS = RetreatOptions(errors=5, diffs=1, requests=100)


@pytest.mark.parametrize(
    "seen",
    [
        LastMinute(),
        LastMinute(requests=99, errors=99, compared=99, diffs=99),
        LastMinute(requests=100, errors=5, compared=100, diffs=1),
        LastMinute(requests=1000, errors=50, compared=1000, diffs=10),
    ],
    ids=["nothing", "too few", "as allowed", "as allowed, of more"],
)
def test_what_is_allowed_or_too_little_to_say_is_no_reason(seen: LastMinute) -> None:
    assert why_retreat(OPTIONS, seen) == ""


def test_too_many_errors_are_told_with_their_figure_and_the_bound() -> None:
    found = why_retreat(OPTIONS, LastMinute(requests=120, errors=12))
    assert found == (
        "in the last minute 12 of 120 of the service's answers were errors (10.0 %), wanted at most 5 %"
    )


def test_too_many_differences_are_told_beside_errors() -> None:
    found = why_retreat(OPTIONS, LastMinute(requests=100, errors=6, compared=200, diffs=3))
    assert "6 of 100" in found
    assert "3 of 200 of the compared answers differed (1.5 %), wanted at most 1 %" in found


def test_with_nothing_allowed_one_is_enough() -> None:
    strict = RetreatOptions(errors=0, diffs=0, requests=1)
    assert why_retreat(strict, LastMinute(requests=1, errors=1))
    assert not why_retreat(strict, LastMinute(requests=1))
