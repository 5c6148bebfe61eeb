"""Candles on disk: Parquet parts that are only ever replaced whole."""

import io
import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from filelock import FileLock, Timeout

from make_us_rich.errors import DataError, StoreError, UsageError
from make_us_rich.market.candle import (
    CANDLE_SCHEMA,
    FULL_SCHEMA,
    TRADE_COLUMNS,
    VALUE_COLUMNS,
    as_full_candles,
    is_impossible,
    no_candles,
)
from make_us_rich.market.files import disk_errors_named, remove_unfinished, write_atomically
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

STORE_FORMAT = 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LOCK_TIMEOUT_SECONDS = 60.0
_FEW = 16  # candles: what comes at once while a market is followed
_RECENT_BYTES = 64_000_000  # of parts in memory: two years of hours of some fifty pairs


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What became of candles handed to the store.

    `revised` candles differ from the stored ones, which stay: a closed candle does not change, and
    forecasts were made from it. `repaired` ones took the place of an impossible candle.
    """

    added: int
    revised: int
    repaired: int = 0


class CandleStore:
    """The closed candles of one market.

    They lie in `<root>/<source>/<BASE>-<QUOTE>/<timeframe>/<part>.parquet`, one part per year, or per
    month for timeframes under an hour. Any number of processes may read and write at once; one that
    is killed loses the part it was writing and damages nothing. Parts hold `FULL_SCHEMA`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._recent = _RecentParts()
        self._require_known_format()

    def append(self, candles: pl.DataFrame, series: Series) -> AppendResult:
        """Add closed candles, in any order; adding the same ones again changes nothing.

        A candle off the grid is a `DataError`, because it cannot belong to the series. Trade columns are
        kept where the candles have them, and complete stored candles that lack them.
        """
        arriving = as_full_candles(candles)
        _require_on_grid(arriving, series)
        if arriving.is_empty():
            return AppendResult(added=0, revised=0)
        folder = self._folder(series)
        with disk_errors_named(folder), self._writing(folder):
            parts = _by_part(arriving, series.timeframe)
            names = sorted(parts)
            first = self.first_open_time(series)
            if first is not None and arriving["open_time"].sort().item(0) < first:
                names.reverse()  # outwards from what is stored, so that a kill between parts leaves no hole
            results = [self._merge(folder / f"{name}.parquet", parts[name]) for name in names]
        return AppendResult(
            added=sum(result.added for result in results),
            revised=sum(result.revised for result in results),
            repaired=sum(result.repaired for result in results),
        )

    def load(
        self, series: Series, since: datetime | None = None, until: datetime | None = None
    ) -> pl.DataFrame:
        """Return stored candles in time order, with open times from `since` on and before `until`."""
        return self._load(series, CANDLE_SCHEMA, since, until)

    def load_full(
        self, series: Series, since: datetime | None = None, until: datetime | None = None
    ) -> pl.DataFrame:
        """Return the same candles with the trade columns, which are null where the source has none."""
        return self._load(series, FULL_SCHEMA, since, until)

    def _load(
        self, series: Series, schema: pl.Schema, since: datetime | None, until: datetime | None
    ) -> pl.DataFrame:
        paths = self._parts(series)
        if since is not None:
            paths = [path for path in paths if path.stem >= _part_of(since, series.timeframe)]
        if until is not None:
            paths = [path for path in paths if path.stem <= _part_of(until, series.timeframe)]
        columns = schema.names()
        parts = [_between(self._recent.read(path), since, until).select(columns) for path in paths]
        return pl.concat(parts) if parts else no_candles(schema)

    def first_open_time(self, series: Series) -> datetime | None:
        """Return the open time of the first stored candle."""
        paths = self._parts(series)
        return self._recent.read(paths[0])["open_time"].item(0) if paths else None

    def last_open_time(self, series: Series) -> datetime | None:
        """Return the open time of the last stored candle."""
        paths = self._parts(series)
        return self._recent.read(paths[-1])["open_time"].item(-1) if paths else None

    def series(self) -> list[Series]:
        """Return every series with at least one candle, by source, symbol and timeframe."""
        with disk_errors_named(self._root):
            folders = {path.parent for path in self._root.glob("*/*/*/*.parquet")}
        found = []
        for folder in sorted(folders):
            try:
                source, symbol, timeframe = folder.parts[-3:]
                found.append(Series(source, Symbol.parse(symbol), Timeframe.parse(timeframe)))
            except UsageError:
                continue  # somebody else's folder
        return found

    def _require_known_format(self) -> None:
        path = self._root / "store.json"
        with disk_errors_named(path):
            text = path.read_text() if path.exists() else json.dumps({"format": STORE_FORMAT})
        try:
            found = json.loads(text)["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path}: not readable as a store's format; restore it from a backup") from error
        if found != STORE_FORMAT:
            raise StoreError(
                f"{path}: the store has format {found}, this version knows format {STORE_FORMAT}; "
                "install a newer Make Us Rich, or point MUR_HOME to another folder"
            )

    def _merge(self, path: Path, arriving: pl.DataFrame) -> AppendResult:
        stored = self._recent.read(path) if path.exists() else no_candles(FULL_SCHEMA)
        merged, result = _appended(stored, arriving) or _merged(stored, arriving)
        if merged is not None:
            _write_part(path, merged)
            self._recent.keep(path, merged)
        return result

    def _folder(self, series: Series) -> Path:
        if not is_source_name(series.source):
            raise ValueError(f"source name {series.source!r} cannot be a folder")
        return self._root / series.folder

    def _parts(self, series: Series) -> list[Path]:
        folder = self._folder(series)
        with disk_errors_named(folder):
            try:
                names = os.listdir(folder)  # noqa: PTH208 -- at every candle, and half the price of a glob
            except FileNotFoundError:
                return []
        return [folder / one for one in sorted(names) if one.endswith(".parquet") and one[0] != "."]

    @contextmanager
    def _writing(self, folder: Path) -> Iterator[None]:
        folder.mkdir(parents=True, exist_ok=True)
        if not (self._root / "store.json").exists():
            write_atomically(self._root / "store.json", json.dumps({"format": STORE_FORMAT}).encode())
        try:
            with FileLock(folder / ".lock", timeout=_LOCK_TIMEOUT_SECONDS):
                remove_unfinished(folder)
                yield
        except Timeout as error:
            raise StoreError(
                f"{folder}: another process has been writing for {_LOCK_TIMEOUT_SECONDS:.0f} s; "
                "wait for it or stop it, then run it again"
            ) from error


