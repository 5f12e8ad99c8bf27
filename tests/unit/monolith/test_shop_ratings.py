"""The average that the night computes."""

from decimal import Decimal

import pytest
from shop.nightly import mean


def test_a_product_without_reviews_has_no_average():
    assert mean(0, 0) is None


@pytest.mark.parametrize(
    ("total", "count", "shown"), [(10, 3, "3.33"), (11, 3, "3.67"), (9, 8, "1.13"), (5, 1, "5.00")]
)
def test_averages_are_rounded_half_up_to_cents(total, count, shown):
    assert mean(total, count) == Decimal(shown)
    assert str(mean(total, count)) == shown
