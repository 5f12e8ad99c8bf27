"""The upper bound of a rate is exact, and never too low."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.compare.bound import CONFIDENCE, upper_bound


def _chance_of_at_most(hits: int, samples: int, rate: float) -> float:
    p = Fraction(rate)
    return float(sum(math.comb(samples, i) * p**i * (1 - p) ** (samples - i) for i in range(hits + 1)))


def test_no_samples_bound_nothing():
    assert upper_bound(0, 0) == 1.0


def test_only_hits_bound_nothing():
    assert upper_bound(5, 5) == 1.0


def test_300_clean_samples_bound_one_percent():
    assert upper_bound(0, 300) < 0.01 < upper_bound(0, 298)


@pytest.mark.parametrize(("hits", "samples"), [(0, 1), (1, 10), (10, 100), (3, 300), (199, 200), (37, 400)])
def test_the_bound_leaves_five_percent_in_the_exact_tail(hits, samples):
    tail = _chance_of_at_most(hits, samples, upper_bound(hits, samples))
    assert tail == pytest.approx(1 - CONFIDENCE, rel=1e-9)


@given(st.integers(0, 200), st.integers(1, 2_000_000))
def test_the_bound_lies_above_the_rate_and_falls_with_evidence(hits, more):
    samples = hits + more
    assert hits / samples < upper_bound(hits, samples) <= 1.0
    assert upper_bound(hits, samples + 1) <= upper_bound(hits, samples)
    assert upper_bound(hits + 1, samples) >= upper_bound(hits, samples)