def is_source_name(text: str) -> bool:
    """Say whether a source of this name can have a folder in the store."""
    return _SOURCE_NAME.fullmatch(text) is not None


def _part_format(timeframe: Timeframe) -> str:
    return "%Y-%m" if timeframe.minutes < 60 else "%Y"


def _part_of(moment: datetime, timeframe: Timeframe) -> str:
    return moment.astimezone(UTC).strftime(_part_format(timeframe))


def _part_name(timeframe: Timeframe) -> pl.Expr:
    return pl.col("open_time").dt.strftime(_part_format(timeframe))


def _by_part(candles: pl.DataFrame, timeframe: Timeframe) -> dict[str, pl.DataFrame]:
    first, last = candles["open_time"].min(), candles["open_time"].max()
    if isinstance(first, datetime) and isinstance(last, datetime):
        name = _part_of(first, timeframe)
        if name == _part_of(last, timeframe):
            return {name: candles}
    parts = candles.with_columns(part=_part_name(timeframe)).partition_by(
        "part", as_dict=True, include_key=False
    )
    return {str(key[0]): part for key, part in parts.items()}


def _require_on_grid(candles: pl.DataFrame, series: Series) -> None:
    timeframe = series.timeframe
    if not np.any(candles["open_time"].to_numpy().view(np.int64) % timeframe.milliseconds):
        return
    off_grid = candles.filter(pl.col("open_time").dt.epoch("ms") % timeframe.milliseconds != 0)
    if len(off_grid):
        raise DataError(
            f"{series}: {len(off_grid)} candles off the {timeframe} grid, first at "
            f"{off_grid['open_time'][0]:%Y-%m-%d %H:%M:%S}; nothing was stored, check the source"
        )


