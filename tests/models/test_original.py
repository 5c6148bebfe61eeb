from datetime import date, timedelta

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.models.original import (
    CLOSE,
    FEATURE_NAMES,
    MinMaxScaling,
    OriginalFeatures,
    civil_date,
    iso_week,
)

EPOCH = date(1970, 1, 1)


@given(st.integers(0, 47_000))
def test_calendar_agrees_with_the_standard_library(days: int) -> None:
    day = EPOCH + timedelta(days=days)
    moment = torch.tensor(days)
    assert [int(part) for part in civil_date(moment)] == [day.year, day.month, day.day]
    assert int(iso_week(moment)) == day.isocalendar().week


def test_nine_columns_are_the_published_ones(bitcoin_arrays) -> None:
    open_time_ms = torch.from_numpy(bitcoin_arrays.open_time_ms[:30])[None]
    ohlcv = torch.from_numpy(bitcoin_arrays.ohlcv[:30])[None]
    columns = OriginalFeatures()(open_time_ms, ohlcv)[0].numpy()
    assert columns.shape == (30, len(FEATURE_NAMES))
    assert columns[0, :4].tolist() == [5, 1, 52, 1]  # Saturday 2022-01-01 lies in week 52 of 2021
    np.testing.assert_array_equal(columns[:, 4:8], bitcoin_arrays.ohlcv[:30, :4])
    np.testing.assert_allclose(columns[:, 8], columns[:, CLOSE] - columns[:, 4])


def test_change_against_the_previous_close_by_option(bitcoin_arrays) -> None:
    open_time_ms = torch.from_numpy(bitcoin_arrays.open_time_ms[:30])[None]
    columns = OriginalFeatures("previous")(open_time_ms, torch.from_numpy(bitcoin_arrays.ohlcv[:30])[None])[0]
    assert columns[0, 8] == 0
    np.testing.assert_allclose(columns[1:, 8], np.diff(bitcoin_arrays.ohlcv[:30, 3]))


@given(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=50))
def test_unscaling_undoes_the_scaling_of_the_close_and_of_no_other_column(closes: list[float]) -> None:
    rows = torch.rand(len(closes), 9, dtype=torch.float64)
    rows[:, CLOSE] = torch.tensor(closes, dtype=torch.float64)
    scaling = MinMaxScaling(rows)
    scaled = scaling(rows)
    assert scaled.abs().max() <= 1 + 1e-12
    torch.testing.assert_close(scaling.unscale_close(scaled[:, CLOSE]), rows[:, CLOSE], rtol=1e-9, atol=1e-9)


def test_scaling_of_a_constant_column_is_finite() -> None:
    scaling = MinMaxScaling(torch.ones(5, 9, dtype=torch.float64))
    assert torch.isfinite(scaling(torch.ones(1, 9, dtype=torch.float64))).all()
