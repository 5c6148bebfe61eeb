"""What was noticed about candles: late or revised ones are written down, and nothing is scored again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select

from make_us_rich.database.journal_tables import candle_notes
from make_us_rich.database.upsert import insert_missing
from make_us_rich.journal.journal import Journal

SERIES_LENGTH = 96
"""A source may have a longer name, as that of a replay is the name of its folder."""


@dataclass(frozen=True, slots=True)
class CandleNote:
    """One finding about the candle of a series that opened at `open_time`."""

    series: str
    open_time: datetime
    kind: Literal["late", "revised"]
    detail: str


def note_candles(journal: Journal, notes: Sequence[CandleNote], now: datetime) -> None:
    """Write down what was noticed; the same finding is written once."""
    rows = [
        {
            "market": journal.market,
            "history": journal.history,
            "series": note.series[:SERIES_LENGTH],
            "open_time": note.open_time,
            "kind": note.kind,
            "detail": note.detail[:255],
            "noted_at": now,
        }
        for note in notes
    ]
    if rows:
        with journal.database.write() as session:
            insert_missing(session, candle_notes, rows)


def read_notes(journal: Journal, series: str, limit: int = 100) -> list[CandleNote]:
    """Return the newest notes on a series, newest first."""
    table = candle_notes
    query = (
        select(table.c.series, table.c.open_time, table.c.kind, table.c.detail)
        .where(journal.holds(table), table.c.series == series[:SERIES_LENGTH])
        .order_by(table.c.open_time.desc(), table.c.id.desc())
        .limit(limit)
    )
    with journal.database.read() as session:
        return [CandleNote(*row) for row in session.execute(query)]
