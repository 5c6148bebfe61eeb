"""What is noticed about candles on the way: late and revised ones are noted beside the journal."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import polars as pl
import structlog

from make_us_rich.errors import StoreError
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.notes import CandleNote, note_candles
from make_us_rich.market.candle import VALUE_COLUMNS
from make_us_rich.market.series import Series
from make_us_rich.market.store import CandleStore

_LOG = structlog.get_logger("make_us_rich.desk")


def note_revised(
    journal: Journal, store: CandleStore, series: Series, arrived: pl.DataFrame, now: datetime
) -> None:
    """Note which candles arrived other than they are stored; what forecasts were made from stays."""
    since, last = arrived["open_time"].item(0), arrived["open_time"].item(-1)
    stored = store.load(series, since, last + series.timeframe.duration)
    both = stored.join(arrived, on="open_time", suffix="_arrived")
    changed = [pl.col(name) != pl.col(f"{name}_arrived") for name in VALUE_COLUMNS]
    notes = [
        CandleNote(
            f"{series.source} {series}",
            row["open_time"],
            "revised",
            f"close {row['close']:.10g} became {row['close_arrived']:.10g}, "
            f"volume {row['volume']:.10g} became {row['volume_arrived']:.10g}; what was stored stays",
        )
        for row in both.filter(pl.any_horizontal(changed)).to_dicts()
    ]
    _note(journal, notes, now)


def note_late(journal: Journal, series: Series, scored: Iterable[datetime], now: datetime) -> None:
    """Note the candles that closed at the target times `scored` a candle or more before `now`."""
    duration = series.timeframe.duration
    notes = [
        CandleNote(
            f"{series.source} {series}",
            target - duration,
            "late",
            "forecasts of it were scored a candle or more after it closed",
        )
        for target in sorted(set(scored))
        if now - target >= duration
    ]
    _note(journal, notes, now)


def _note(journal: Journal, notes: Sequence[CandleNote], now: datetime) -> None:
    if not notes:
        return
    try:
        note_candles(journal, notes, now)
    except StoreError as error:  # the candles are stored; a remark on them is not worth the next forecast
        _LOG.error("not noted in the journal", series=notes[0].series, reason=str(error))
