"""The forecast of a candle as it was written down."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import select

from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.sheet import SERVED
from make_us_rich.models.forecast import NAIVE_BASELINES, ForecastStep, PriceForecast, probability_above
from make_us_rich.registry.model_name import ModelName


@dataclass(frozen=True, slots=True)
class RecordedForecast:
    """A price forecast from the journal; `remarks` say by horizon why a baseline stands there."""

    forecast: PriceForecast
    remarks: dict[int, str]


@dataclass(frozen=True, slots=True)
class RecordedTrend:
    """What was served for a trend at one candle, and the event it is the probability of."""

    probability: float
    served_by: str
    version: int | None
    event: str


def recorded_trends(
    journal: Journal, names: Collection[str], cutoffs: Collection[datetime]
) -> dict[tuple[str, datetime], RecordedTrend]:
    """Return by name and cutoff the trends of some names that were written down for some candles."""
    table = forecasts
    query = select(table).where(
        table.c.market == journal.market,
        table.c.name.in_(names),
        table.c.cutoff.in_(cutoffs),
        table.c.forecaster == SERVED,
        table.c.probability.is_not(None),
    )
    with journal.database.read() as session:
        return {
            (row.name, row.cutoff): RecordedTrend(row.probability, row.model, row.version, row.question)
            for row in session.execute(query)
        }


def recorded_forecast(
    journal: Journal, name: ModelName, cutoff: datetime, horizons: tuple[int, ...]
) -> RecordedForecast | None:
    """Return what was served for one candle; None unless every horizon of it was written down."""
    table = forecasts
    query = select(table).where(
        table.c.market == journal.market,
        table.c.name == str(name),
        table.c.cutoff == cutoff,
        table.c.forecaster == SERVED,
        table.c.missing.is_(None),
    )
    with journal.database.read() as session:
        rows = session.execute(query.order_by(table.c.horizon)).all()
    if tuple(row.horizon for row in rows) != horizons:
        return None
    steps = []
    for row in rows:
        quantiles = tuple(getattr(row, column) for column in QUANTILE_COLUMNS)
        steps.append(
            ForecastStep(
                horizon=row.horizon,
                target_time=row.target_time,
                quantiles=quantiles,
                probability_up=probability_above(np.asarray(quantiles), row.last_close),
                served_by=row.model,
                is_baseline=row.model in NAIVE_BASELINES,
            )
        )
    forecast = PriceForecast(
        name=str(name),
        symbol=str(name.symbol),
        timeframe=str(name.timeframe),
        market=journal.market,
        cutoff=cutoff,
        last_close=rows[0].last_close,
        steps=tuple(steps),
        model_version=rows[0].version,
    )
    return RecordedForecast(forecast, {row.horizon: row.remark for row in rows if row.remark})
