"""Every feature by name: ours, and those of installed packages. Each can be an input of a model."""

from collections.abc import Mapping

import polars as pl

from make_us_rich.features.calendar import calendar
from make_us_rich.features.feature import Compute, Feature, as_feature
from make_us_rich.features.indicators import WARM_UP as INDICATORS_WARM_UP
from make_us_rich.features.indicators import snake_case, trend_indicators
from make_us_rich.features.price import lag_returns, log_range, volatility, volume_deviation
from make_us_rich.market.activity import ACTIVITY_COLUMNS
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registries import Registry

_LAGS = (1, 4, 12, 24)
_SPANS = (1, 2, 4, 8, 12, 24, 48, 96, 168, 336, 720)
_VOLUME_SPAN = 168


def _as_told(column: str) -> Feature:
    # a small share of untold candles is allowed; they take the value of the candle before
    def told(candles: pl.DataFrame, _: Timeframe) -> pl.DataFrame:
        return candles.select(pl.col(column).cast(pl.Float64).forward_fill())

    return Feature(told, reads=(column,), must_be_told=True)


FEATURES: Registry[Feature | Compute] = Registry(
    "make_us_rich.features",
    {
        **{name: _as_told(column) for name, column in ACTIVITY_COLUMNS.items()},
        "calendar": Feature(calendar, warm_up=1),
        "lag_returns": Feature(lambda candles, _: lag_returns(candles, _LAGS), warm_up=max(_LAGS) + 1),
        "log_range": Feature(lambda candles, _: log_range(candles), warm_up=1),
        "volatility": Feature(lambda candles, _: volatility(candles, _SPANS), warm_up=max(_SPANS)),
        "volume_deviation": Feature(
            lambda candles, _: volume_deviation(candles, _VOLUME_SPAN), warm_up=_VOLUME_SPAN
        ),
        "trend_indicators": Feature(
            lambda candles, _: trend_indicators(candles).rename(snake_case),
            timeframes=("1d",),  # their windows are days
            warm_up=INDICATORS_WARM_UP,
        ),
    },
)
"""An entry point of the group names a `Feature`, or a function from candles and timeframe to columns."""


def resolve_feature(name: str) -> Feature:
    """Return the feature of a name; an `UnknownNameError` where there is none."""
    return as_feature(FEATURES.resolve(name))


def known_features(timeframe: Timeframe) -> dict[str, Feature]:
    """Return every feature that makes sense for candles of this length."""
    every = {name: resolve_feature(name) for name in FEATURES}
    return {name: feature for name, feature in every.items() if feature.suits(timeframe)}


def compute_features(
    candles: pl.DataFrame, timeframe: Timeframe, features: Mapping[str, Feature | Compute] | None = None
) -> pl.DataFrame:
    """Return the columns of every feature side by side, one row per candle."""
    chosen = known_features(timeframe) if features is None else features
    frames = [as_feature(feature)(candles, timeframe) for feature in chosen.values()]
    return pl.concat(frames, how="horizontal")
