"""Candles as they arrive: new ones are stored, and late or revised ones are noted beside the journal."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import polars as pl
import structlog

from make_us_rich.errors import StoreError
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.notes import CandleNote, note_candles
from make_us_rich.market.candle import VALUE_COLUMNS
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.serving.desk_view import DeskView, Series

_LOG = structlog.get_logger("make_us_rich.desk")
_OVERLAP = 2  # candles

OnRevisedPage = Callable[[pl.DataFrame], None]
"""Told of candles of which some differ from the stored ones, which stay."""


def take_in(
    source: CandleSource, store: CandleStore, series: Series, moment: datetime, on_revised: OnRevisedPage
) -> int:
    """Store the candles of a series that have closed by `moment`, and return how many are new.

    Of a series that is not stored yet only the newest is asked for.
    """
    key, duration = (series.source, series.symbol, series.timeframe), series.timeframe.duration
    last = store.last_open_time(*key)
    since = last + duration if last else moment - duration
    if since >= moment:
        return 0
    if last:
        since -= _OVERLAP * duration  # in the same request: a source may have changed them since
    added = 0
    for page in source.fetch(series.symbol, series.timeframe, since, moment):
        result = store.append(page, *key)
        added += result.added
        if result.revised:
            on_revised(page)
    return added


def note_revised(
    journal: Journal, view: DeskView, series: Series, arrived: pl.DataFrame, now: datetime
) -> None:
    """Note which candles arrived other than they are stored; what forecasts were made from stays."""
    stored = view.candles.load(
        series.source,
        series.symbol,
        series.timeframe,
        since=arrived["open_time"].item(0),
        until=arrived["open_time"].item(-1) + series.timeframe.duration,
    )
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
