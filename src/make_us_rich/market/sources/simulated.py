"""A market that is made up: it always answers, and everything shown from it says SIMULATED."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from make_us_rich.arrays import FloatArray
from make_us_rich.market.candle import CANDLE_SCHEMA, VALUE_COLUMNS, candles_between
from make_us_rich.market.sources.source import unknown_symbol
from make_us_rich.market.sources.walk import EPOCH, Walk, WalkState, resample
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market

_START_PRICES = {
    "ADA": 1.31,
    "AVAX": 109.0,
    "BNB": 511.0,
    "BTC": 46_216.0,
    "DOGE": 0.17,
    "DOT": 26.7,
    "ETH": 3_676.0,
    "LINK": 19.6,
    "LTC": 146.0,
    "SOL": 170.0,
    "XRP": 0.83,
}
_WEEK = timedelta(weeks=1)
_PAGE_ROWS = 5000


class SimulatedSource:
    """Random walks with clustered volatility since 2022; see `walk`.

    The same seed gives the same candles for ever, whatever window is asked for, and candles of
    different timeframes agree with each other.
    """

    market: Market = "simulated"

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError("seed must not be negative")
        self.name = f"simulated-{seed}" if seed else "simulated"
        self._paths = {
            symbol: _Path(Walk(symbol, price, seed))
            for symbol, price in ((Symbol(base, "USDT"), price) for base, price in _START_PRICES.items())
        }

    def symbols(self, timeframe: Timeframe) -> list[Symbol]:  # noqa: ARG002 -- every timeframe has them all
        """Return the simulated coins."""
        return sorted(self._paths)

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        """Yield pages of candles that close at or before `until`, which stands for the present moment."""
        path = self._paths.get(symbol)
        if path is None:
            raise unknown_symbol(self.name, symbol, self._paths)
        return path.pages(timeframe, max(since, EPOCH), timeframe.floor(until))


class _Path:
    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._lock = threading.Lock()
        self._states: list[WalkState] = [walk.start]
        self._hours: list[FloatArray] = []  # hourly candles (168, 5) of each week: small enough to keep

    def pages(self, timeframe: Timeframe, since: datetime, until: datetime) -> Iterator[pl.DataFrame]:
        weeks_per_page = max(1, _PAGE_ROWS // (7 * timeframe.candles_per_day))
        week = (since - EPOCH) // _WEEK
        while EPOCH + week * _WEEK < until:
            weeks = range(week, week + weeks_per_page)
            values = np.concatenate([self._candles(timeframe, number) for number in weeks])
            page = candles_between(_as_frame(values, EPOCH + week * _WEEK, timeframe), since, until)
            if len(page):
                yield page
            week += weeks_per_page

    def _candles(self, timeframe: Timeframe, week: int) -> FloatArray:
        with self._lock:
            while len(self._hours) <= week:
                minutes, state = self._walk.simulate_week(len(self._hours), self._states[-1])
                self._hours.append(resample(minutes, 60))
                self._states.append(state)
        if timeframe.minutes >= 60:
            return resample(self._hours[week], timeframe.minutes // 60)
        minutes, _ = self._walk.simulate_week(week, self._states[week])
        return resample(minutes, timeframe.minutes)


def _as_frame(values: FloatArray, start: datetime, timeframe: Timeframe) -> pl.DataFrame:
    first = int(start.timestamp() * 1000)
    times = first + np.arange(len(values)) * timeframe.milliseconds
    columns = {"open_time": times} | {name: values[:, i] for i, name in enumerate(VALUE_COLUMNS)}
    return pl.DataFrame(columns).cast(CANDLE_SCHEMA)
