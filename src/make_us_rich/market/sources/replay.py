"""Recorded candles: a folder of Parquet files, read as if it were a market."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from make_us_rich.errors import DataError, UnknownNameError, UsageError
from make_us_rich.market.candle import as_candles, as_full_candles, candles_between, has_trades
from make_us_rich.market.clock import Clock, WallClock
from make_us_rich.market.sources.source import unknown_symbol, unknown_timeframe
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market

_PAGE_ROWS = 10_000


class ReplaySource:
    """The files `<folder>/<BASE>-<QUOTE>/<timeframe>.parquet`.

    Gaps and strange values are passed on as recorded, for the quality check to judge. A file whose
    times cannot be right (out of order, twice, off the grid, in the future) is a `DataError`.
    """

    market: Market = "replay"

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        if not folder.is_dir():
            raise UnknownNameError(
                f"replay folder {folder} does not exist; it should hold <BASE>-<QUOTE>/<timeframe>.parquet"
            )
        self.name = _path_safe(folder.resolve().name)
        self._folder = folder
        self._clock = clock or WallClock()
        self._loaded: dict[tuple[Symbol, Timeframe], pl.DataFrame] = {}

    def symbols(self, timeframe: Timeframe) -> list[Symbol]:
        """Return the pairs that have a file of this timeframe."""
        return sorted(
            symbol
            for symbol, folder in self._symbol_folders().items()
            if (folder / f"{timeframe}.parquet").is_file()
        )

    def fetch(
        self, symbol: Symbol, timeframe: Timeframe, since: datetime, until: datetime
    ) -> Iterator[pl.DataFrame]:
        """Yield the recorded candles that open from `since` on and close at or before `until`."""
        recorded = candles_between(self._load(symbol, timeframe), since, timeframe.floor(until))
        return (recorded.slice(start, _PAGE_ROWS) for start in range(0, len(recorded), _PAGE_ROWS))

    def span(self, symbol: Symbol, timeframe: Timeframe) -> tuple[datetime, datetime]:
        """Return the open time of the first recorded candle and the close time of the last."""
        times = self._load(symbol, timeframe)["open_time"]
        return times.item(0), times.item(-1) + timeframe.duration

    def _load(self, symbol: Symbol, timeframe: Timeframe) -> pl.DataFrame:
        key = (symbol, timeframe)
        if key not in self._loaded:
            self._loaded[key] = _read(self._path(symbol, timeframe), timeframe, self._clock.now())
        return self._loaded[key]

    def _path(self, symbol: Symbol, timeframe: Timeframe) -> Path:
        folders = self._symbol_folders()
        if symbol not in folders:
            raise unknown_symbol(f"replay folder {self._folder}", symbol, folders)
        path = folders[symbol] / f"{timeframe}.parquet"
        if not path.is_file():
            names = sorted(file.stem for file in folders[symbol].glob("*.parquet"))
            raise unknown_timeframe(str(folders[symbol]), timeframe, names)
        return path

    def _symbol_folders(self) -> dict[Symbol, Path]:
        found = {}
        for folder in self._folder.iterdir():
            try:
                found[Symbol.parse(folder.name)] = folder
            except UsageError:
                continue  # not a folder of candles
        return found


def _read(path: Path, timeframe: Timeframe, now: datetime) -> pl.DataFrame:
    try:
        recorded = pl.read_parquet(path, glob=False)
        candles = as_full_candles(recorded) if has_trades(recorded) else as_candles(recorded)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: not readable as Parquet; replace the file") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if candles.is_empty():
        raise DataError(f"{path}: holds no candles; remove the file")
    time = pl.col("open_time")
    impossible_times = (
        ("out of order or twice", time <= time.shift()),
        (f"off the {timeframe} grid", time.dt.epoch("ms") % timeframe.milliseconds != 0),
        ("in the future", time > now - timeframe.duration),
    )
    for words, wrong in impossible_times:
        times = candles.filter(wrong)["open_time"]
        if len(times):
            found = f"{len(times)} candles {words}, first {times[0]:%Y-%m-%d %H:%M}"
            raise DataError(f"{path}: {found}; correct the recording")
    return candles


def _path_safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "replay"
