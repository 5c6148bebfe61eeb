from collections.abc import Callable

import numpy as np
import pytest

from make_us_rich.evaluation.trends.table import TrendTable, build_trend_table
from make_us_rich.features.trend_labels import TrendLabel
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

DAY_MS = 86_400_000
DAILY = Timeframe("1d")


@pytest.fixture(scope="session")
def make_table() -> Callable[..., TrendTable]:
    """Return a function that builds a random walk of days, from day `first` on."""

    def build(days: int = 1000, *, first: int = 18_000, seed: int = 0, symbol: str = "SOL") -> TrendTable:
        rng = np.random.default_rng(seed)
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.04, days)))
        opened = np.concatenate([[100.0], close[:-1]])
        spread = np.exp(np.abs(rng.normal(0, 0.01, days)))
        high, low = np.maximum(opened, close) * spread, np.minimum(opened, close) / spread
        ohlcv = np.column_stack([opened, high, low, close, rng.lognormal(5, 0.5, days)])
        times = (first + np.arange(days)) * DAY_MS
        return build_trend_table(Symbol(symbol, "USDT"), DAILY, CandleArrays(times, ohlcv), TrendLabel())

    return build
