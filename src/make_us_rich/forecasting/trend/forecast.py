"""The one function that makes a trend forecast, and the checks its candles pass before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from make_us_rich.arrays import CLOSE, FloatArray
from make_us_rich.errors import DataError, ForecastUnavailableError, NotEnoughHistoryError
from make_us_rich.features.indicators import WARM_UP, last_indicators
from make_us_rich.features.trend_labels import Direction, TrendLabel, trend_labels
from make_us_rich.forecasting.forecast import Challenger, Forecast, ForecastStep
from make_us_rich.forecasting.inputs import MAX_FILLED_SHARE, inputs_hash
from make_us_rich.forecasting.kind import ShelvedModels
from make_us_rich.forecasting.trend.artifact import TrendArtifact
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.quality import (
    QualityReport,
    check_quality,
    fill_gaps,
    require_fit,
    require_fit_candles,
)
from make_us_rich.market.series import Series
from make_us_rich.models.trend_baselines import (
    TREND_BASELINES,
    MomentumFit,
    base_rate,
    fit_momentum,
    random_walk_probability,
)
from make_us_rich.registry.model_name import ModelName
from make_us_rich.registry.trend_promotion import FALLBACK
from make_us_rich.settings import Market

READ = WARM_UP + 48  # candles; the longest gap that may be filled can stand at their beginning


@dataclass(frozen=True, slots=True, eq=False)
class TrendForecasters:
    """Who answers for one name, and what was fitted of its baselines; None where nothing could be fitted."""

    market: Market
    models: ShelvedModels
    base_rate: float | None
    momentum: MomentumFit | None

    @property
    def label(self) -> TrendLabel:
        """The event that is asked about."""
        return label_of(self.models)

    @property
    def served_by(self) -> str:
        """The forecaster that answers: what the champion earned, or else a baseline."""
        if self.models.champion is not None:
            return str(self.models.champion.manifest.served_by)
        proven = self.models.newest.manifest.served_by if self.models.newest else FALLBACK
        return proven if proven in TREND_BASELINES else FALLBACK

    @property
    def challenger(self) -> TrendArtifact | None:
        """The model that is shown beside the answer, if one asks the same question and does not answer."""
        models = self.models
        if models.newest is None:
            return models.champion if self.served_by in TREND_BASELINES else None
        is_same_question = (
            models.described and models.newest.manifest.label == models.described.manifest.label
        )
        return models.newest if is_same_question else None


def label_of(models: ShelvedModels) -> TrendLabel:
    """Return the event a name is about; the published one where nothing is shelved."""
    if models.described is None:
        return TrendLabel()
    label: TrendLabel = models.described.manifest.label
    return label


def trend_event(label: TrendLabel) -> str:
    """Return the event a probability is of, as the journal holds it.

    >>> trend_event(TrendLabel())
    'sma-change/10/10/0.05'
    """
    return f"{label.kind}/{label.average}/{label.horizon}/{label.threshold:g}"


def trend_inputs(series: Series, cutoff: datetime, stored: pl.DataFrame, *, is_whole: bool) -> CandleArrays:
    """Return gap-filled candles: as many as are read, or all.

    All are no more than those where the older ones have gaps that may not be filled. Raises a `DataError`
    where too many of those that are read had to be invented.
    """
    require_fit_candles(stored.tail(WARM_UP), series, cutoff, max_missing_share=MAX_FILLED_SHARE)
    if is_whole and not _is_fit(check_quality(stored, series.symbol, series.timeframe, cutoff)):
        stored = stored.tail(WARM_UP)  # years with a hole in them say nothing about how often a trend comes
    return CandleArrays.from_frame(fill_gaps(stored, series.timeframe))


def gather_forecasters(
    market: Market, models: ShelvedModels, direction: Direction, candles: CandleArrays
) -> TrendForecasters:
    """Return who answers; baselines are those of the shelved version, or fitted on the candles here."""
    if models.described is not None:
        fitted = models.described.manifest.baselines
        momentum = MomentumFit(fitted.momentum_intercept, fitted.momentum_slope)
        return TrendForecasters(market, models, fitted.base_rate, momentum)
    labels = trend_labels(candles.ohlcv, label_of(models), direction)
    rows = np.flatnonzero(~np.isnan(labels))
    if not rows.size:
        return TrendForecasters(market, models, None, None)
    momentum = fit_momentum(candles.ohlcv, labels, rows)
    return TrendForecasters(market, models, base_rate(labels, rows), momentum)


def trend_forecast(
    name: ModelName,
    direction: Direction,
    cutoff: datetime,
    candles: CandleArrays,
    forecasters: TrendForecasters,
) -> Forecast:
    """Return the forecast of one trend from gap-free candles that end at the cutoff; nothing else enters.

    Raises `NotEnoughHistoryError` where the indicators lack candles.
    """
    if candles.close_time(name.timeframe) != cutoff:
        raise ValueError(
            f"{name}: candles end at {candles.close_time(name.timeframe)}, not at the cutoff {cutoff}"
        )
    _require_warm(name, candles)
    label, served_by = forecasters.label, forecasters.served_by
    said = _baselines(direction, candles.ohlcv[-WARM_UP:], forecasters)
    features = last_indicators(candles.ohlcv)
    is_baseline = served_by in TREND_BASELINES
    probability = said[served_by] if is_baseline else _probability(forecasters.models.champion, features)
    if probability is None:
        raise ForecastUnavailableError(
            f"{name}: {served_by} is to answer, but gives no probability; roll the model back"
        )
    version = forecasters.models.version
    target_time = cutoff + label.horizon * name.timeframe.duration
    served = ForecastStep(
        label.horizon, target_time, served_by, is_baseline, version=version, probability=probability
    )
    return Forecast(
        name=name,
        market=forecasters.market,
        cutoff=cutoff,
        last_close=float(candles.ohlcv[-1, CLOSE]),
        steps=(served,),
        version=version,
        input_hash=inputs_hash(candles),
        question=trend_event(label),
        yardsticks={baseline: (_yardstick(served, baseline, value),) for baseline, value in said.items()},
        challenger=_challenger(forecasters.challenger, features),
    )


def _yardstick(served: ForecastStep, baseline: str, probability: float | None) -> ForecastStep:
    missing = (
        None if probability is not None else f"the {baseline.replace('_', ' ')} gives no probability here"
    )
    return replace(
        served,
        served_by=baseline,
        is_baseline=True,
        version=None,
        probability=probability,
        missing=missing,
    )


def _require_warm(name: ModelName, candles: CandleArrays) -> None:
    if len(candles) < WARM_UP:
        raise NotEnoughHistoryError(
            f"{name.symbol} {name.timeframe}: a trend forecast needs {WARM_UP} candles, "
            f"found {len(candles)}; run `mur fetch {name.symbol} --timeframe {name.timeframe} --since 365d`"
        )


def _is_fit(report: QualityReport) -> bool:
    try:
        require_fit(report)
    except DataError:
        return False
    return True


def _baselines(
    direction: Direction, ohlcv: FloatArray, forecasters: TrendForecasters
) -> Mapping[str, float | None]:
    walk = random_walk_probability(ohlcv, forecasters.label, direction)
    momentum = forecasters.momentum
    return {
        "base_rate": forecasters.base_rate,
        "momentum": float(momentum.probability(ohlcv)[-1]) if momentum else None,
        "random_walk": float(walk[-1]),
    }


def _probability(artifact: TrendArtifact | None, features: FloatArray) -> float | None:
    if artifact is None:
        raise ValueError("a model is to answer, but there is none")
    probability = float(artifact.model.probability(features[None])[0])
    return probability if 0 <= probability <= 1 else None


def _challenger(artifact: TrendArtifact | None, features: FloatArray) -> Challenger | None:
    probability = _probability(artifact, features) if artifact else None
    if artifact is None or probability is None:
        return None
    manifest = artifact.manifest
    return Challenger(
        version=manifest.version,
        model=manifest.model,
        probability=probability,
        is_proven=manifest.served_by not in TREND_BASELINES,
    )
