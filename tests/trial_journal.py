"""Made-up forecasts and closes for the journal: cheap, different at every hour, and the same every time."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from sqlalchemy import select

from make_us_rich.database.journal_tables import (
    QUANTILE_COLUMNS,
    forecasts,
    outcomes,
    pending_forecasts,
    weekly_scores,
)
from make_us_rich.forecasting.forecast import SERVED, Forecast, ForecastStep
from make_us_rich.forecasting.kind import KnownCandles
from make_us_rich.forecasting.price.forecast import PERSISTENCE, VOLATILITY
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.outcome import score_due
from make_us_rich.journal.record import record_forecasts
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import HORIZONS, QUANTILE_LEVELS
from make_us_rich.registry.model_name import ModelName

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
NAME = "price.BTC-USDT.1h"
SPREADS = {SERVED: 0.010, PERSISTENCE: 0.013, VOLATILITY: 0.011}
_SHAPE = np.array([-1.96, -1.64, -1.28, -0.84, -0.67, -0.25, 0, 0.25, 0.67, 0.84, 1.28, 1.64, 1.96])
assert len(_SHAPE) == len(QUANTILE_LEVELS)


def closes_of(hours, seed=0, start=START, volatility=0.01):
    """Closes by close time, a random walk whose first one is that of `start`."""
    steps = np.random.default_rng(seed).normal(0, volatility, hours)
    prices = 100 * np.exp(np.cumsum(steps))
    return {start + n * HOUR: float(price) for n, price in enumerate(prices)}


def candles_of(closes):
    """Candles with these closes, by close time."""
    rows = sorted(closes.items())
    return pl.DataFrame(
        {"open_time": [moment - HOUR for moment, _ in rows], "close": [close for _, close in rows]},
        schema={"open_time": pl.Datetime("ms", "UTC"), "close": pl.Float64},
    )


def known(candles):
    """Candles as whoever scores gets them."""
    series = Series("recorded", Symbol("BTC", "USDT"), Timeframe("1h"))
    return KnownCandles("replay", {series: candles})


def forecast_at(cutoff, last_close, name=NAME, *, spreads=None, model="lstm", version=3, horizons=HORIZONS):
    """A forecast with its yardsticks; a spread of None is a missing one."""
    spread_of = SPREADS if spreads is None else spreads

    def steps(forecaster, spread):
        is_served = forecaster == SERVED
        for horizon in horizons:
            quantiles = None
            if spread is not None:
                quantiles = tuple((last_close * np.exp(spread * np.sqrt(horizon) * _SHAPE)).tolist())
            yield ForecastStep(
                horizon,
                cutoff + horizon * HOUR,
                model if is_served else forecaster,
                version=version if is_served else None,
                quantiles=quantiles,
                missing=None if quantiles else "nothing was shelved",
            )

    said = {forecaster: tuple(steps(forecaster, spread)) for forecaster, spread in spread_of.items()}
    served = said.pop(SERVED)
    return Forecast(
        ModelName.parse(name), "replay", cutoff, last_close, served, version, "0" * 64, yardsticks=said
    )


def score(journal, closes, now, name=NAME):
    """Score what is due at a moment, given closes by close time."""
    candles = candles_of({moment: close for moment, close in closes.items() if moment <= now})
    return score_due(journal, [ModelName.parse(name)], lambda *_: known(candles), now)


def play(journal, closes, name=NAME, *, since=START, **options):
    """Score and record at every close, as the desk does."""
    for cutoff, close in closes.items():
        if cutoff < since:
            continue
        score(journal, closes, cutoff, name)
        record_forecasts(journal, [forecast_at(cutoff, close, name, **options)], cutoff)


def contents(journal):
    """All that is written, without the numbers rows happen to have."""
    key = (
        forecasts.c.market, forecasts.c.name, forecasts.c.cutoff, forecasts.c.horizon, forecasts.c.forecaster
    )  # fmt: skip
    said = select(*key, *(forecasts.c[name] for name in QUANTILE_COLUMNS), forecasts.c.missing)
    came = select(*key, outcomes.c.actual, outcomes.c.loss, outcomes.c.below, outcomes.c.interval).join_from(
        forecasts, outcomes
    )
    waiting = select(*key).join_from(forecasts, pending_forecasts)
    with journal.database.read() as session:
        rows = [sorted(map(tuple, session.execute(query)), key=str) for query in (said, came, waiting)]
        weeks = sorted(map(tuple, session.execute(select(weekly_scores))), key=str)
    return (*rows, [tuple(round(v, 9) if isinstance(v, float) else v for v in week) for week in weeks])


def counts(journal):
    """How many forecasts, outcomes and waiting ones there are."""
    return tuple(len(rows) for rows in contents(journal)[:3])


def trial(database, market="replay", history=1):
    return Journal(database, market, history)
