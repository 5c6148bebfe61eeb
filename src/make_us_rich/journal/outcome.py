"""What came of the forecasts: written once, when the candle they are about has closed and is stored."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from make_us_rich.arrays import FloatArray
from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts, outcomes, pending_forecasts
from make_us_rich.database.upsert import insert_missing
from make_us_rich.errors import MakeUsRichError
from make_us_rich.forecasting.forecast import SERVED
from make_us_rich.forecasting.kind import ForecastKind, KnownCandles, Question
from make_us_rich.forecasting.kinds import kind_of
from make_us_rich.journal.journal import Journal, take_turn
from make_us_rich.journal.weekly import PRICE_CELLS, TREND_CELLS, WeekKey, WeekSums, add_to_weeks, week_of
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS
from make_us_rich.registry.model_name import ModelName

NINETY = 90
NO_INTERVAL = 100
"""The `interval` of a close outside all of them."""

_SHARES = tuple(round((1 - 2 * level) * 100) for level in QUANTILE_LEVELS[:MEDIAN])  # 95, 90 … 20
_BATCH = 500

_log = structlog.get_logger(__name__)
_ALL_PENDING = (
    select(*forecasts.c)
    .join_from(pending_forecasts, forecasts, pending_forecasts.c.forecast_id == forecasts.c.id)
    .order_by(forecasts.c.name, forecasts.c.cutoff, forecasts.c.horizon, forecasts.c.question, forecasts.c.id)
)


CandlesOf = Callable[[ModelName, datetime], KnownCandles]
"""Returns the stored candles a name is scored by that open at a moment or later, its own series first."""


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
    is_covered: bool | None
    """None where what was forecast is a probability."""
    owner: int | None = None


def score_due(
    journal: Journal, names: Collection[ModelName], candles_of: CandlesOf, now: datetime
) -> list[Score]:
    """Score what has fallen due of some names of one series and whose candles are stored.

    Return the scores of the served forecasts, oldest cutoff first.
    """
    with journal.database.write() as session:
        take_turn(session)
        rows = session.execute(_pending(journal, names, now)).all()
        if not rows:
            return []
        made = _scored(list(_with_actuals(rows, candles_of)))
        _store(session, made, now)
        sums, scores = _sum_up(made)
        add_to_weeks(session, journal, sums)
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """One recorded forecast and what it cost; `below` and `interval` are None for a probability."""

    row: Row[Any]
    actual: float
    error: float
    loss: float
    below: int | None
    interval: int | None


def _scored(asked: Sequence[tuple[Row[Any], float]]) -> list[_Scored]:
    """Return the scores of rows and what came of each, in their order."""
    made: list[_Scored] = []
    for (text, is_price), together in groupby(
        asked, key=lambda one: (one[0].name, one[0].probability is None)
    ):
        score = _scored_quantiles if is_price else _scored_probabilities
        made += score(kind_of(ModelName.parse(text)), list(together))
    return made


def _scored_probabilities(kind: ForecastKind, asked: Sequence[tuple[Row[Any], float]]) -> list[_Scored]:
    said = np.array([[row.probability] for row, _ in asked])
    loss = kind.losses(said, _last_closes(asked), np.array([came for _, came in asked]))
    return [
        _Scored(row, came, came - row.probability, float(loss[n]), None, None)
        for n, (row, came) in enumerate(asked)
    ]


def _scored_quantiles(kind: ForecastKind, asked: Sequence[tuple[Row[Any], float]]) -> list[_Scored]:
    columns = [asked[0][0]._fields.index(name) for name in QUANTILE_COLUMNS]
    quantiles = np.array([[row[column] for column in columns] for row, _ in asked])  # (n, 13)
    actual = np.array([came for _, came in asked])
    loss = kind.losses(quantiles, _last_closes(asked), actual)
    below = np.sum(quantiles < actual[:, None], axis=1)
    return [
        _Scored(
            row,
            came,
            came - float(quantiles[n, MEDIAN]),
            float(loss[n]),
            int(below[n]),
            narrowest_interval(quantiles[n], came),
        )
        for n, (row, came) in enumerate(asked)
    ]


def _last_closes(asked: Sequence[tuple[Row[Any], float]]) -> FloatArray:
    return np.array([row.last_close for row, _ in asked])


def narrowest_interval(quantiles: FloatArray, actual: float) -> int:
    """Return the share in percent of the narrowest central interval that holds the actual; 100: none does.

    >>> narrowest_interval(np.arange(13.0), 6.0), narrowest_interval(np.arange(13.0), 13.0)
    (20, 100)
    """
    held = (quantiles[:MEDIAN] <= actual) & (actual <= quantiles[:MEDIAN:-1])
    return next((share for share, is_in in zip(_SHARES[::-1], held[::-1], strict=True) if is_in), NO_INTERVAL)


def _pending(journal: Journal, names: Collection[ModelName], now: datetime) -> Any:
    waiting = pending_forecasts
    return _ALL_PENDING.where(
        journal.holds(waiting),
        waiting.c.name.in_([str(name) for name in names]),
        waiting.c.target_time <= now,
    )


def _with_actuals(rows: Iterable[Row[Any]], candles_of: CandlesOf) -> Iterator[tuple[Row[Any], float]]:
    for text, of_name in groupby(rows, key=lambda row: row.name):
        name, asked = ModelName.parse(text), list(of_name)
        kind = kind_of(name)
        questions = dict.fromkeys(map(_question, asked))
        try:
            since = min(one.cutoff for one in questions) - kind.looks_back(name)
            actuals = kind.actuals(name, list(questions), candles_of(name, since))
        except MakeUsRichError:
            raise
        except Exception as error:  # whatever a kind of a package runs into, the others are scored
            _log.error("not scored, its kind failed", name=text, reason=f"{type(error).__name__}: {error}")
            continue
        yield from ((row, actuals[_question(row)]) for row in asked if _question(row) in actuals)


def _question(row: Row[Any]) -> Question:
    return Question(row.cutoff, row.horizon, row.target_time, row.question)


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
    insert_missing(session, outcomes, rows)
    for start in range(0, len(made), _BATCH):
        ids = [one.row.id for one in made[start : start + _BATCH]]
        session.execute(delete(pending_forecasts).where(pending_forecasts.c.forecast_id.in_(ids)))


def _sum_up(made: Sequence[_Scored]) -> tuple[dict[WeekKey, WeekSums], list[Score]]:
    sums: dict[WeekKey, WeekSums] = {}
    scores = []
    for (text, *_), together in groupby(
        made, key=lambda one: (one.row.name, one.row.cutoff, one.row.horizon, one.row.question)
    ):
        by_forecaster = {one.row.forecaster: one for one in together}
        yardsticks = kind_of(ModelName.parse(text)).yardsticks
        served, baseline, second = (by_forecaster.get(one) for one in (SERVED, *(*yardsticks, "", "")[:2]))
        if served is None or baseline is None:
            continue
        row = served.row
        key = WeekKey(row.name, row.horizon, week_of(row.cutoff), row.model, row.version or 0, row.owner)
        one = _sums_of(served, baseline.loss, second)
        sums[key] = sums[key].plus(one) if key in sums else one
        is_covered = None if served.interval is None else bool(one.covered)
        scores.append(
            Score(row.name, row.horizon, row.target_time, served.loss, baseline.loss, is_covered, row.owner)
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
