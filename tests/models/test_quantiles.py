import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.models.quantiles import LEVEL_KEYS, MEDIAN, QUANTILE_LEVELS, probability_above


def test_level_keys_are_the_ones_of_the_api() -> None:
    assert LEVEL_KEYS == (
        "0.025", "0.05", "0.1", "0.2", "0.25", "0.4", "0.5", "0.6", "0.75", "0.8", "0.9", "0.95", "0.975",
    )  # fmt: skip


def test_probability_above_the_median_is_one_half() -> None:
    quantiles = np.linspace(90.0, 110.0, 13)
    assert probability_above(quantiles, quantiles[MEDIAN]) == pytest.approx(0.5)


def test_probability_above_is_held_at_the_last_level_beyond_the_quantiles() -> None:
    quantiles = np.linspace(90.0, 110.0, 13)
    assert probability_above(quantiles, 1.0) == pytest.approx(1 - 0.025)
    assert probability_above(quantiles, 1000.0) == pytest.approx(1 - 0.975)


def test_probability_above_a_certain_price_is_one_half() -> None:
    assert probability_above(np.full(13, 7.0), 7.0) == pytest.approx(0.5)


@given(st.floats(80, 120), st.floats(80, 120))
def test_probability_above_falls_as_the_price_rises(one: float, other: float) -> None:
    quantiles = 100 + 5 * np.asarray(QUANTILE_LEVELS)
    low, high = min(one, other), max(one, other)
    assert probability_above(quantiles, low) >= probability_above(quantiles, high)
