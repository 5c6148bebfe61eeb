"""What the models read, as named columns that the leak check and people can look at."""

import numpy as np
import polars as pl

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.leakage import Columns
from make_us_rich.evaluation.metrics import interval_bounds
from make_us_rich.features.inputs import read_inputs
from make_us_rich.market.activity import ACTIVITY_COLUMNS
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.baselines import MINIMUM_DAYS, backtest_baseline
from make_us_rich.models.price_features import PriceFeatures
from make_us_rich.models.price_table import build_price_table
from make_us_rich.models.quantiles import NAIVE_BASELINES, QUANTILE_LEVELS

_HORIZON = 1


def price_model_inputs(timeframe: Timeframe, inputs: tuple[str, ...] = ()) -> Columns:
    """Return the function from candles to every input of the price graph, by name.

    For `inputs` the candles must have the columns they are computed from.
    """
    features = PriceFeatures(timeframe, tuple(ACTIVITY_COLUMNS[n] for n in inputs if n in ACTIVITY_COLUMNS))

    def columns(candles: pl.DataFrame) -> pl.DataFrame:
        arrays = read_inputs(candles, timeframe, inputs)
        table = build_price_table(arrays.open_time_ms, arrays.ohlcv, timeframe, read=arrays.columns).columns
        named = {f"step.{name}": table.steps[:, i] for i, name in enumerate(features.step_names)}
        named |= {f"regressor.{n}": table.regressors[:, i] for i, n in enumerate(features.regressor_names)}
        named |= {f"context.{name}": table.context[:, i] for i, name in enumerate(features.context_names)}
        if table.further is not None and arrays.columns is not None:
            further = arrays.columns.names[-table.further.shape[1] :]
            named |= {f"further.{name}": table.further[:, i] for i, name in enumerate(further)}
        named["week_volatility"] = table.week_volatility
        return pl.DataFrame({name: column.numpy() for name, column in named.items()})

    return columns


def baseline_inputs(timeframe: Timeframe) -> Columns:
    """Return the function from candles to the bounds of each naive baseline: `persistence.low`, `.high`."""
    first = MINIMUM_DAYS * timeframe.candles_per_day + _HORIZON

    def columns(candles: pl.DataFrame) -> pl.DataFrame:
        close = candles["close"].to_numpy()
        rows = np.arange(first, len(close))
        low, high = interval_bounds(0.9)
        named: dict[str, FloatArray] = {}
        for name in NAIVE_BASELINES:
            quantiles = np.full((len(close), len(QUANTILE_LEVELS)), np.nan)
            quantiles[rows] = backtest_baseline(name, close, rows, timeframe, (_HORIZON,))[:, 0]
            named |= {f"{name}.low": quantiles[:, low], f"{name}.high": quantiles[:, high]}
        return pl.DataFrame(named)

    return columns
