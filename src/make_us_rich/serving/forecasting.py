"""The one function that makes a forecast, and what it is given from the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from make_us_rich.errors import ForecastUnavailableError, NotEnoughHistoryError
from make_us_rich.features.market_volatility import market_variance
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.quality import check_quality, fill_gaps, require_fit
from make_us_rich.models.baselines import HISTORY_DAYS, baseline_quantiles
from make_us_rich.models.forecast import (
    HORIZONS,
    NAIVE_BASELINES,
    FloatArray,
    ForecastStep,
    PriceForecast,
    probability_above,
)
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.settings import Market

MAX_FILLED_SHARE = 0.1  # of the candles a model looks at; more would be a forecast from invented prices

_WARM_UP_CANDLES = 1_000  # of the baselines, beyond their year of returns
_CLOSE = 3


@dataclass(frozen=True, slots=True)
class Forecasters:
    """Who answers for one name: the champion, and naive baselines at the horizons it has not earned.

    `naive` holds quantiles (horizon, level) of the log return at this cutoff, by baseline.
    """

    market: Market
    champion: Artifact | None
    naive: Mapping[str, FloatArray]

    @property
    def served_by(self) -> tuple[tuple[int, str], ...]:
        """Which forecaster answers at each horizon."""
        return horizons_served(self.champion)


def horizons_served(champion: Artifact | None) -> tuple[tuple[int, str], ...]:
    """Return each horizon with the forecaster that answers there; without a champion that is persistence."""
    if champion is None:
        return tuple((horizon, NAIVE_BASELINES[0]) for horizon in HORIZONS)
    manifest = champion.manifest
    return tuple((horizon, manifest.served_by[str(horizon)]) for horizon in manifest.horizons)


def forecast(
    name: ModelName, cutoff: datetime, candles: CandleArrays, forecasters: Forecasters
) -> PriceForecast:
    """Return the forecast of one name from gap-free candles that end at the cutoff; nothing else enters."""
    if candles.close_time(name.timeframe) != cutoff:
        raise ValueError(
            f"{name}: candles end at {candles.close_time(name.timeframe)}, not at the cutoff {cutoff}"
        )
    last_close = float(candles.ohlcv[-1, _CLOSE])
    duration = name.timeframe.duration
    served_by = forecasters.served_by
    prices = _served_prices(name, candles, forecasters)
    steps = tuple(
        ForecastStep(
            horizon=horizon,
            target_time=cutoff + horizon * duration,
            quantiles=tuple(quantiles.tolist()),
            probability_up=probability_above(quantiles, last_close),
            served_by=forecaster,
            is_baseline=forecaster in NAIVE_BASELINES,
        )
        for (horizon, forecaster), quantiles in zip(served_by, prices, strict=True)
    )
    return PriceForecast(
        name=str(name),
        symbol=str(name.symbol),
        timeframe=str(name.timeframe),
        market=forecasters.market,
        cutoff=cutoff,
        last_close=last_close,
        steps=steps,
        model_version=forecasters.champion.manifest.version if forecasters.champion else None,
    )


def _served_prices(name: ModelName, candles: CandleArrays, forecasters: Forecasters) -> FloatArray:
    last_close = candles.ohlcv[-1, _CLOSE]
    model_prices = None
    rows = []
    for row, (_, forecaster) in enumerate(forecasters.served_by):
        if forecaster in NAIVE_BASELINES:
            rows.append(last_close * np.exp(forecasters.naive[forecaster][row]))
            continue
        if model_prices is None:
            model_prices = _champion_prices(name, candles, forecasters.champion)
        rows.append(model_prices[row])
    prices: FloatArray = np.stack(rows)  # (horizon, level)
    if not (np.isfinite(prices).all() and (prices[:, 1:] >= prices[:, :-1]).all()):
        raise ForecastUnavailableError(f"{name}: the model answered with no distribution; roll it back")
    return prices


def _champion_prices(name: ModelName, candles: CandleArrays, champion: Artifact | None) -> FloatArray:
    if champion is None:
        raise ValueError(f"{name}: a model is to answer, but there is no champion")
    lookback = champion.manifest.lookback
    if len(candles) < lookback:
        raise NotEnoughHistoryError(
            f"{name} needs {lookback} candles, found {len(candles)}; fetch more with `mur fetch`"
        )
    window = np.arange(len(candles) - lookback, len(candles))[None]
    prices: FloatArray = champion.forecaster.quantiles(*candles.at(window))[0]
    return prices


def current_forecast(
    view: DeskView, series: Series, champion: Artifact | None, now: datetime
) -> PriceForecast:
    """Return the forecast of a stored series from the candles that had closed at `now`."""
    return forecast_from(view, series, champion, known_candles(view, series, champion, now))


def forecast_from(
    view: DeskView, series: Series, champion: Artifact | None, candles: CandleArrays
) -> PriceForecast:
    """Return the forecast of a stored series from what is known of it."""
    served_by = horizons_served(champion)
    horizons = tuple(horizon for horizon, _ in served_by)
    naive = {
        baseline: baseline_quantiles(baseline, candles.ohlcv[:, _CLOSE], series.timeframe, horizons)
        for baseline in {forecaster for _, forecaster in served_by} & set(NAIVE_BASELINES)
    }
    cutoff = candles.close_time(series.timeframe)
    return forecast(series.price_name, cutoff, candles, Forecasters(view.market, champion, naive))


def known_candles(view: DeskView, series: Series, champion: Artifact | None, now: datetime) -> CandleArrays:
    """Return all that a forecast reads: gap-filled candles that had closed at `now`, and their activity."""
    day = series.timeframe.candles_per_day
    lookback = champion.manifest.lookback if champion else day
    columns = champion.manifest.activity_columns if champion else ()
    count = max(HISTORY_DAYS * day + _WARM_UP_CANDLES, lookback)
    stored = view.closed_candles(series, count, now, with_trades=bool(columns))
    report = check_quality(stored.tail(lookback), series.symbol, series.timeframe, now)
    require_fit(report, max_missing_share=MAX_FILLED_SHARE)
    candles = fill_gaps(stored, series.timeframe)
    if champion and columns:
        candles = _with_market(view, series, champion.manifest.market_symbols, candles)
        _require_told(series, columns, candles, lookback)
    return CandleArrays.from_frame(candles, columns)


def _with_market(
    view: DeskView, series: Series, symbols: tuple[str, ...], candles: pl.DataFrame
) -> pl.DataFrame:
    if not symbols:
        return candles
    market = view.market_candles(series, symbols, candles["open_time"])
    return candles.with_columns(market_variance(candles["open_time"], market))


def _require_told(series: Series, columns: tuple[str, ...], candles: pl.DataFrame, lookback: int) -> None:
    """Refuse a forecast whose activity is not told at the cutoff, nor before its window, or too rarely."""
    known = candles.tail(lookback)
    for column in columns:
        told, is_last_told = known[column].count(), known[column].item(-1) is not None
        is_begun = candles[column].head(len(candles) - len(known) + 1).count() > 0
        if not (is_begun and is_last_told) or told < (1 - MAX_FILLED_SHARE) * len(known):
            raise ForecastUnavailableError(
                f"{series}: the model reads {column}, which is told of {told} of its {len(known)} candles"
                f"{'' if is_last_told else ', not of the last one'}; fetch the rest with `mur fetch`, or "
                "roll back to a model that reads candles only"
            )
