"""What is written down when a candle has closed: the served forecast and its yardsticks, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from make_us_rich.features.trend_labels import TrendLabel
from make_us_rich.models.forecast import PriceForecast
from make_us_rich.models.trend_forecast import TrendForecast

SERVED = "served"
PERSISTENCE = "persistence"
VOLATILITY = "volatility"
RANDOM_WALK = "random_walk"
PRICE_FORECASTERS = (SERVED, PERSISTENCE, VOLATILITY)
TREND_FORECASTERS = (SERVED, RANDOM_WALK)

REMARK_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Entry:
    """What one forecaster says about one horizon: 13 prices, a probability, or why nothing.

    `model` is who spoke for it (`lstm`, `persistence` …), `version` that of the artifact it came from.
    """

    forecaster: str
    horizon: int
    target_time: datetime
    model: str
    version: int | None = None
    quantiles: tuple[float, ...] | None = None
    probability: float | None = None
    missing: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is said about one name at one cutoff; `question` is the event a probability is of."""

    name: str
    cutoff: datetime
    last_close: float
    input_hash: str
    entries: tuple[Entry, ...]
    question: str | None = None


@dataclass(frozen=True, slots=True)
class VolatilityForecast:
    """The quantiles of the volatility regression by horizon, and why others are missing."""

    quantiles: Mapping[int, tuple[float, ...]]
    version: int | None
    missing: str = ""


def price_sheet(
    served: PriceForecast,
    persistence: PriceForecast,
    volatility: VolatilityForecast,
    input_hash: str,
    remarks: Mapping[int, str] | None = None,
) -> Sheet:
    """Return the sheet of a price forecast; `remarks` say why a horizon is served by its baseline."""
    spoken = remarks or {}
    entries = [
        Entry(
            SERVED,
            step.horizon,
            step.target_time,
            step.served_by,
            served.model_version,
            step.quantiles,
            remark=_short(spoken.get(step.horizon)),
        )
        for step in served.steps
    ]
    entries += [
        Entry(PERSISTENCE, step.horizon, step.target_time, PERSISTENCE, quantiles=step.quantiles)
        for step in persistence.steps
    ]
    entries += [_volatility_entry(step.horizon, step.target_time, volatility) for step in served.steps]
    return Sheet(served.name, served.cutoff, served.last_close, input_hash, tuple(entries))


def trend_sheet(served: TrendForecast, input_hash: str) -> Sheet:
    """Return the sheet of a trend forecast, whose horizon is counted in its candles."""
    horizon, target_time = served.label.horizon, served.target_time
    walk = served.baselines.get(RANDOM_WALK)
    entries = (
        Entry(SERVED, horizon, target_time, served.served_by, served.model_version, None, served.probability),
        Entry(
            RANDOM_WALK,
            horizon,
            target_time,
            RANDOM_WALK,
            probability=walk,
            missing=None if walk is not None else "the random walk gives no probability here",
        ),
    )
    return Sheet(
        served.name, served.cutoff, served.last_close, input_hash, entries, trend_event(served.label)
    )


def trend_event(label: TrendLabel) -> str:
    """Return the event a probability is of, as rows hold it.

    >>> trend_event(TrendLabel())
    'sma-change/10/10/0.05'
    """
    return f"{label.kind}/{label.average}/{label.horizon}/{label.threshold:g}"


def _volatility_entry(horizon: int, target_time: datetime, volatility: VolatilityForecast) -> Entry:
    quantiles = volatility.quantiles.get(horizon)
    missing = None if quantiles else _short(volatility.missing or "not computed")
    return Entry(
        VOLATILITY,
        horizon,
        target_time,
        VOLATILITY,
        volatility.version if quantiles else None,
        quantiles,
        missing=missing,
    )


def _short(text: str | None) -> str | None:
    return text[:REMARK_LENGTH] if text else None
