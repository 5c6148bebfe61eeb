"""Made-up forecasts and closes for the journal: cheap, different at every hour, and the same every time."""

from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import select

from make_us_rich.database.journal_tables import (
    QUANTILE_COLUMNS,
    forecasts,
    outcomes,
    pending_forecasts,
    weekly_scores,
)
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.outcome import closes_as_actuals, score_due
from make_us_rich.journal.record import record_sheets
from make_us_rich.journal.sheet import PERSISTENCE, SERVED, VOLATILITY, Entry, Sheet
from make_us_rich.models.forecast import HORIZONS, QUANTILE_LEVELS

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


def sheet_at(cutoff, last_close, name=NAME, *, spreads=None, model="lstm", version=3, horizons=HORIZONS):
    """A sheet with the three forecasters; a spread of None is a missing forecast."""
    spread_of = SPREADS if spreads is None else spreads
    entries = []
    for forecaster, spread in spread_of.items():
        for horizon in horizons:
            quantiles = None
            if spread is not None:
                quantiles = tuple((last_close * np.exp(spread * np.sqrt(horizon) * _SHAPE)).tolist())
            is_served = forecaster == SERVED
            entries.append(
                Entry(
                    forecaster,
                    horizon,
                    cutoff + horizon * HOUR,
                    model if is_served else forecaster,
                    version if is_served else None,
                    quantiles,
                    missing=None if quantiles else "nothing was shelved",
                )
            )
    return Sheet(name, cutoff, last_close, "0" * 64, tuple(entries))


def play(journal, closes, name=NAME, *, since=START, **options):
    """Score and record at every close, as the desk does."""
    for cutoff, close in closes.items():
        if cutoff < since:
            continue
        score_due(journal, name, closes_as_actuals(closes), cutoff)
        record_sheets(journal, [sheet_at(cutoff, close, name, **options)], cutoff)


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


def trial(database, market="replay"):
    return Journal(database, market)
