"""The one function that makes a price forecast, and the checks its candles pass before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from make_us_rich.arrays import CLOSE, FloatArray
from make_us_rich.errors import ArtifactError, ForecastUnavailableError, NotEnoughHistoryError
from make_us_rich.features.inputs import columns_to_be_told, read_columns
from make_us_rich.features.market_volatility import market_frame, market_variance
from make_us_rich.forecasting.forecast import Forecast, ForecastStep
from make_us_rich.forecasting.inputs import MAX_FILLED_SHARE
from make_us_rich.forecasting.kind import CandleNeed, KnownCandles
from make_us_rich.forecasting.price.artifact import PriceArtifact
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.quality import fill_gaps, require_fit_candles
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.models.baselines import HISTORY_DAYS, baseline_quantiles
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.models.quantiles import HORIZONS, NAIVE_BASELINES
from make_us_rich.registry.model_name import ModelName
from make_us_rich.settings import Market

PERSISTENCE = "persistence"
VOLATILITY = "volatility"

_WARM_UP_CANDLES = 1_000  # of the baselines, beyond their year of returns


@dataclass(frozen=True, slots=True)
class Forecasters:
    """Who answers for one name: the champion, and naive baselines at the horizons it has not earned.

    `naive` holds quantiles (horizon, level) of the log return at this cutoff, by baseline.
    """

    market: Market
    champion: PriceArtifact | None
    naive: Mapping[str, FloatArray]

    @property
    def served_by(self) -> tuple[tuple[int, str], ...]:
        """Which forecaster answers at each horizon."""
        return horizons_served(self.champion)


def horizons_served(champion: PriceArtifact | None) -> tuple[tuple[int, str], ...]:
    """Return each horizon with the forecaster that answers there; without a champion that is persistence."""
    if champion is None:
        return tuple((horizon, NAIVE_BASELINES[0]) for horizon in HORIZONS)
    manifest = champion.manifest
    return tuple((horizon, manifest.served_by[str(horizon)]) for horizon in manifest.horizons)


def candle_needs(series: Series, champion: PriceArtifact | None) -> Sequence[CandleNeed]:
    """Return the candles a forecast reads: a year for the baselines, the market's where a model reads it."""
    day = series.timeframe.candles_per_day
    lookback = champion.manifest.lookback if champion else day
    count = max(HISTORY_DAYS * day + _WARM_UP_CANDLES, lookback)
    own = CandleNeed(series, count, with_trades=bool(champion and champion.manifest.activity_columns))
    market = champion.manifest.market_symbols if champion else ()
    return [own, *(CandleNeed(series.of(Symbol.parse(symbol)), count) for symbol in market)]


def price_inputs(
    series: Series, cutoff: datetime, candles: KnownCandles, champion: PriceArtifact | None
) -> CandleArrays:
    """Return all that a forecast is made from: gap-filled candles and the activity a model reads.

    Raises a `DataError` where too many of the candles a model looks at had to be invented.
    """
    stored = candles.of(series)
    lookback = champion.manifest.lookback if champion else series.timeframe.candles_per_day
    require_fit_candles(stored.tail(lookback), series, cutoff, max_missing_share=MAX_FILLED_SHARE)
    filled = fill_gaps(stored, series.timeframe)
    columns = champion.manifest.activity_columns if champion else ()
    if champion and columns:
        filled = _with_market(series, champion.manifest.market_symbols, filled, candles)
        _require_told(series, columns_to_be_told(columns), filled, lookback)
    return read_columns(filled, series.timeframe, columns)


def price_forecast(
    name: ModelName, cutoff: datetime, candles: CandleArrays, forecasters: Forecasters
) -> Forecast:
    """Return the forecast of one name from gap-free candles that end at the cutoff; nothing else enters.

    Its yardsticks are those of `yardstick_steps`, its `input_hash` is for the kind to add: to hash a year of
    candles costs more than to run the model.
    """
    if candles.close_time(name.timeframe) != cutoff:
        raise ValueError(
            f"{name}: candles end at {candles.close_time(name.timeframe)}, not at the cutoff {cutoff}"
        )
    champion = forecasters.champion
    version = champion.manifest.version if champion else None
    prices = _served_prices(name, candles, forecasters)
    steps = tuple(
        ForecastStep(
            horizon=horizon,
            target_time=cutoff + horizon * name.timeframe.duration,
            served_by=forecaster,
            is_baseline=forecaster in NAIVE_BASELINES,
            version=version,
            quantiles=tuple(quantiles.tolist()),
        )
        for (horizon, forecaster), quantiles in zip(forecasters.served_by, prices, strict=True)
    )
    return Forecast(
        name=name,
        market=forecasters.market,
        cutoff=cutoff,
        last_close=float(candles.ohlcv[-1, CLOSE]),
        steps=steps,
        version=version,
        input_hash="",
    )


