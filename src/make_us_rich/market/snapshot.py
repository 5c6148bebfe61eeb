"""The exact candles a model was trained on, known by what they hold."""

import hashlib
import io
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

import polars as pl

from make_us_rich.errors import StoreError
from make_us_rich.market.activity import MARKET_VARIANCE, market_columns
from make_us_rich.market.candle import CANDLE_SCHEMA, TRADE_COLUMNS, as_full_candles
from make_us_rich.market.files import disk_errors_named, write_atomically
from make_us_rich.market.quality import check_quality, fill_gaps, require_fit
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Origin:
    """The desk and the source candles come from."""

    market: Market
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Candles fit to learn from: checked, on every step of the grid, and identified by `content_hash`.

    `candles` has `CANDLE_SCHEMA`, the trade columns the source has, `filled`, and what of the market was
    added: `market_variance`, candles of other symbols. `first` and `last` are open times.
    """

    symbol: Symbol
    timeframe: Timeframe
    market: Market
    source: str
    candles: pl.DataFrame
    content_hash: str
    first: datetime
    last: datetime
    rows: int

    @property
    def data_end(self) -> datetime:
        """Close time of the last candle."""
        return self.last + self.timeframe.duration


def content_hash(candles: pl.DataFrame) -> str:
    """Return the SHA-256 of the values, column after column; the same on every machine.

    It is taken over little-endian bytes and not over a Parquet file, because the bytes of a file depend
    on the version that wrote it. A trade column, or that of the market, counts where it holds anything, so
    that candles without one have the same hash as before there were any.
    """
    digest = hashlib.sha256()
    for name in CANDLE_SCHEMA:
        column = candles[name].dt.epoch("ms") if name == "open_time" else candles[name]
        kind = "<i8" if name == "open_time" else "<f8"
        digest.update(f"{name}:{len(column)};".encode())
        digest.update(column.to_numpy().astype(kind).tobytes())
    for name in _told_columns(candles):
        is_told = candles[name].is_not_null().to_numpy().astype("u1")
        digest.update(f"{name}:{len(is_told)};".encode() + is_told.tobytes())
        digest.update(candles[name].fill_null(0).to_numpy().astype("<f8").tobytes())
    if "filled" in candles.columns:
        digest.update(b"filled;" + candles["filled"].to_numpy().astype("u1").tobytes())
    return digest.hexdigest()


def take_snapshot(
    candles: pl.DataFrame, symbol: Symbol, timeframe: Timeframe, *, origin: Origin, now: datetime
) -> Snapshot:
    """Check candles, refuse what is unfit (see `require_fit`), fill the gaps and freeze the result."""
    require_fit(check_quality(candles, symbol, timeframe, now))
    full = as_full_candles(candles)
    told = full.select(*CANDLE_SCHEMA.names(), *_told_columns(full))
    return _build(fill_gaps(told, timeframe), symbol, timeframe, origin)


def with_market_variance(snapshot: Snapshot, variance: pl.Series) -> Snapshot:
    """Return the snapshot with the market's variance of each candle, which its hash then covers."""
    return with_columns(snapshot, variance.alias(MARKET_VARIANCE).to_frame())


def with_columns(snapshot: Snapshot, columns: pl.DataFrame) -> Snapshot:
    """Return the snapshot with columns of the market, row for row, which its hash then covers."""
    candles = snapshot.candles.with_columns(columns)
    origin = Origin(snapshot.market, snapshot.source)
    return _build(candles, snapshot.symbol, snapshot.timeframe, origin)


def save_snapshot(snapshot: Snapshot, root: Path) -> Path:
    """Write a snapshot to `<root>/<content_hash>.parquet`; the same content is written once."""
    path = root / f"{snapshot.content_hash}.parquet"
    with disk_errors_named(path):
        if not path.exists():
            root.mkdir(parents=True, exist_ok=True)
            buffer = io.BytesIO()
            snapshot.candles.write_parquet(buffer, metadata=_labels(snapshot))
            write_atomically(path, buffer.getvalue())
        else:
            path.touch()  # the age of the file says since when nobody has taken it up
    return path


def load_snapshot(root: Path, content_hash: str) -> Snapshot:
    """Read a snapshot back; content that no longer has its hash is a `StoreError`."""
    if not _HASH.fullmatch(content_hash):
        raise ValueError(f"{content_hash!r} is not a SHA-256 in hexadecimal digits")
    path = root / f"{content_hash}.parquet"
    with disk_errors_named(path):
        content = path.read_bytes()
    try:
        snapshot = _parse(content)
    except (pl.exceptions.PolarsError, KeyError, ValueError) as error:
        raise StoreError(f"{path}: not readable as a snapshot; restore it or train again") from error
    if snapshot.content_hash != content_hash:
        raise StoreError(f"{path}: the content has changed since it was saved; restore it or train again")
    return snapshot


def _told_columns(candles: pl.DataFrame) -> list[str]:
    further = (*TRADE_COLUMNS, MARKET_VARIANCE, *market_columns(candles))
    return [name for name in further if name in candles.columns and candles[name].count()]


def _build(filled: pl.DataFrame, symbol: Symbol, timeframe: Timeframe, origin: Origin) -> Snapshot:
    return Snapshot(
        symbol=symbol,
        timeframe=timeframe,
        market=origin.market,
        source=origin.source,
        candles=filled,
        content_hash=content_hash(filled),
        first=filled["open_time"].item(0),
        last=filled["open_time"].item(-1),
        rows=len(filled),
    )


def _labels(snapshot: Snapshot) -> dict[str, str]:
    return {
        "symbol": str(snapshot.symbol),
        "timeframe": snapshot.timeframe.name,
        "market": snapshot.market,
        "source": snapshot.source,
    }


def _parse(content: bytes) -> Snapshot:
    labels = pl.read_parquet_metadata(io.BytesIO(content))
    market = next(market for market in get_args(Market) if market == labels["market"])
    return _build(
        pl.read_parquet(content),
        Symbol.parse(labels["symbol"]),
        Timeframe.parse(labels["timeframe"]),
        Origin(market, labels["source"]),
    )
