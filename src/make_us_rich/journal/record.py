"""The one writer of forecasts: before their target time, once, and for good.

Of several versions that speak about the same the first one counts; later ones are written down and marked.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts, pending_forecasts
from make_us_rich.database.upsert import insert_missing
from make_us_rich.forecasting.forecast import SERVED, Forecast, ForecastStep
from make_us_rich.forecasting.kinds import kind_of
from make_us_rich.journal.journal import Journal, take_turn

TEXT_LENGTH = 255
"""Of a remark, and of why a forecast is missing."""

_SUBJECT = ("name", "cutoff", "horizon", "question", "forecaster")
_WAITING = ("market", "history", "name", "target_time")
_RETURNED = ("id", *_WAITING, "missing", "counted")
_ALL_SPOKEN = select(*(forecasts.c[column] for column in _SUBJECT))
_NO_QUANTILES = (None,) * len(QUANTILE_COLUMNS)


def record_forecasts(journal: Journal, made: Iterable[Forecast], now: datetime) -> int:
    """Write what is not written yet, all of it or nothing, and return how many rows that were.

    Each forecast is written with the yardsticks of its kind. What is there already stays as it is, and what
    is about a time that has come is left out.
    """
    rows = [
        _row(journal, forecast, forecaster, step, now)
        for forecast in made
        for forecaster, step in _said(forecast)
        if step.target_time > now
    ]
    if not rows:
        return 0
    with journal.database.write() as session:
        take_turn(session)
        _mark_first(rows, _spoken(session, journal, rows))
        new = insert_missing(session, forecasts, rows, _RETURNED)
        pending = [
            {"forecast_id": one.id, **{column: getattr(one, column) for column in _WAITING}}
            for one in new
            if one.missing is None and one.counted
        ]
        insert_missing(session, pending_forecasts, pending)
    return len(new)


def _spoken(session: Session, journal: Journal, rows: Sequence[dict[str, Any]]) -> set[tuple[Any, ...]]:
    table = forecasts
    known = _ALL_SPOKEN.where(
        journal.holds(table),
        table.c.name.in_({row["name"] for row in rows}),
        table.c.cutoff.in_({row["cutoff"] for row in rows}),
    )
    return {tuple(row) for row in session.execute(known)}


def _mark_first(rows: Iterable[dict[str, Any]], spoken: set[tuple[Any, ...]]) -> None:
    for row in rows:
        subject = tuple(row[column] for column in _SUBJECT)
        row["counted"] = subject not in spoken
        spoken.add(subject)


def _said(forecast: Forecast) -> Iterator[tuple[str, ForecastStep]]:
    for step in forecast.steps:
        yield SERVED, step
    for yardstick in kind_of(forecast.name).yardsticks:
        for step in forecast.yardsticks.get(yardstick, ()):
            yield yardstick, step


def _row(
    journal: Journal, forecast: Forecast, forecaster: str, step: ForecastStep, now: datetime
) -> dict[str, Any]:
    return {
        "market": journal.market,
        "history": journal.history,
        "name": str(forecast.name),
        "cutoff": forecast.cutoff,
        "horizon": step.horizon,
        "forecaster": forecaster,
        "target_time": step.target_time,
        "model": step.served_by,
        "version": step.version,
        "last_close": forecast.last_close,
        "question": forecast.question,
        "owner": forecast.owner,
        **dict(zip(QUANTILE_COLUMNS, step.quantiles or _NO_QUANTILES, strict=True)),
        "probability": step.probability,
        "missing": _short(step.missing),
        "remark": _short(step.remark),
        "input_hash": forecast.input_hash,
        "recorded_at": now,
    }


def _short(text: str | None) -> str | None:
    return text[:TEXT_LENGTH] if text else None