def naive_quantiles(
    candles: CandleArrays, series: Series, champion: PriceArtifact | None
) -> dict[str, FloatArray]:
    """Return what the naive baselines say that answer somewhere, and persistence, the first yardstick."""
    served_by = horizons_served(champion)
    horizons = tuple(horizon for horizon, _ in served_by)
    wanted = {PERSISTENCE} | {forecaster for _, forecaster in served_by} & set(NAIVE_BASELINES)
    return {
        baseline: baseline_quantiles(baseline, candles.ohlcv[:, CLOSE], series.timeframe, horizons)
        for baseline in wanted
    }


def yardstick_steps(
    forecast: Forecast, candles: CandleArrays, forecasters: Forecasters
) -> dict[str, tuple[ForecastStep, ...]]:
    """Return what persistence and the volatility regression say beside a forecast, or why nothing."""
    persistence = forecast.last_close * np.exp(forecasters.naive[PERSISTENCE])
    return {
        PERSISTENCE: tuple(
            ForecastStep(
                step.horizon, step.target_time, PERSISTENCE, is_baseline=True, quantiles=tuple(row.tolist())
            )
            for step, row in zip(forecast.steps, persistence, strict=True)
        ),
        VOLATILITY: _volatility_steps(forecast, candles, forecasters.champion),
    }


def _served_prices(name: ModelName, candles: CandleArrays, forecasters: Forecasters) -> FloatArray:
    last_close = candles.ohlcv[-1, CLOSE]
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
    if not _is_distribution(prices):
        raise ForecastUnavailableError(f"{name}: the model answered with no distribution; roll it back")
    return prices


def _champion_prices(name: ModelName, candles: CandleArrays, champion: PriceArtifact | None) -> FloatArray:
    if champion is None:
        raise ValueError(f"{name}: a model is to answer, but there is no champion")
    lookback = champion.manifest.lookback
    if len(candles) < lookback:
        raise NotEnoughHistoryError(
            f"{name} needs {lookback} candles, found {len(candles)}; fetch more with `mur fetch`"
        )
    window = np.arange(len(candles) - lookback, len(candles))[None]
    prices: FloatArray = champion.model.forecaster.quantiles(*candles.at(window))[0]
    return prices


def _volatility_steps(
    forecast: Forecast, candles: CandleArrays, champion: PriceArtifact | None
) -> tuple[ForecastStep, ...]:
    # a model of the preset `volatility` is the regression itself; others carry it along
    said: dict[int, tuple[float, ...] | None] = {
        step.horizon: step.quantiles for step in forecast.steps if step.served_by == VOLATILITY
    }
    missing = "no model is served, so no regression was fitted"
    if champion is not None and len(said) < len(forecast.steps):
        try:
            prices = _volatility_prices(champion, candles).tolist()
        except ArtifactError as error:
            missing = str(error)
        else:
            rows = zip(champion.manifest.horizons, prices, strict=True)
            said = {**{horizon: tuple(row) for horizon, row in rows}, **said}
    return tuple(
        ForecastStep(
            step.horizon,
            step.target_time,
            VOLATILITY,
            version=forecast.version if step.horizon in said else None,
            quantiles=said.get(step.horizon),
            missing=None if step.horizon in said else missing,
        )
        for step in forecast.steps
    )


def _volatility_prices(champion: PriceArtifact, candles: CandleArrays) -> FloatArray:
    manifest = champion.manifest
    is_itself = manifest.model == VOLATILITY
    regression = champion.model.forecaster if is_itself else champion.model.volatility
    if regression is None:
        raise ArtifactError(
            f"{manifest.name}@{manifest.version} was shelved without its volatility regression; "
            "train it again"
        )
    found = _newest_quantiles(regression, candles, manifest.name)
    if not _is_distribution(found):
        raise ArtifactError(f"{manifest.name}: the volatility regression answered with no distribution")
    return found


def _newest_quantiles(regression: OnnxForecaster, candles: CandleArrays, name: str) -> FloatArray:
    count = regression.lookback
    if len(candles) < count:
        raise ArtifactError(f"{name}: the volatility regression needs {count} candles, found {len(candles)}")
    rows = np.arange(len(candles) - count, len(candles))[None]
    found: FloatArray = regression.quantiles(candles.open_time_ms[rows], candles.ohlcv[rows])[0]
    return found


def _is_distribution(prices: FloatArray) -> bool:
    return bool(np.isfinite(prices).all() and (prices[:, 1:] >= prices[:, :-1]).all())


def _with_market(
    series: Series, symbols: tuple[str, ...], candles: pl.DataFrame, known: KnownCandles
) -> pl.DataFrame:
    if not symbols:
        return candles
    pairs = [Symbol.parse(symbol) for symbol in symbols]
    market = {pair.path_name: known.of(series.of(pair)) for pair in pairs}
    times = candles["open_time"]
    return candles.with_columns(market_variance(times, list(market.values())), *market_frame(times, market))


def _require_told(series: Series, columns: tuple[str, ...], candles: pl.DataFrame, lookback: int) -> None:
    """Refuse a forecast whose inputs are not told at the cutoff, nor before its window, or too rarely."""
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
