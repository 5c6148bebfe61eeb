"""Candles on disk: Parquet parts that are only ever replaced whole."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from filelock import FileLock, Timeout

from make_us_rich.errors import DataError, StoreError, UsageError
from make_us_rich.market.candle import (
    CANDLE_SCHEMA,
    FULL_SCHEMA,
    TRADE_COLUMNS,
    VALUE_COLUMNS,
    as_candles,
    as_full_candles,
    candles_between,
    is_impossible,
    no_candles,
)
from make_us_rich.market.files import disk_errors_named, remove_unfinished, write_atomically
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

STORE_FORMAT = 1

_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LOCK_TIMEOUT_SECONDS = 60.0


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
        self._require_known_format()

    def append(
        self, candles: pl.DataFrame, source: str, symbol: Symbol, timeframe: Timeframe
    ) -> AppendResult:
        """Add closed candles, in any order; adding the same ones again changes nothing.

        A candle off the grid is a `DataError`, because it cannot belong to the series. Trade columns are
        kept where the candles have them, and complete stored candles that lack them.
        """
        arriving = as_full_candles(candles)
        _require_on_grid(arriving, symbol, timeframe)
        if arriving.is_empty():
            return AppendResult(added=0, revised=0)
        folder = self._folder(source, symbol, timeframe)
        with disk_errors_named(folder), self._writing(folder):
            parts = arriving.with_columns(part=_part_name(timeframe)).partition_by(
                "part", as_dict=True, include_key=False
            )
            names = sorted(str(key[0]) for key in parts)
            first = self.first_open_time(source, symbol, timeframe)
            if first is not None and arriving["open_time"].sort().item(0) < first:
                names.reverse()  # outwards from what is stored, so that a kill between parts leaves no hole
            results = [_merge_part(folder / f"{name}.parquet", parts[(name,)]) for name in names]
        return AppendResult(
            added=sum(result.added for result in results),
            revised=sum(result.revised for result in results),
            repaired=sum(result.repaired for result in results),
        )

    def load(
        self,
        source: str,
        symbol: Symbol,
        timeframe: Timeframe,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """Return stored candles in time order, with open times from `since` on and before `until`."""
        return self._load((source, symbol, timeframe), CANDLE_SCHEMA, since, until)

    def load_full(
        self,
        source: str,
        symbol: Symbol,
        timeframe: Timeframe,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """Return the same candles with the trade columns, which are null where the source has none."""
        return self._load((source, symbol, timeframe), FULL_SCHEMA, since, until)

    def _load(
        self,
        series: tuple[str, Symbol, Timeframe],
        schema: pl.Schema,
        since: datetime | None,
        until: datetime | None,
    ) -> pl.DataFrame:
        timeframe = series[2]
        paths = self._parts(*series)
        if since is not None:
            paths = [path for path in paths if path.stem >= _part_of(since, timeframe)]
        if until is not None:
            paths = [path for path in paths if path.stem <= _part_of(until, timeframe)]
        stored = pl.concat([no_candles(schema), *(_read_part(path, schema) for path in paths)])
        return candles_between(stored, since, until)

    def first_open_time(self, source: str, symbol: Symbol, timeframe: Timeframe) -> datetime | None:
        """Return the open time of the first stored candle."""
        paths = self._parts(source, symbol, timeframe)
        return _read_part(paths[0])["open_time"].item(0) if paths else None

    def last_open_time(self, source: str, symbol: Symbol, timeframe: Timeframe) -> datetime | None:
        """Return the open time of the last stored candle."""
        paths = self._parts(source, symbol, timeframe)
        return _read_part(paths[-1])["open_time"].item(-1) if paths else None

    def series(self) -> list[tuple[str, Symbol, Timeframe]]:
        """Return (source, symbol, timeframe) of every series with at least one candle, in order."""
        with disk_errors_named(self._root):
            folders = {path.parent for path in self._root.glob("*/*/*/*.parquet")}
        found = []
        for folder in sorted(folders):
            try:
                found.append(
                    (folder.parts[-3], Symbol.parse(folder.parts[-2]), Timeframe.parse(folder.parts[-1]))
                )
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

    def _folder(self, source: str, symbol: Symbol, timeframe: Timeframe) -> Path:
        if not is_source_name(source):
            raise ValueError(f"source name {source!r} cannot be a folder")
        return self._root / source / symbol.path_name / timeframe.name

    def _parts(self, source: str, symbol: Symbol, timeframe: Timeframe) -> list[Path]:
        folder = self._folder(source, symbol, timeframe)
        with disk_errors_named(folder):
            return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))

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


def _require_on_grid(candles: pl.DataFrame, symbol: Symbol, timeframe: Timeframe) -> None:
    off_grid = candles.filter(pl.col("open_time").dt.epoch("ms") % timeframe.milliseconds != 0)
    if len(off_grid):
        raise DataError(
            f"{symbol} {timeframe}: {len(off_grid)} candles off the {timeframe} grid, first at "
            f"{off_grid['open_time'][0]:%Y-%m-%d %H:%M:%S}; nothing was stored, check the source"
        )


def _merge_part(path: Path, arriving: pl.DataFrame) -> AppendResult:
    stored = _read_part(path, FULL_SCHEMA) if path.exists() else no_candles(FULL_SCHEMA)
    distinct = arriving.unique("open_time", keep="first", maintain_order=True)
    pairs = distinct.join(stored, on="open_time", suffix="_stored", maintain_order="left")
    changed = pairs.filter(_differs()).select(FULL_SCHEMA.names())
    completed = pairs.filter(~_differs() & _completes()).select(
        *CANDLE_SCHEMA.names(), *(pl.coalesce(f"{name}_stored", name).alias(name) for name in TRADE_COLUMNS)
    )
    broken = stored.filter(is_impossible()).select("open_time")
    repaired = changed.join(broken, on="open_time", how="semi").filter(~is_impossible())
    new = distinct.join(stored, on="open_time", how="anti")
    if len(new) or len(repaired) or len(completed):
        replaced = pl.concat([repaired, completed])
        kept = stored.join(replaced, on="open_time", how="anti")
        _write_part(path, pl.concat([kept, replaced, new]).sort("open_time"))
    return AppendResult(len(new), len(changed) - len(repaired), len(repaired))


def _differs() -> pl.Expr:
    core = (pl.col(name).ne_missing(pl.col(f"{name}_stored")) for name in VALUE_COLUMNS)
    # a null says that the source did not tell, which contradicts nothing
    said = (pl.col(name).ne(pl.col(f"{name}_stored")).fill_null(value=False) for name in TRADE_COLUMNS)
    return pl.any_horizontal(*core, *said)


def _completes() -> pl.Expr:
    return pl.any_horizontal(
        pl.col(f"{name}_stored").is_null() & pl.col(name).is_not_null() for name in TRADE_COLUMNS
    )


def _read_part(path: Path, schema: pl.Schema = CANDLE_SCHEMA) -> pl.DataFrame:
    with disk_errors_named(path):
        try:
            content = path.read_bytes()
            if schema == CANDLE_SCHEMA:
                return as_candles(pl.read_parquet(content, columns=schema.names()))
            return as_full_candles(pl.read_parquet(content))
        except (pl.exceptions.PolarsError, DataError) as error:
            raise StoreError(f"{path}: not readable as candles; remove this file and fetch again") from error


def _write_part(path: Path, candles: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    candles.write_parquet(buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())
