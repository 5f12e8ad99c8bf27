"""The upper Clopper-Pearson bound of a rate. Pure.

Exact (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934): never too low, whatever the true rate.
"""

import math

CONFIDENCE = 0.95

_STEPS = 60  # halvings of [0, 1]: finer than a float can show


def upper_bound(hits: int, samples: int, confidence: float = CONFIDENCE) -> float:
    """Return a rate that the true one does not exceed, at this confidence, after `hits` in `samples`.

    One-sided. With no samples nothing is known: 1.0.
    """
    if hits >= samples:
        return 1.0
    low, high = hits / samples, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        # P(X <= hits) = 1 - I_p(hits + 1, samples - hits), falling in p.
        if regularised_beta(middle, hits + 1, samples - hits) < confidence:
            low = middle
        else:
            high = middle
    return high


def regularised_beta(x: float, a: int, b: int) -> float:
    """Return I_x(a, b) for whole a, b >= 1 (DLMF 8.17.22, by the modified Lentz method)."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side
        return 1.0 - regularised_beta(1.0 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _fraction(x, a, b) / a


def _fraction(x: float, a: int, b: int) -> float:
    tiny = 1e-300
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 100_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _away_from_zero(1.0 + term * d, tiny)
            c = _away_from_zero(1.0 + term / c, tiny)
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def _away_from_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
