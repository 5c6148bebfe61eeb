"""The journal page by page: every forecast with what came of it, newest first."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, literal, select, tuple_

from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts, outcomes
from make_us_rich.errors import UsageError
from make_us_rich.journal.journal import Journal, may_see, name_is
from make_us_rich.models.quantiles import LEVEL_KEYS


@dataclass(frozen=True, slots=True)
class PredictionQuery:
    """Which forecasts; in names `%` stands for anything, `since` and `until` (exclusive) bound cutoffs.

    What has an owner is there for `asker` alone, the id of a user.
    """

    names: tuple[str, ...] = ()
    horizon: int | None = None
    forecaster: str | None = None
    is_scored: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    asker: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedPrediction:
    """One row of the journal and its outcome, whose fields are None until it was scored."""

    name: str
    cutoff: datetime
    horizon: int
    forecaster: str
    target_time: datetime
    model: str
    version: int | None
    last_close: float
    question: str | None
    quantiles: Mapping[str, float] | None
    probability: float | None
    missing: str | None
    remark: str | None
    input_hash: str
    recorded_at: datetime
    actual: float | None
    error: float | None
    loss: float | None
    interval: int | None
    scored_at: datetime | None


@dataclass(frozen=True, slots=True)
class PredictionPage:
    """Some rows, and where the next ones begin; None at the end."""

    rows: tuple[RecordedPrediction, ...]
    next_cursor: str | None


def read_predictions(
    journal: Journal, query: PredictionQuery, limit: int, cursor: str | None = None
) -> PredictionPage:
    """Return at most `limit` rows after a cursor; rows written meanwhile move none of the others."""
    found = _filtered(journal, query)
    if cursor is not None:
        cutoff, row_id = _parse_cursor(cursor)
        last = tuple_(literal(cutoff, forecasts.c.cutoff.type), literal(row_id))
        found = found.where(tuple_(forecasts.c.cutoff, forecasts.c.id) < last)
    with journal.database.read() as session:
        rows = session.execute(
            found.order_by(forecasts.c.cutoff.desc(), forecasts.c.id.desc()).limit(limit + 1)
        ).all()
    is_more = len(rows) > limit
    page = rows[:limit]
    next_cursor = _cursor(page[-1].cutoff, page[-1].id) if is_more else None
    return PredictionPage(tuple(_prediction(row._mapping) for row in page), next_cursor)


def _filtered(journal: Journal, query: PredictionQuery) -> Select[Any]:
    said, came = forecasts.c, outcomes.c
    results = (came.actual, came.error, came.loss, came.interval, came.scored_at)
    found = select(*said, *results).join_from(forecasts, outcomes, isouter=True)
    conditions = [journal.holds(forecasts), may_see(said.owner, query.asker)]
    if query.names:
        conditions.append(name_is(said.name, query.names))
    if query.horizon is not None:
        conditions.append(said.horizon == query.horizon)
    if query.forecaster is not None:
        conditions.append(said.forecaster == query.forecaster)
    if query.is_scored is not None:
        conditions.append(came.loss.is_not(None) if query.is_scored else came.loss.is_(None))
    if query.since is not None:
        conditions.append(said.cutoff >= query.since)
    if query.until is not None:
        conditions.append(said.cutoff < query.until)
    return found.where(*conditions)


def _prediction(row: RowMapping) -> RecordedPrediction:
    prices = [row[column] for column in QUANTILE_COLUMNS]
    quantiles = None if prices[0] is None else dict(zip(LEVEL_KEYS, prices, strict=True))
    plain = {name: row[name] for name in RecordedPrediction.__slots__ if name != "quantiles"}
    return RecordedPrediction(**plain, quantiles=quantiles)


def _cursor(cutoff: datetime, row_id: int) -> str:
    return base64.urlsafe_b64encode(f"{cutoff.isoformat()}|{row_id}".encode()).decode().rstrip("=")


def _parse_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, row_id = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii").split("|")
        cutoff = datetime.fromisoformat(moment)
        if cutoff.tzinfo is None or not 0 <= int(row_id) < 2**63:
            raise ValueError("out of range")
        return cutoff, int(row_id)
    except (ValueError, binascii.Error, UnicodeError, OverflowError) as error:
        raise UsageError("the cursor is not one of ours; take `next_cursor` of an answer") from error
