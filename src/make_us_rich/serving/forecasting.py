"""The one function that makes a forecast, and what it is given from the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from make_us_rich.errors import ForecastUnavailableError, NotEnoughHistoryError
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
    open_time_ms, ohlcv = candles.open_time_ms[None, -lookback:], candles.ohlcv[None, -lookback:]
    prices: FloatArray = champion.forecaster.quantiles(open_time_ms, ohlcv)[0]
    return prices


def current_forecast(
    view: DeskView, series: Series, champion: Artifact | None, now: datetime
) -> PriceForecast:
    """Return the forecast of a stored series from the candles that had closed at `now`."""
    candles = _known_candles(view, series, champion, now)
    served_by = horizons_served(champion)
    horizons = tuple(horizon for horizon, _ in served_by)
    naive = {
        baseline: baseline_quantiles(baseline, candles.ohlcv[:, _CLOSE], series.timeframe, horizons)
        for baseline in {forecaster for _, forecaster in served_by} & set(NAIVE_BASELINES)
    }
    cutoff = candles.close_time(series.timeframe)
    return forecast(series.price_name, cutoff, candles, Forecasters(view.market, champion, naive))


def _known_candles(view: DeskView, series: Series, champion: Artifact | None, now: datetime) -> CandleArrays:
    day = series.timeframe.candles_per_day
    lookback = champion.manifest.lookback if champion else day
    stored = view.closed_candles(series, max(HISTORY_DAYS * day + _WARM_UP_CANDLES, lookback), now)
    report = check_quality(stored.tail(lookback), series.symbol, series.timeframe, now)
    require_fit(report, max_missing_share=MAX_FILLED_SHARE)
    return CandleArrays.from_frame(fill_gaps(stored, series.timeframe))
