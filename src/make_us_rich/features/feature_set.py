"""Every feature by name: the columns people inspect, and what third parties add to them."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

import polars as pl

from make_us_rich.features.calendar import calendar
from make_us_rich.features.indicators import trend_indicators
from make_us_rich.features.price import lag_returns, log_range, volatility, volume_deviation
from make_us_rich.market.timeframe import Timeframe

Feature = Callable[[pl.DataFrame, Timeframe], pl.DataFrame]
"""Candles to one or more columns, row for row; row t is the same when the future is cut off."""

ENTRY_POINT_GROUP = "make_us_rich.features"
_DAILY = Timeframe("1d")
_LAGS = (1, 4, 12, 24)
_SPANS = (1, 2, 4, 8, 12, 24, 48, 96, 168, 336, 720)
_VOLUME_SPAN = 168

FEATURES: Mapping[str, Feature] = {
    "calendar": calendar,
    "lag_returns": lambda candles, _: lag_returns(candles, _LAGS),
    "log_range": lambda candles, _: log_range(candles),
    "volatility": lambda candles, _: volatility(candles, _SPANS),
    "volume_deviation": lambda candles, _: volume_deviation(candles, _VOLUME_SPAN),
}

DAILY_FEATURES: Mapping[str, Feature] = {
    "trend_indicators": lambda candles, _: trend_indicators(candles),
}
"""Their windows are days, so candles of another length have no such columns."""


def known_features(timeframe: Timeframe) -> dict[str, Feature]:
    """Return our own features and those of installed packages (entry points `make_us_rich.features`)."""
    daily = DAILY_FEATURES if timeframe == _DAILY else {}
    others = {point.name: point.load() for point in entry_points(group=ENTRY_POINT_GROUP)}
    return {**FEATURES, **daily, **others}


def compute_features(
    candles: pl.DataFrame, timeframe: Timeframe, features: Mapping[str, Feature] | None = None
) -> pl.DataFrame:
    """Return the columns of every feature side by side, one row per candle."""
    chosen = known_features(timeframe) if features is None else features
    return pl.concat([feature(candles, timeframe) for feature in chosen.values()], how="horizontal")
