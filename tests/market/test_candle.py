from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.errors import DataError
from make_us_rich.market.candle import (
    CANDLE_SCHEMA,
    FULL_SCHEMA,
    CandleArrays,
    as_candles,
    as_full_candles,
    candles_between,
    closed_candles,
    is_impossible,
    no_candles,
)

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_further_columns_are_left_out_and_types_are_cast(make_candles):
    candles = make_candles(3)
    recorded = candles.with_columns(pl.col("volume").cast(pl.Int64), trades=pl.lit(5)).reverse()
    assert as_candles(recorded).schema == CANDLE_SCHEMA
    assert as_candles(recorded).equals(candles.reverse()), "the order is kept, for the quality check to judge"


def test_trade_columns_that_a_source_lacks_are_null(make_candles, with_trades):
    candles = make_candles(3)
    assert as_full_candles(candles).schema == FULL_SCHEMA
    assert as_full_candles(candles).null_count().row(0) == (0,) * 6 + (3,) * 4
    assert as_full_candles(with_trades(candles)).equals(with_trades(candles))
    with pytest.raises(DataError, match="not numbers or times"):
        as_full_candles(candles.with_columns(trades=pl.lit("many")))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda candles: candles.drop("high", "volume"), "candles lack high, volume"),
        (lambda candles: candles.with_columns(close=pl.lit("dear")), "not numbers or times"),
        (lambda candles: candles.with_columns(open_time=pl.lit(None)), "without an open_time"),
    ],
)
def test_a_frame_that_cannot_be_candles_is_refused_in_one_line(make_candles, spoil, message):
    with pytest.raises(DataError, match=message) as caught:
        as_candles(spoil(make_candles(2)))
    assert "\n" not in str(caught.value)


def test_a_candle_is_closed_once_its_whole_timeframe_has_passed(make_candles, hourly):
    candles = make_candles(3)
    assert len(closed_candles(candles, hourly, START + timedelta(hours=3))) == 3
    assert len(closed_candles(candles, hourly, START + timedelta(hours=3, microseconds=-1))) == 2
    assert len(closed_candles(candles, hourly, START)) == 0


def test_since_is_inclusive_and_until_exclusive(make_candles):
    candles = make_candles(5)
    inner = candles_between(candles, START + timedelta(hours=1), START + timedelta(hours=3))
    assert inner.equals(candles[1:3])
    assert candles_between(candles).equals(candles)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("close", float("nan")),
        ("open", None),
        ("high", float("inf")),
        ("low", -1.0),
        ("low", 0.0),
        ("low", 100.6),
        ("high", 99.9),
        ("volume", -0.1),
        ("volume", float("nan")),
    ],
)
def test_values_no_market_can_produce_are_impossible(make_candles, column, value):
    candles = make_candles(2)
    spoilt = candles.with_columns(
        pl.when(pl.int_range(pl.len()) == 1).then(pl.lit(value, pl.Float64)).otherwise(column).alias(column)
    )
    assert spoilt.select(is_impossible()).to_series().to_list() == [False, True]


def test_a_flat_candle_without_volume_is_possible(make_candles):
    flat = make_candles(1).with_columns(open=5.0, high=5.0, low=5.0, close=5.0, volume=0.0)
    assert not flat.select(is_impossible()).item()


def test_arrays_hold_the_same_numbers_and_know_their_close_time(make_candles, hourly):
    candles = make_candles(3)
    arrays = CandleArrays.from_frame(candles.with_columns(filled=pl.lit(value=False)))
    assert len(arrays) == 3
    assert arrays.open_time_ms.dtype == np.int64
    assert arrays.open_time_ms[1] == 1_704_070_800_000
    assert arrays.ohlcv.shape == (3, 5)
    assert arrays.ohlcv.flags["C_CONTIGUOUS"]
    assert arrays.ohlcv[2].tolist() == list(candles.row(2)[1:])
    assert arrays.close_time(hourly) == START + timedelta(hours=3)


def test_no_candles_have_no_close_time(hourly):
    arrays = CandleArrays.from_frame(no_candles())
    assert arrays.ohlcv.shape == (0, 5)
    with pytest.raises(ValueError, match="no close time"):
        arrays.close_time(hourly)
