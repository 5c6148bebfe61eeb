"""Forecasts as they were written down, for the board; of a journal that is away nothing is known."""

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

import structlog
from sqlalchemy import Row, select

from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts
from make_us_rich.errors import StoreError
from make_us_rich.forecasting.forecast import SERVED, Forecast, ForecastStep
from make_us_rich.forecasting.kind import Live
from make_us_rich.forecasting.kinds import kind_of
from make_us_rich.forecasting.records import Wanted
from make_us_rich.journal.drift import broken_horizons
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.track_record import live_by_horizon
from make_us_rich.registry.model_name import ModelName

_BROKEN_SECONDS = 60.0

_log = structlog.get_logger(__name__)

Found = TypeVar("Found")


class JournalRecords:
    """What the board asks of a journal; what cannot be read is logged once, and counts as absent."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._is_away = False
        self._broken: dict[tuple[str, int], tuple[float, Mapping[int, str]]] = {}

    def forecasts(self, wanted: Collection[Wanted]) -> Mapping[ModelName, Forecast]:
        """Return what was served, as it was written down."""
        return self._read(lambda: recorded_forecasts(self._journal, wanted), {})

    def broken(self, name: ModelName, version: int) -> Mapping[int, str]:
        """Return the horizons at which a version has broken, and why.

        It is looked up again after `forget`, and every minute, because another process may judge as well.
        """
        key, now = (str(name), version), time.monotonic()
        looked_at, known = self._broken.get(key, (-math.inf, {}))
        if now - looked_at < _BROKEN_SECONDS:
            return known
        found = self._read(lambda: broken_horizons(self._journal, *key), None)
        if found is None:
            return known
        self._broken[key] = (now, found)
        return found

    def live(self, name: ModelName, owner: int | None = None) -> Mapping[int, Live]:
        """Return by horizon how the served forecasts of a name turned out."""
        return self._read(lambda: live_by_horizon(self._journal, name, owner), {})

    def forget(self) -> None:
        """Look verdicts up again: a week has been judged, here or elsewhere."""
        self._broken.clear()

    def _read(self, ask: Callable[[], Found], otherwise: Found) -> Found:
        try:
            found = ask()
        except StoreError as error:
            if not self._is_away:
                _log.error("journal not readable, forecasts are made anew", reason=str(error))
            self._is_away = True
            return otherwise
        self._is_away = False
        return found


def recorded_forecasts(journal: Journal, wanted: Collection[Wanted]) -> dict[ModelName, Forecast]:
    """Return by name what was served at a cutoff by the version that is meant."""
    by_key = {(str(name), cutoff): (name, version) for name, cutoff, version in wanted}
    table = forecasts
    query = select(table).where(
        journal.holds(table),
        table.c.counted,
        table.c.name.in_({name for name, _ in by_key}),
        table.c.cutoff.in_({cutoff for _, cutoff in by_key}),
        table.c.forecaster == SERVED,
        table.c.missing.is_(None),
    )
    with journal.database.read() as session:
        rows = session.execute(query.order_by(table.c.name, table.c.cutoff, table.c.horizon)).all()
    found = {}
    for key, together in groupby(rows, key=lambda row: (row.name, row.cutoff)):
        if key in by_key:
            name, version = by_key[key]
            meant = [row for row in together if row.version == version]
            if meant:
                found[name] = _forecast(journal, name, key[1], meant)
    return found


def _forecast(journal: Journal, name: ModelName, cutoff: datetime, rows: Sequence[Row[Any]]) -> Forecast:
    first = rows[0]
    return Forecast(
        name=name,
        market=journal.market,
        cutoff=cutoff,
        last_close=first.last_close,
        steps=tuple(_step(name, row) for row in rows),
        version=first.version,
        input_hash=first.input_hash,
        question=first.question,
    )


def _step(name: ModelName, row: Row[Any]) -> ForecastStep:
    quantiles = tuple(getattr(row, column) for column in QUANTILE_COLUMNS)
    return ForecastStep(
        horizon=row.horizon,
        target_time=row.target_time,
        served_by=row.model,
        is_baseline=row.model in kind_of(name).baselines,
        version=row.version,
        quantiles=None if quantiles[0] is None else quantiles,
        probability=row.probability,
        remark=row.remark,
    )
