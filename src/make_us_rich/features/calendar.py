"""Columns of time. They tell when the candle closes, because that is when the forecast candle opens."""

import polars as pl

from make_us_rich.market.timeframe import Timeframe


def calendar(candles: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    """Hour 0 to 23, day of week 1 (Monday) to 7, and `is_weekend`, all in UTC at the close of the candle.

    >>> from datetime import UTC, datetime
    >>> friday = pl.DataFrame({"open_time": [datetime(2026, 4, 24, 23, tzinfo=UTC)]})
    >>> calendar(friday, Timeframe("1h")).rows()
    [(0, 6, True)]
    """
    close_time = pl.col("open_time") + timeframe.duration
    weekday = close_time.dt.weekday()
    return candles.select(
        close_time.dt.hour().alias("hour_of_day"),
        weekday.alias("day_of_week"),
        (weekday >= 6).alias("is_weekend"),
    )
