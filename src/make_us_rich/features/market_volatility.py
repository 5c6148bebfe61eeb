"""How much the market as a whole moved within each candle, from the candles of its leading symbols."""

from collections.abc import Mapping, Sequence

import polars as pl

from make_us_rich.features.price import garman_klass
from make_us_rich.market.activity import MARKET_VARIANCE, market_column
from make_us_rich.market.candle import VALUE_COLUMNS, is_impossible

_TINY_VARIANCE = 1e-16  # of a candle that did not move, which has no logarithm


def market_variance(open_time: pl.Series, market: Sequence[pl.DataFrame]) -> pl.Series:
    """Return the geometric mean of several symbols' Garman-Klass variances at these times.

    It is null unless every symbol has a candle there: a mean over fewer would move when a symbol is late,
    and not when the market moves.
    """
    grid = open_time.alias("open_time").to_frame()
    logs = pl.DataFrame([_log_variance(grid, candles).alias(str(i)) for i, candles in enumerate(market)])
    mean = pl.sum_horizontal(pl.all(), ignore_nulls=False) / len(market)
    return logs.select(mean.exp().alias(MARKET_VARIANCE)).to_series()


def market_frame(open_time: pl.Series, market: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the candles of other symbols, by path name, at these times: columns such as `close@ETH-USDT`."""
    frame = open_time.alias("open_time").to_frame()
    for symbol, candles in market.items():
        real = candles.filter(~is_impossible()).unique("open_time", keep="first", maintain_order=True)
        theirs = real.select("open_time", *(pl.col(c).alias(market_column(c, symbol)) for c in VALUE_COLUMNS))
        frame = frame.join(theirs, on="open_time", how="left", maintain_order="left")
    return frame.drop("open_time")


def _log_variance(grid: pl.DataFrame, candles: pl.DataFrame) -> pl.Series:
    real = candles.filter(~is_impossible()).unique("open_time", keep="first", maintain_order=True)
    variance = garman_klass(real)["variance"].clip(_TINY_VARIANCE).log()
    told = real.select("open_time").with_columns(variance)
    return grid.join(told, on="open_time", how="left", maintain_order="left")["variance"]
