"""The one function that makes a trend forecast, and what it is given from the store."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from make_us_rich.errors import DataError, ForecastUnavailableError, NotEnoughHistoryError
from make_us_rich.features.indicators import WARM_UP, last_indicators
from make_us_rich.features.trend_labels import Direction, trend_labels
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.quality import QualityReport, check_quality, fill_gaps, require_fit
from make_us_rich.models.forecast import FloatArray
from make_us_rich.models.trend_baselines import (
    TREND_BASELINES,
    MomentumFit,
    base_rate,
    fit_momentum,
    random_walk_probability,
)
from make_us_rich.models.trend_forecast import Challenger, TrendForecast
from make_us_rich.registry.artifact import TrendArtifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.desk_view import DeskView, Series
from make_us_rich.serving.forecasting import MAX_FILLED_SHARE
from make_us_rich.serving.trends.models import TrendModels
from make_us_rich.settings import Market

_READ = WARM_UP + 48  # candles; the longest gap that may be filled can stand at their beginning
_CLOSE = 3


@dataclass(frozen=True, slots=True, eq=False)
class TrendForecasters:
    """Who answers for one name; the two fitted baselines are None where nothing could be fitted."""

    market: Market
    models: TrendModels
    base_rate: float | None
    momentum: MomentumFit | None


def direction_of(name: ModelName) -> Direction:
    """Return which way the event of a trend name goes."""
    return "up" if name.kind == "trend-up" else "down"


def trend_forecast(
    name: ModelName, cutoff: datetime, candles: CandleArrays, forecasters: TrendForecasters
) -> TrendForecast:
    """Return the forecast of one trend from gap-free candles that end at the cutoff; nothing else enters.

    Raises `NotEnoughHistoryError` where the indicators lack candles.
    """
    if candles.close_time(name.timeframe) != cutoff:
        raise ValueError(
            f"{name}: candles end at {candles.close_time(name.timeframe)}, not at the cutoff {cutoff}"
        )
    models, label = forecasters.models, forecasters.models.label
    _require_warm(name, candles)
    baselines = _baselines(name, candles.ohlcv[-WARM_UP:], forecasters)
    features = last_indicators(candles.ohlcv)
    served_by = models.served_by
    is_baseline = served_by in TREND_BASELINES
    probability = baselines[served_by] if is_baseline else _probability(models.champion, features)
    if probability is None:
        raise ForecastUnavailableError(
            f"{name}: {served_by} is to answer, but gives no probability; roll the model back"
        )
    return TrendForecast(
        name=str(name),
        symbol=str(name.symbol),
        timeframe=str(name.timeframe),
        direction=direction_of(name),
        market=forecasters.market,
        cutoff=cutoff,
        target_time=cutoff + label.horizon * name.timeframe.duration,
        last_close=float(candles.ohlcv[-1, _CLOSE]),
        label=label,
        probability=probability,
        served_by=served_by,
        is_baseline=is_baseline,
        baselines=baselines,
        model_version=models.champion.manifest.version if models.champion else None,
        challenger=_challenger(models.challenger, features),
    )


def known_candles(view: DeskView, series: Series, now: datetime, *, is_whole: bool) -> CandleArrays:
    """Return the gap-filled candles of a series that had closed at `now`: as many as are read, or all.

    All are no more than those where the older ones have gaps that may not be filled. Raises a `DataError`
    where too many of those that are read had to be invented.
    """
    stored = view.closed_candles(series, None if is_whole else _READ, now)
    report = check_quality(stored.tail(WARM_UP), series.symbol, series.timeframe, now)
    require_fit(report, max_missing_share=MAX_FILLED_SHARE)
    if is_whole and not _is_fit(check_quality(stored, series.symbol, series.timeframe, now)):
        stored = stored.tail(WARM_UP)  # years with a hole in them say nothing about how often a trend comes
    return CandleArrays.from_frame(fill_gaps(stored, series.timeframe))


def gather_forecasters(
    view: DeskView, name: ModelName, models: TrendModels, candles: CandleArrays
) -> TrendForecasters:
    """Return who answers; baselines are those of the shelved version, or fitted on the candles here."""
    if models.described is not None:
        fitted = models.described.manifest.baselines
        momentum = MomentumFit(fitted.momentum_intercept, fitted.momentum_slope)
        return TrendForecasters(view.market, models, fitted.base_rate, momentum)
    labels = trend_labels(candles.ohlcv, models.label, direction_of(name))
    rows = np.flatnonzero(~np.isnan(labels))
    if not rows.size:
        return TrendForecasters(view.market, models, None, None)
    momentum = fit_momentum(candles.ohlcv, labels, rows)
    return TrendForecasters(view.market, models, base_rate(labels, rows), momentum)


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


def _baselines(name: ModelName, ohlcv: FloatArray, forecasters: TrendForecasters) -> dict[str, float | None]:
    walk = random_walk_probability(ohlcv, forecasters.models.label, direction_of(name))
    momentum = forecasters.momentum
    return {
        "base_rate": forecasters.base_rate,
        "momentum": float(momentum.probability(ohlcv)[-1]) if momentum else None,
        "random_walk": float(walk[-1]),
    }


def _probability(artifact: TrendArtifact | None, features: FloatArray) -> float | None:
    if artifact is None:
        raise ValueError("a model is to answer, but there is none")
    probability = float(artifact.classifier.probability(features[None])[0])
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
