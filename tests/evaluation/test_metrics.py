import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from make_us_rich.evaluation.metrics import (
    covered,
    crps,
    direction_accuracy,
    interval_bounds,
    interval_width,
    mae,
    mape,
    mase,
    quantile_loss,
    rmse,
)
from make_us_rich.models.quantiles import QUANTILE_LEVELS


def test_a_perfect_forecaster_scores_zero() -> None:
    actual = np.array([3.0, -1.0, 7.5])
    quantiles = np.repeat(actual[:, None], 13, axis=1)
    assert (quantile_loss(quantiles, actual) == 0).all()
    assert (crps(quantiles, actual) == 0).all()
    assert mae(actual, actual) == rmse(actual, actual) == mape(actual, actual) == 0
    assert covered(quantiles, actual).all()


def test_persistence_scores_what_paper_says() -> None:
    close = np.array([100.0, 110.0, 99.0])
    last, actual = close[:-1], close[1:]
    assert mae(last, actual) == pytest.approx(10.5)
    assert rmse(last, actual) == pytest.approx(np.sqrt((100 + 121) / 2))
    assert mape(last, actual) == pytest.approx((10 / 110 + 11 / 99) / 2)
    assert mase(last, actual, naive=last) == 1.0


def test_quantile_loss_of_a_point_by_hand() -> None:
    # one above every quantile costs the mean level, one below costs the mean of the rest
    levels = np.asarray(QUANTILE_LEVELS)
    assert quantile_loss(np.zeros(13), np.float64(1.0)) == pytest.approx(levels.mean())
    assert quantile_loss(np.zeros(13), np.float64(-1.0)) == pytest.approx((1 - levels).mean())


def test_crps_of_a_point_is_nearly_its_absolute_error() -> None:
    assert crps(np.zeros(13), np.float64(2.0)) == pytest.approx(2.0, rel=0.06)


def test_true_quantiles_beat_wider_and_narrower_ones() -> None:
    rng = np.random.default_rng(1)
    actual = rng.normal(size=20_000)
    true = np.quantile(rng.normal(size=200_000), QUANTILE_LEVELS)
    for score in (quantile_loss, crps):
        best, wide, narrow = (score(true * k, actual).mean() for k in (1.0, 1.4, 0.7))
        assert best < wide
        assert best < narrow


@given(arrays(float, 13, elements=st.floats(-1e3, 1e3)), st.floats(-1e3, 1e3))
def test_quantile_loss_is_never_negative(quantiles: np.ndarray, actual: float) -> None:
    assert quantile_loss(quantiles, np.float64(actual)) >= 0


def test_coverage_and_width_belong_to_the_stated_share() -> None:
    assert interval_bounds(0.95) == (0, 12)
    assert interval_width(np.arange(13.0), 0.8) == 8
    with pytest.raises(ValueError, match=r"no central interval of share 0\.7"):
        interval_bounds(0.7)


def test_direction_is_undefined_where_nothing_is_claimed() -> None:
    last = np.array([1.0, 1.0])
    assert np.isnan(direction_accuracy(last, np.array([2.0, 0.5]), last))
    assert direction_accuracy(np.array([2.0, 1.0]), np.array([0.5, 5.0]), last) == 0.0


def test_mase_of_a_price_that_stands_still_is_undefined() -> None:
    still = np.ones(3)
    assert np.isnan(mase(still, still, still))
