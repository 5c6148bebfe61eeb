"""A desk in a folder with daily candles, for trends; see `trial_desk` for the hourly one."""

from datetime import timedelta

import numpy as np
import polars as pl

from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName
from make_us_rich.testing.trend_artifacts import toy_trend_draft
from trial_desk import END, TrialDesk

SOL = Symbol("SOL", "USDT")
ADA = Symbol("ADA", "USDT")
DAY = Timeframe.parse("1d")
UP = ModelName("trend-up", SOL, DAY)
DOWN = ModelName("trend-down", SOL, DAY)


def daily_candles(count=400, until=END, seed=0):
    numbers = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(numbers.normal(0, 0.03, count)))
    times = pl.datetime_range(
        until - count * DAY.duration, until - DAY.duration, DAY.duration, time_unit="ms", eager=True
    )
    return pl.DataFrame(
        {
            "open_time": times,
            "open": close,
            "high": close * (1 + numbers.uniform(0, 0.03, count)),
            "low": close * (1 - numbers.uniform(0, 0.03, count)),
            "close": close,
            "volume": numbers.uniform(1, 2, count),
        }
    )


class TrendDesk(TrialDesk):
    """A desk with the few things tests of trends do to it."""

    def add_days(self, candles, symbol=SOL, source="recorded"):
        self.store.append(candles, Series(source, symbol, DAY))
        return self

    def shelve_trend(self, **given):
        return self.shelf.shelve(toy_trend_draft(self.view.market, **given))

    def promote_trend(self, **given):
        draft = toy_trend_draft(self.view.market, **given)
        version = self.shelf.shelve(draft)
        self.shelf.promote(draft.manifest.name, version, "better", self.clock.now())
        return version

    def wait(self, days):
        self.clock.moment = END + timedelta(days=days, minutes=1)
