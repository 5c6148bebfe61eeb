from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import torch

from make_us_rich.features.calendar import calendar
from make_us_rich.features.price import garman_klass, lag_returns, log_range, volatility
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.price_features import WARM_UP, PriceFeatures, rolling_mean, shift, week_span
from make_us_rich.models.price_table import PriceTable, build_price_table

HOURLY = Timeframe("1h")


def column(table: PriceTable, name: str) -> np.ndarray:
    features = PriceFeatures(table.timeframe)
    if name in features.regressor_names:
        return table.columns.regressors[:, features.regressor_names.index(name)].numpy()
    return table.columns.steps[:, features.step_names.index(name)].numpy()


def test_a_window_gives_what_the_whole_series_gives(
    bitcoin_arrays: CandleArrays, bitcoin_table: PriceTable
) -> None:
    features = PriceFeatures(HOURLY)
    end, lookback = 3000, WARM_UP + 48
    window = slice(end - lookback, end)
    columns = features(
        torch.from_numpy(bitcoin_arrays.open_time_ms[window])[None],
        torch.from_numpy(bitcoin_arrays.ohlcv[window])[None],
    )
    torch.testing.assert_close(
        columns.steps[0, -48:].float(), bitcoin_table.columns.steps[end - 48 : end], rtol=1e-5, atol=1e-6
    )
    torch.testing.assert_close(
        columns.regressors[0, -1], bitcoin_table.columns.regressors[end - 1], rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("lookback", [WARM_UP + 1, WARM_UP + 48])
def test_a_window_gives_what_the_whole_series_gives_even_where_nothing_was_traded(
    bitcoin_arrays: CandleArrays, lookback: int
) -> None:
    still = bitcoin_arrays.ohlcv.copy()
    still[::3] = np.column_stack([np.repeat(still[::3, 3:4], 4, axis=1), np.zeros(len(still[::3]))])
    whole = build_price_table(bitcoin_arrays.open_time_ms, still, HOURLY).columns
    window = slice(3000 - lookback, 3000)
    columns = PriceFeatures(HOURLY)(
        torch.from_numpy(bitcoin_arrays.open_time_ms[window])[None], torch.from_numpy(still[window])[None]
    )
    for name in ("regressors", "context"):
        row, expected = getattr(columns, name)[0, -1], getattr(whole, name)[2999]
        torch.testing.assert_close(row, expected, rtol=1e-9, atol=1e-9)


def test_the_last_rows_alone_are_the_last_rows_of_all(bitcoin_arrays: CandleArrays) -> None:
    open_time_ms = torch.from_numpy(bitcoin_arrays.open_time_ms[None, :900])
    ohlcv = torch.from_numpy(bitcoin_arrays.ohlcv[None, :900])
    features = PriceFeatures(HOURLY, ("some.feature",))
    read = (ohlcv[..., :1],)
    whole = features(open_time_ms, ohlcv, None, *read)
    for all_rows, kept in zip(whole, features(open_time_ms, ohlcv, 48, *read), strict=True):
        torch.testing.assert_close(kept, all_rows[:, -48:], rtol=0, atol=0)


def test_every_input_has_a_name(bitcoin_table: PriceTable) -> None:
    features = PriceFeatures(HOURLY)
    assert len(features.step_names) == len(set(features.step_names)) == bitcoin_table.columns.steps.shape[1]
    assert len(features.regressor_names) == bitcoin_table.columns.regressors.shape[1]
    assert len(set(features.context_names)) == bitcoin_table.columns.context.shape[1]


def test_volatility_equals_the_column_people_inspect(bitcoin_hours, bitcoin_table: PriceTable) -> None:
    inspected = volatility(bitcoin_hours.head(4000), spans=[24, 168])
    for span in (24, 168):
        expected = np.log(inspected[f"volatility_span{span}"].to_numpy()[WARM_UP:])
        found = column(bitcoin_table, f"log_volatility_span{span}")
        if f"log_volatility_span{span}" in PriceFeatures(HOURLY).regressor_names:
            np.testing.assert_allclose(found[WARM_UP:], expected, rtol=1e-7)


def test_variance_and_returns_equal_the_columns_people_inspect(
    bitcoin_hours, bitcoin_table: PriceTable
) -> None:
    candles = bitcoin_hours.head(4000)
    np.testing.assert_allclose(
        bitcoin_table.variance, garman_klass(candles)["variance"].to_numpy(), atol=1e-15
    )
    week = bitcoin_table.columns.week_volatility.numpy()
    returns = lag_returns(candles, lags=[24])["return_lag24"].to_numpy()
    expected = np.clip(returns / (week * np.sqrt(24)), -10, 10)[WARM_UP:]
    np.testing.assert_allclose(column(bitcoin_table, "return_lag24")[WARM_UP:], expected, atol=1e-5)
    wide = log_range(candles)["log_range"].to_numpy() / week
    np.testing.assert_allclose(
        column(bitcoin_table, "range")[WARM_UP:], np.clip(wide, 0, 15)[WARM_UP:] - 1.5, atol=1e-5
    )


def test_calendar_equals_the_columns_people_inspect(bitcoin_hours, bitcoin_table: PriceTable) -> None:
    inspected = calendar(bitcoin_hours.head(4000), HOURLY)
    np.testing.assert_array_equal(column(bitcoin_table, "is_weekend"), inspected["is_weekend"].to_numpy())
    hour = inspected["hour_of_day"].to_numpy()
    np.testing.assert_array_equal(column(bitcoin_table, "hour_7"), (hour == 7).astype(float))
    np.testing.assert_allclose(column(bitcoin_table, "hour_sin"), np.sin(hour * 2 * np.pi / 24), atol=1e-6)


def test_new_york_hours_follow_its_clock() -> None:
    start = datetime(2026, 2, 1, tzinfo=UTC)
    open_time_ms = round(start.timestamp() * 1000) + torch.arange(1000)[None] * 3_600_000
    features = PriceFeatures(HOURLY)
    context = features(open_time_ms, torch.ones(1, 1000, 5, dtype=torch.float64)).context[0]
    winter, summer = (
        (datetime(2026, 3, day, 13, tzinfo=UTC) - start) // timedelta(hours=1) for day in (6, 9)
    )
    at = [features.context_names.index(f"new_york_hour_{hour}") for hour in (9, 10)]
    # 14:00 UTC is 09:00 in winter, 10:00 from the second Sunday of March on
    assert context[[winter, summer]][:, at].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_seasonal_volatility_is_of_the_hour_that_is_forecast() -> None:
    hours = np.arange(2400)
    wide = np.where(hours % 24 == 5, 0.05, 0.001)  # only the candle that opens at 05:00 moves
    ohlcv = np.stack([np.ones(2400), np.exp(wide), np.ones(2400), np.ones(2400), np.ones(2400)], axis=1)
    table = build_price_table(hours * 3_600_000, ohlcv, HOURLY)
    seasonal = column(table, "seasonal_volatility_lead1")[WARM_UP:]
    known_at = hours[WARM_UP:] % 24  # the candle that opened at this hour has just closed
    assert (known_at[seasonal > seasonal.max() - 0.1] == 4).all()


def test_a_constant_price_gives_finite_columns(constant_ohlcv: np.ndarray) -> None:
    table = build_price_table(np.arange(len(constant_ohlcv)) * 3_600_000, constant_ohlcv, HOURLY)
    assert torch.isfinite(table.columns.steps[WARM_UP:]).all()
    assert torch.isfinite(table.columns.regressors[WARM_UP:]).all()


@pytest.mark.parametrize(("timeframe", "span"), [("1h", 168), ("4h", 42), ("1d", 24), ("1m", 480)])
def test_week_span_stays_within_the_warm_up(timeframe: str, span: int) -> None:
    assert week_span(Timeframe(timeframe)) == span


@pytest.mark.parametrize("timeframe", ["1m", "15m", "4h", "1d"])
def test_features_exist_for_every_timeframe(timeframe: str, bitcoin_arrays: CandleArrays) -> None:
    frame = Timeframe(timeframe)
    open_time_ms = np.arange(1000) * frame.milliseconds
    table = build_price_table(open_time_ms, bitcoin_arrays.ohlcv[:1000], frame)
    assert torch.isfinite(table.columns.steps[WARM_UP:]).all()


def test_rolling_mean_and_shift_by_hand() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0, 4.0]], dtype=torch.float64)
    assert rolling_mean(values, 2)[0, 1:].tolist() == [1.5, 2.5, 3.5]
    assert shift(values, 2)[0].tolist() == [1.0, 1.0, 1.0, 2.0]
