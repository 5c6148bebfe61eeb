"""The one writer of forecasts: before their target time, once, and for good."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from make_us_rich.database.journal_tables import QUANTILE_COLUMNS, forecasts, pending_forecasts
from make_us_rich.journal.journal import Journal, append_missing
from make_us_rich.journal.sheet import Entry, Sheet

_NO_QUANTILES = (None,) * len(QUANTILE_COLUMNS)


def record_sheets(journal: Journal, sheets: Iterable[Sheet], now: datetime) -> int:
    """Write what is not written yet, all of it or nothing, and return how many forecasts that were.

    What is there already stays as it is, and a forecast whose target time has come is none any more.
    """
    rows = [
        _row(journal, sheet, entry, now)
        for sheet in sheets
        for entry in sheet.entries
        if entry.target_time > now
    ]
    if not rows:
        return 0
    with journal.database.write() as session:
        new = append_missing(session, forecasts, rows, ("id", "market", "name", "target_time", "missing"))
        pending = [
            {"forecast_id": one.id, "market": one.market, "name": one.name, "target_time": one.target_time}
            for one in new
            if one.missing is None
        ]
        append_missing(session, pending_forecasts, pending)
    return len(new)


def _row(journal: Journal, sheet: Sheet, entry: Entry, now: datetime) -> dict[str, Any]:
    if entry.missing is None and (entry.quantiles is None) == (entry.probability is None):
        raise ValueError(f"{sheet.name} {entry.forecaster}: quantiles or a probability, and not both")
    return {
        "market": journal.market,
        "name": sheet.name,
        "cutoff": sheet.cutoff,
        "horizon": entry.horizon,
        "forecaster": entry.forecaster,
        "target_time": entry.target_time,
        "model": entry.model,
        "version": entry.version,
        "last_close": sheet.last_close,
        "question": sheet.question,
        **dict(zip(QUANTILE_COLUMNS, entry.quantiles or _NO_QUANTILES, strict=True)),
        "probability": entry.probability,
        "missing": entry.missing,
        "remark": entry.remark,
        "input_hash": sheet.input_hash,
        "recorded_at": now,
    }
