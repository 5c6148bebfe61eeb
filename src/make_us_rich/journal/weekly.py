"""Sums over the forecasts of a week: all the track record is made of, so that a million rows answer at once.

The calibration of a price forecast is the count of closes with 0, 1 … 13 of the quantiles below them; that of
a trend forecast is, for each tenth of the probability, how many, their sum, and how often the trend came.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from make_us_rich.arrays import FloatArray
from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, weekly_scores
from make_us_rich.database.upsert import insert_missing
from make_us_rich.journal.journal import Journal

WEEK = timedelta(days=7)
PRICE_CELLS = len(QUANTILE_COLUMNS) + 1
TREND_CELLS = 10

_FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_KEY = ("market", "history", "name", "horizon", "week", "model", "version")
_ALL = select(weekly_scores)
_CHANGE = (
    weekly_scores.update()
    .where(*(weekly_scores.c[name] == bindparam(f"key_{name}") for name in _KEY))
    .values({one.name: bindparam(one.name) for one in weekly_scores.c if one.name not in _KEY})
)


def week_of(moment: datetime) -> datetime:
    """Return the Monday, 00:00 UTC, at or before a moment.

    >>> week_of(datetime(2024, 1, 3, 5, tzinfo=UTC)).isoformat()
    '2024-01-01T00:00:00+00:00'
    """
    return _FIRST_MONDAY + (moment - _FIRST_MONDAY) // WEEK * WEEK


@dataclass(frozen=True, slots=True)
class WeekKey:
    """Whose forecasts of which week; version 0 is that of no model, and `owner` who alone may see them."""

    name: str
    horizon: int
    week: datetime
    model: str
    version: int
    owner: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class WeekSums:
    """Counts and sums of losses over scored forecasts; see `database.journal_tables.weekly_scores`."""

    n: int
    first_cutoff: datetime
    last_cutoff: datetime
    loss: float
    baseline_loss: float
    volatility_n: int
    volatility_loss: float
    loss_beside_volatility: float
    covered: int
    calibration: FloatArray

    def plus(self, other: "WeekSums") -> "WeekSums":
        """Return the sums over both."""
        return WeekSums(
            n=self.n + other.n,
            first_cutoff=min(self.first_cutoff, other.first_cutoff),
            last_cutoff=max(self.last_cutoff, other.last_cutoff),
            loss=self.loss + other.loss,
            baseline_loss=self.baseline_loss + other.baseline_loss,
            volatility_n=self.volatility_n + other.volatility_n,
            volatility_loss=self.volatility_loss + other.volatility_loss,
            loss_beside_volatility=self.loss_beside_volatility + other.loss_beside_volatility,
            covered=self.covered + other.covered,
            calibration=self.calibration + other.calibration,
        )


def total(sums: Iterable[WeekSums]) -> WeekSums | None:
    """Return the sums over all; None over none."""
    result: WeekSums | None = None
    for one in sums:
        result = one if result is None else result.plus(one)
    return result


def add_to_weeks(session: Session, journal: Journal, added: Mapping[WeekKey, WeekSums]) -> None:
    """Add to the stored weeks; whoever calls has the turn, so nobody adds at the same time."""
    if not added:
        return
    known = dict(_stored(session, journal, added))
    fresh = [_values(journal, key, sums) for key, sums in added.items() if key not in known]
    insert_missing(session, weekly_scores, fresh)
    changed = [_values(journal, key, sums.plus(added[key])) for key, sums in known.items()]
    if changed:
        rows = [row | {f"key_{name}": row.pop(name) for name in _KEY} for row in changed]
        session.connection().execute(_CHANGE, rows)


def read_sums(row: Row[Any]) -> tuple[WeekKey, WeekSums]:
    """Return a stored row as records."""
    key = WeekKey(row.name, row.horizon, row.week, row.model, row.version, row.owner)
    sums = WeekSums(
        row.n,
        row.first_cutoff,
        row.last_cutoff,
        row.loss,
        row.baseline_loss,
        row.volatility_n,
        row.volatility_loss,
        row.loss_beside_volatility,
        row.covered,
        np.asarray(orjson.loads(row.calibration), dtype=np.float64),
    )
    return key, sums


def _stored(
    session: Session, journal: Journal, wanted: Mapping[WeekKey, WeekSums]
) -> list[tuple[WeekKey, WeekSums]]:
    table = weekly_scores
    names, weeks = {key.name for key in wanted}, {key.week for key in wanted}
    rows = session.execute(_ALL.where(journal.holds(table), table.c.name.in_(names), table.c.week.in_(weeks)))
    return [(key, sums) for key, sums in map(read_sums, rows) if key in wanted]


def _values(journal: Journal, key: WeekKey, sums: WeekSums) -> dict[str, Any]:
    fields = {name: getattr(sums, name) for name in WeekSums.__slots__}
    identity = {name: getattr(key, name) for name in WeekKey.__slots__}
    calibration = orjson.dumps(sums.calibration.tolist()).decode()
    return {
        "market": journal.market,
        "history": journal.history,
        **identity,
        **fields,
        "calibration": calibration,
    }
