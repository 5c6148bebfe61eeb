"""What a feature is: columns computed from candles, that people inspect and models may read."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from make_us_rich.market.activity import MARKET_CANDLES
from make_us_rich.market.timeframe import Timeframe

Compute = Callable[[pl.DataFrame, Timeframe], pl.DataFrame]
"""Candles to one or more float columns, row for row; row t is the same when the future is cut off."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A pure function from candles to columns, and what it needs.

    `reads` are the columns it needs besides those of every candle: trade columns, `market_variance`, or
    `market_candles` for the candles of an experiment's `market_symbols`, in columns such as `close@ETH-USDT`.
    They are there, with nulls where nobody told them. `timeframes` are those it makes sense for; none: all.
    `warm_up` is how many candles a row reads at most, its own included: what is computed from as many is
    what is computed from the whole history.

    Where a column is null, a model reads its mean over the candles it was trained on. `must_be_told` is for
    what is better refused than replaced: then training and forecasts require `reads`, but for a small share.
    """

    compute: Compute
    reads: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()
    warm_up: int = 720
    must_be_told: bool = False

    def __call__(self, candles: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
        """Return the columns, one row per candle."""
        unsaid = [name for name in self.reads if name != MARKET_CANDLES and name not in candles.columns]
        return self.compute(
            candles.with_columns(pl.lit(None, pl.Float64).alias(n) for n in unsaid), timeframe
        )

    def suits(self, timeframe: Timeframe) -> bool:
        """Say whether the columns make sense for candles of this length."""
        return not self.timeframes or str(timeframe) in self.timeframes


def as_feature(part: Feature | Compute) -> Feature:
    """Return a feature; a plain function is one that reads candles only."""
    return part if isinstance(part, Feature) else Feature(part)