class _RecentParts:
    """The parts read last, in memory: whoever follows a market reads the same ones at every candle.

    A part is only ever replaced whole, so its inode, time and size say whether it is still the one read.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[Path, tuple[tuple[int, int, int], pl.DataFrame]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path) -> pl.DataFrame:
        mark = _mark(path)
        with self._lock:
            known = self._held.get(path)
            if known is not None and known[0] == mark:
                self._held.move_to_end(path)
                return known[1]
        candles = _read_part(path)
        self._hold(path, mark, candles)
        return candles

    def keep(self, path: Path, candles: pl.DataFrame) -> None:
        """Remember a part that was just written."""
        self._hold(path, _mark(path), candles)

    def _hold(self, path: Path, mark: tuple[int, int, int], candles: pl.DataFrame) -> None:
        with self._lock:
            self._held[path] = (mark, candles)
            self._held.move_to_end(path)
            size = sum(part.estimated_size() for _, part in self._held.values())
            while size > _RECENT_BYTES and len(self._held) > 1:
                _, (_, oldest) = self._held.popitem(last=False)
                size -= oldest.estimated_size()


def _mark(path: Path) -> tuple[int, int, int]:
    with disk_errors_named(path):
        stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _between(part: pl.DataFrame, since: datetime | None, until: datetime | None) -> pl.DataFrame:
    # a part is in order, so this is a look-up and not a walk through all of it
    times = part["open_time"].to_numpy().view(np.int64)
    start = 0 if since is None else int(np.searchsorted(times, _milliseconds(since)))
    end = len(part) if until is None else int(np.searchsorted(times, _milliseconds(until)))
    return part.slice(start, max(0, end - start))


def _milliseconds(moment: datetime) -> int:
    return -((_EPOCH - moment) // timedelta(milliseconds=1))  # the next one, where it lies between two


def _appended(
    stored: pl.DataFrame, arriving: pl.DataFrame
) -> tuple[pl.DataFrame | None, AppendResult] | None:
    """Merge the few candles of a live market; None where there is more to it than to add the new ones."""
    if len(arriving) > _FEW or stored.is_empty() or not arriving["open_time"].is_sorted():
        return None
    known = {row[0]: row for row in stored.tail(_FEW).iter_rows()}
    last = stored["open_time"].item(-1)
    rows = list(arriving.iter_rows())
    new = [row for row in rows if row[0] > last]
    if any(known.get(row[0]) != row for row in rows[: len(rows) - len(new)]) or len(
        {r[0] for r in new}
    ) < len(new):
        return None
    if not new:
        return None, AppendResult(0, 0)
    return pl.concat([stored, arriving.tail(len(new))], rechunk=True), AppendResult(len(new), 0)


def _merged(stored: pl.DataFrame, arriving: pl.DataFrame) -> tuple[pl.DataFrame | None, AppendResult]:
    """Return the part with what arrives in it, None where nothing changes; older candles are left alone."""
    distinct = arriving.unique("open_time", keep="first", maintain_order=True)
    start = stored["open_time"].search_sorted(distinct["open_time"].sort().item(0))
    before, known = stored[:start], stored[start:]
    pairs = distinct.join(known, on="open_time", suffix="_stored", maintain_order="left")
    changed = pairs.filter(_differs()).select(FULL_SCHEMA.names())
    completed = pairs.filter(~_differs() & _completes()).select(
        *CANDLE_SCHEMA.names(), *(pl.coalesce(f"{name}_stored", name).alias(name) for name in TRADE_COLUMNS)
    )
    broken = known.filter(is_impossible()).select("open_time")
    repaired = changed.join(broken, on="open_time", how="semi").filter(~is_impossible())
    new = distinct.join(known, on="open_time", how="anti")
    result = AppendResult(len(new), len(changed) - len(repaired), len(repaired))
    if not (len(new) or len(repaired) or len(completed)):
        return None, result
    replaced = pl.concat([repaired, completed])
    kept = known.join(replaced, on="open_time", how="anti")
    after = pl.concat([kept, replaced, new]).sort("open_time")
    return pl.concat([before, after], rechunk=True), result


def _differs() -> pl.Expr:
    core = (pl.col(name).ne_missing(pl.col(f"{name}_stored")) for name in VALUE_COLUMNS)
    # a null says that the source did not tell, which contradicts nothing
    said = (pl.col(name).ne(pl.col(f"{name}_stored")).fill_null(value=False) for name in TRADE_COLUMNS)
    return pl.any_horizontal(*core, *said)


def _completes() -> pl.Expr:
    return pl.any_horizontal(
        pl.col(f"{name}_stored").is_null() & pl.col(name).is_not_null() for name in TRADE_COLUMNS
    )


def _read_part(path: Path) -> pl.DataFrame:
    with disk_errors_named(path):
        try:
            return as_full_candles(pl.read_parquet(path.read_bytes()))
        except (pl.exceptions.PolarsError, DataError) as error:
            raise StoreError(f"{path}: not readable as candles; remove this file and fetch again") from error


def _write_part(path: Path, candles: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    candles.write_parquet(buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())
