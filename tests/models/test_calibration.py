import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.calibration import calibrated_shape, calibration_rows, empirical_shape
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS


@given(arrays(float, st.tuples(st.integers(1, 60), st.integers(1, 3)), elements=st.floats(-1e6, 1e6)))
def test_shape_never_crosses_and_keeps_its_median_at_zero(residuals: np.ndarray) -> None:
    shape = empirical_shape(residuals)
    assert (np.diff(shape, axis=1) >= 0).all()
    assert (shape[:, MEDIAN] == 0).all()


def test_calibrated_shape_holds_the_stated_share_of_the_residuals_it_saw() -> None:
    residuals = np.random.default_rng(1).standard_t(4, (2000, 1))
    shape = calibrated_shape(residuals, (1,), Timeframe("1h"))[0]
    for level, bound in zip(QUANTILE_LEVELS, shape, strict=True):
        assert abs((residuals < bound).mean() - level) < 0.02


def test_short_horizons_calibrate_on_90_days_and_long_ones_on_365() -> None:
    assert [calibration_rows(h, Timeframe("1h")) for h in (1, 2, 4, 24)] == [2160, 2160, 8760, 8760]


def test_only_the_newest_closed_residuals_count() -> None:
    old, new = np.full((500, 1), 100.0), np.random.default_rng(2).normal(size=(2160, 1))
    open_target = np.full((1, 1), np.nan)
    with_old = calibrated_shape(np.concatenate([old, new, open_target]), (1,), Timeframe("1h"))
    np.testing.assert_array_equal(with_old, calibrated_shape(new, (1,), Timeframe("1h")))
