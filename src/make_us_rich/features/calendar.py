"""Columns of time. They tell when the candle closes, because that is when the forecast candle opens."""

import polars as pl

from make_us_rich.market.timeframe import Timeframe


def calendar(candles: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    """Hour 0 to 23, day of week 1 (Monday) to 7, `is_weekend` 0 or 1, in UTC at the close of the candle.

    >>> from datetime import UTC, datetime
    >>> friday = pl.DataFrame({"open_time": [datetime(2026, 4, 24, 23, tzinfo=UTC)]})
    >>> calendar(friday, Timeframe("1h")).rows()
    [(0.0, 6.0, 1.0)]
    """
    close_time = pl.col("open_time") + timeframe.duration
    weekday = close_time.dt.weekday()
    return candles.select(
        close_time.dt.hour().cast(pl.Float64).alias("hour_of_day"),
        weekday.cast(pl.Float64).alias("day_of_week"),
        (weekday >= 6).cast(pl.Float64).alias("is_weekend"),
    )
