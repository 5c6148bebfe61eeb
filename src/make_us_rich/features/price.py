"""Columns of price and volatility. Row t uses candles at or before t, so it can be served as t closes."""

import math
from collections.abc import Sequence

import polars as pl

_CLOSE_WEIGHT = 2 * math.log(2) - 1


def lag_returns(candles: pl.DataFrame, lags: Sequence[int]) -> pl.DataFrame:
    """Log return of the close over each lag, one `return_lag{n}` column each.

    >>> lag_returns(pl.DataFrame({"close": [1.0, 2.0]}), lags=[1])["return_lag1"].round(3).to_list()
    [None, 0.693]
    """
    log_close = pl.col("close").log()
    return candles.select((log_close - log_close.shift(n)).alias(f"return_lag{n}") for n in lags)


def log_range(candles: pl.DataFrame) -> pl.DataFrame:
    """Log of high over low, column `log_range`."""
    return candles.select((pl.col("high") / pl.col("low")).log().alias("log_range"))


def garman_klass(candles: pl.DataFrame) -> pl.DataFrame:
    """Garman-Klass variance of the log price within each candle, column `variance`.

    >>> garman_klass(pl.DataFrame({"open": [1.0], "high": [math.e], "low": [1.0], "close": [1.0]})).item()
    0.5
    """
    wide = (pl.col("high") / pl.col("low")).log()
    move = (pl.col("close") / pl.col("open")).log()
    return candles.select((0.5 * wide**2 - _CLOSE_WEIGHT * move**2).alias("variance"))


def volatility(candles: pl.DataFrame, spans: Sequence[int]) -> pl.DataFrame:
    """Volatility of one candle over the last n, one `volatility_span{n}` column each; null before that."""
    return garman_klass(candles).select(
        pl.col("variance").rolling_mean(n).clip(lower_bound=0).sqrt().alias(f"volatility_span{n}")
        for n in spans
    )


def volume_deviation(candles: pl.DataFrame, span: int) -> pl.DataFrame:
    """Volume over its mean of the last `span` candles, column `volume_deviation`; null where that is 0."""
    mean = pl.col("volume").rolling_mean(span)
    return candles.select(
        pl.when(mean > 0).then(pl.col("volume") / mean).otherwise(None).alias("volume_deviation")
    )
