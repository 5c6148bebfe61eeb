"""Student's t distribution, for tests and intervals on block means; SciPy is too large for serving."""

import math
from functools import lru_cache

_MAX_TERMS = 300
_PRECISION = 1e-14
_TINY = 1e-300


def t_survival(t: float, degrees: int) -> float:
    """Return the probability that a t variable with these degrees of freedom exceeds `t`.

    >>> round(t_survival(1.833, 9), 4)
    0.05
    """
    if degrees < 1:
        raise ValueError(f"degrees of freedom must be at least 1, was {degrees}")
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    tail = 0.5 * _incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t))
    return tail if t >= 0 else 1 - tail


@lru_cache(maxsize=4096)
def t_quantile(level: float, degrees: int) -> float:
    """Return the value below which a t variable lies with probability `level`.

    >>> round(t_quantile(0.975, 7), 3)
    2.365
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, was {level}")
    low, high = -1e4, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - t_survival(middle, degrees) < level else (low, middle)
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function by its continued fraction (Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _MAX_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return math.exp(log_front) * fraction / a


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
