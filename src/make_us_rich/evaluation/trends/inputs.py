"""What the trend baselines say, as named columns that the leak check and people can look at."""

from typing import get_args

import polars as pl

from make_us_rich.features.trend_labels import Direction, LabelKind, TrendLabel
from make_us_rich.market.candle import CandleArrays
from make_us_rich.models.trend_baselines import momentum, random_walk_probability


def trend_baseline_inputs(candles: pl.DataFrame) -> pl.DataFrame:
    """Return what `momentum` reads, and what `random_walk` answers to every label: `random_walk.touch.up`.

    `base_rate` and the fit of `momentum` read labels of the rows they are given, which folds keep apart.
    """
    ohlcv = CandleArrays.from_frame(candles).ohlcv
    named = {"momentum": momentum(ohlcv)} | {
        f"random_walk.{kind}.{direction}": random_walk_probability(ohlcv, TrendLabel(kind), direction)
        for kind in get_args(LabelKind)
        for direction in get_args(Direction)
    }
    return pl.DataFrame(named)
