"""Recorded candles from a CSV file, as CryptoDataDownload and others publish them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from make_us_rich.errors import DataError, UnknownNameError
from make_us_rich.market.candle import CANDLE_SCHEMA, FULL_SCHEMA, TRADE_COLUMNS, candles_between
from make_us_rich.market.clock import Clock, WallClock
from make_us_rich.market.sources.csv_layout import find_layout, read_text, split_lines
from make_us_rich.market.sources.csv_name import find_symbol, find_timeframe
from make_us_rich.market.sources.csv_rows import read_rows, settle_repeated
from make_us_rich.market.sources.source import unknown_symbol, unknown_timeframe
from make_us_rich.market.sources.status import Remark, SourceStatus
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market

_PAGE_ROWS = 10_000
_LEAST_USABLE_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class CsvCandles:
    """What one file holds: candles in time order, and remarks on everything that was not taken as written."""

    symbol: Symbol
    timeframe: Timeframe
    candles: pl.DataFrame
    remarks: tuple[Remark, ...]


def read_csv_candles(path: Path, now: datetime) -> CsvCandles:
    """Read a file of candles.

    The pair and the timeframe come from the rows, else from the header or the file's name. A row that
    contradicts itself, another row or the rest of the file is left out and named by its line; a file
    with less than half of its rows usable is a `DataError`.
    """
    text = read_text(path)
    layout = find_layout(path, text)
    fields, ragged = split_lines(layout, text)
    symbol = find_symbol(path, layout, fields)
    read = read_rows(fields)
    remarks = [*_remark("wrong number of fields, left out", pl.Series(ragged)), *read.remarks]
    _require_half_usable(path, len(read.rows), len(fields) + len(ragged), remarks)
    timeframe = find_timeframe(path, read.rows["open_time"])
    rows, misplaced = _well_placed(read.rows, timeframe, now)
    settled = settle_repeated(rows)
    remarks += [*misplaced, *settled.remarks]
    times = settled.rows["open_time"].n_unique()
    _require_half_usable(path, times, rows["open_time"].n_unique(), remarks)
    told = [name for name in TRADE_COLUMNS if name in layout.columns]
    candles = settled.rows.sort("open_time").select((FULL_SCHEMA if told else CANDLE_SCHEMA).names())
    return CsvCandles(symbol, timeframe, candles, tuple(remarks))


class CsvSource:
    """One CSV file, read when it is first asked for; its remarks are in its status."""

    market: Market = "replay"

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        if not path.is_file():
            raise UnknownNameError(f"CSV file {path} does not exist; write csv:FILE")
        self.name = f"csv-{re.sub(r'[^A-Za-z0-9._-]+', '-', path.stem)}"
        self._path = path
        self._clock = clock or WallClock()
        self._read: CsvCandles | None = None

    def symbols(self, timeframe: Timeframe) -> list[Symbol]:
        """Return the pair the file holds, if in this timeframe."""
        held = self._held()
        return [held.symbol] if held.timeframe == timeframe else []

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        """Yield the recorded candles that open from `since` on and close at or before `until`."""
        candles = candles_between(self._candles(symbol, timeframe), since, timeframe.floor(until))
        return (candles.slice(start, _PAGE_ROWS) for start in range(0, len(candles), _PAGE_ROWS))

    def span(self, symbol: Symbol, timeframe: Timeframe) -> tuple[datetime, datetime]:
        """Return the open time of the first recorded candle and the close time of the last."""
        times = self._candles(symbol, timeframe)["open_time"]
        return times.item(0), times.item(-1) + timeframe.duration

    def status(self) -> SourceStatus:
        """Return the remarks on the file, none before it was read."""
        return SourceStatus(remarks=self._read.remarks if self._read is not None else ())

    def _candles(self, symbol: Symbol, timeframe: Timeframe) -> pl.DataFrame:
        held = self._held()
        if symbol != held.symbol:
            raise unknown_symbol(str(self._path), symbol, [held.symbol])
        if timeframe != held.timeframe:
            raise unknown_timeframe(str(self._path), timeframe, [held.timeframe.name])
        return held.candles

    def _held(self) -> CsvCandles:
        if self._read is None:
            self._read = read_csv_candles(self._path, self._clock.now())
        return self._read


def _well_placed(
    rows: pl.DataFrame, timeframe: Timeframe, now: datetime
) -> tuple[pl.DataFrame, list[Remark]]:
    time = pl.col("open_time")
    misplaced = {
        f"off the {timeframe} grid, left out": time.dt.epoch("ms") % timeframe.milliseconds != 0,
        "not closed yet, left out": time > now - timeframe.duration,
        "newest of a file written newest first, left out, as its candle may not have been closed": (
            (time == time.max()) & (time.first() == time.max()) & (time.n_unique() > 1)
        ),
    }
    fault = pl.coalesce(pl.when(found).then(pl.lit(words)) for words, found in misplaced.items())
    judged = rows.with_columns(fault=fault)
    remarks = [remark for words in misplaced for remark in _remark(words, judged.filter(fault=words)["line"])]
    return judged.filter(pl.col("fault").is_null()).drop("fault"), remarks


def _require_half_usable(path: Path, usable: int, count: int, remarks: list[Remark]) -> None:
    if usable >= max(_LEAST_USABLE_SHARE * count, 1):
        return
    worst = max(remarks, key=lambda remark: len(remark.lines), default=Remark("no rows below the header"))
    raise DataError(
        f"{path}: {usable} of {count} rows can be used ({worst}); correct the file or name another"
    )


def _remark(words: str, lines: pl.Series) -> list[Remark]:
    return [Remark(words, tuple(lines.sort().to_list()))] if len(lines) else []
