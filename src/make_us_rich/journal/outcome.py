"""What came of the forecasts: written once, when the candle they are about has closed and is stored."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts, outcomes, pending_forecasts
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.journal.journal import Journal, append_missing, take_turn
from make_us_rich.journal.sheet import PERSISTENCE, RANDOM_WALK, SERVED, VOLATILITY
from make_us_rich.journal.weekly import PRICE_CELLS, TREND_CELLS, WeekKey, WeekSums, add_to_weeks, week_of
from make_us_rich.models.forecast import MEDIAN, QUANTILE_LEVELS, FloatArray

NINETY = 90
NO_INTERVAL = 100
"""The `interval` of a close outside all of them."""

_SHARES = tuple(round((1 - 2 * level) * 100) for level in QUANTILE_LEVELS[:MEDIAN])  # 95, 90 … 20
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Question:
    """What a forecast is about; `event` describes the trend where it is about one."""

    cutoff: datetime
    horizon: int
    target_time: datetime
    event: str | None


ActualOf = Callable[[Question], float | None]
"""Returns the close, or 1 or 0 for a trend; None where its candle is not stored."""


@dataclass(frozen=True, slots=True)
class Score:
    """One served forecast against what happened, with its yardstick made at the same cutoff.

    Losses are quantile losses of the log return from the last close, or Brier scores; covered means inside
    the 90 % interval.
    """

    name: str
    horizon: int
    target_time: datetime
    loss: float
    baseline_loss: float
    is_covered: bool


def due_questions(journal: Journal, name: str, now: datetime) -> list[Question]:
    """Return what has fallen due and was not scored yet, oldest first."""
    columns = (forecasts.c.cutoff, forecasts.c.horizon, forecasts.c.target_time, forecasts.c.question)
    query = _pending(journal, name, now, columns).distinct().order_by(forecasts.c.target_time)
    with journal.database.read() as session:
        return [Question(*row) for row in session.execute(query)]


def score_due(journal: Journal, name: str, actual_of: ActualOf, now: datetime) -> list[Score]:
    """Score what has fallen due and has an actual, and return the scores of the served forecasts."""
    with journal.database.read() as session:
        is_any = session.execute(_pending(journal, name, now, (forecasts.c.id,)).limit(1)).first()
    if is_any is None:
        return []
    with journal.database.write() as session:
        take_turn(session)
        columns = (*forecasts.c,)
        order = (forecasts.c.cutoff, forecasts.c.horizon, forecasts.c.id)
        rows = session.execute(_pending(journal, name, now, columns).order_by(*order)).all()
        made = [_Scored(row, actual) for row, actual in _with_actuals(rows, actual_of)]
        _store(session, made, now)
        sums, scores = _sum_up(made)
        add_to_weeks(session, journal, sums)
    return scores


class _Scored:
    """One recorded forecast and what it cost."""

    __slots__ = ("actual", "below", "error", "interval", "loss", "row")

    def __init__(self, row: Row[Any], actual: float) -> None:
        self.row, self.actual = row, actual
        self.below: int | None = None
        self.interval: int | None = None
        if row.probability is None:
            self._score_price(np.array([getattr(row, name) for name in QUANTILE_COLUMNS]))
        else:
            self.error = actual - row.probability
            self.loss = self.error**2

    def _score_price(self, quantiles: FloatArray) -> None:
        last, actual = self.row.last_close, self.actual
        self.error = actual - float(quantiles[MEDIAN])
        self.loss = float(quantile_loss(np.log(quantiles / last), np.asarray(np.log(actual / last))))
        self.below = int(np.sum(quantiles < actual))
        self.interval = narrowest_interval(quantiles, actual)


def narrowest_interval(quantiles: FloatArray, actual: float) -> int:
    """Return the share in percent of the narrowest central interval that holds the actual; 100: none does.

    >>> narrowest_interval(np.arange(13.0), 6.0), narrowest_interval(np.arange(13.0), 13.0)
    (20, 100)
    """
    held = (quantiles[:MEDIAN] <= actual) & (actual <= quantiles[:MEDIAN:-1])
    return next((share for share, is_in in zip(_SHARES[::-1], held[::-1], strict=True) if is_in), NO_INTERVAL)


def _pending(journal: Journal, name: str, now: datetime, columns: Sequence[Any]) -> Any:
    waiting = pending_forecasts
    return (
        select(*columns)
        .join_from(waiting, forecasts, waiting.c.forecast_id == forecasts.c.id)
        .where(waiting.c.market == journal.market, waiting.c.name == name, waiting.c.target_time <= now)
    )


def _with_actuals(rows: Iterable[Row[Any]], actual_of: ActualOf) -> Iterable[tuple[Row[Any], float]]:
    for question, asked in groupby(
        rows, key=lambda row: Question(row.cutoff, row.horizon, row.target_time, row.question)
    ):
        actual = actual_of(question)
        if actual is not None:
            yield from ((row, actual) for row in asked)


def _store(session: Session, made: Sequence[_Scored], now: datetime) -> None:
    rows = [
        {
            "forecast_id": one.row.id,
            "actual": one.actual,
            "error": one.error,
            "loss": one.loss,
            "below": one.below,
            "interval": one.interval,
            "scored_at": now,
        }
        for one in made
    ]
    append_missing(session, outcomes, rows)
    for start in range(0, len(made), _BATCH):
        ids = [one.row.id for one in made[start : start + _BATCH]]
        session.execute(delete(pending_forecasts).where(pending_forecasts.c.forecast_id.in_(ids)))


def _sum_up(made: Sequence[_Scored]) -> tuple[dict[WeekKey, WeekSums], list[Score]]:
    sums: dict[WeekKey, WeekSums] = {}
    scores = []
    for _, together in groupby(made, key=lambda one: (one.row.cutoff, one.row.horizon)):
        by_forecaster = {one.row.forecaster: one for one in together}
        served = by_forecaster.get(SERVED)
        baseline = by_forecaster.get(PERSISTENCE) or by_forecaster.get(RANDOM_WALK)
        if served is None or baseline is None:
            continue
        row = served.row
        key = WeekKey(row.name, row.horizon, week_of(row.cutoff), row.model, row.version or 0)
        one = _sums_of(served, baseline.loss, by_forecaster.get(VOLATILITY))
        sums[key] = sums[key].plus(one) if key in sums else one
        scores.append(
            Score(row.name, row.horizon, row.target_time, served.loss, baseline.loss, bool(one.covered))
        )
    return sums, scores


def _sums_of(served: _Scored, baseline_loss: float, volatility: _Scored | None) -> WeekSums:
    return WeekSums(
        n=1,
        first_cutoff=served.row.cutoff,
        last_cutoff=served.row.cutoff,
        loss=served.loss,
        baseline_loss=baseline_loss,
        volatility_n=0 if volatility is None else 1,
        volatility_loss=0.0 if volatility is None else volatility.loss,
        loss_beside_volatility=0.0 if volatility is None else served.loss,
        covered=int(served.interval is not None and served.interval <= NINETY),
        calibration=_calibration(served),
    )


def _calibration(served: _Scored) -> FloatArray:
    cells: FloatArray
    if served.below is not None:
        cells = np.zeros(PRICE_CELLS)
        cells[served.below] = 1.0
        return cells
    cells = np.zeros((TREND_CELLS, 3))
    probability = served.row.probability
    cells[min(int(probability * TREND_CELLS), TREND_CELLS - 1)] = (1.0, probability, served.actual)
    return cells


def closes_as_actuals(closes: dict[datetime, float]) -> ActualOf:
    """Return the actuals of price forecasts, given closes by close time."""
    return lambda question: closes.get(question.target_time)
