"""The candle: one schema for frames, one rule for when a candle is closed.

`CANDLE_SCHEMA` is what every candle has. Some sources also say what was traded inside a candle, the
`TRADE_COLUMNS`; `FULL_SCHEMA` has both, with nulls where a source does not say.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import DataError
from make_us_rich.market.timeframe import Timeframe

PRICE_COLUMNS = ("open", "high", "low", "close")
VALUE_COLUMNS = (*PRICE_COLUMNS, "volume")
CANDLE_SCHEMA = pl.Schema(
    {"open_time": pl.Datetime("ms", "UTC")} | dict.fromkeys(VALUE_COLUMNS, pl.Float64()),
)
TRADE_COLUMNS = ("quote_volume", "trades", "taker_buy_base", "taker_buy_quote")
FULL_SCHEMA = pl.Schema(
    dict(CANDLE_SCHEMA) | dict.fromkeys(TRADE_COLUMNS, pl.Float64()) | {"trades": pl.Int64()},
)


def as_candles(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the candle columns of a frame in the types of `CANDLE_SCHEMA`.

    Rows keep their order and their values, so that `check_quality` can still count what is wrong with
    them; a missing column, a row without a time or an unreadable value is a `DataError`.
    """
    return _typed(frame, CANDLE_SCHEMA)


def as_full_candles(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the candle and trade columns of a frame in the types of `FULL_SCHEMA`.

    A trade column the frame lacks becomes null; otherwise it is as strict as `as_candles`.
    """
    lacking = [name for name in TRADE_COLUMNS if name not in frame.columns]
    unsaid = [pl.Series(name, [None], FULL_SCHEMA[name]).new_from_index(0, len(frame)) for name in lacking]
    return _typed(frame.hstack(unsaid) if unsaid else frame, FULL_SCHEMA)


def has_trades(frame: pl.DataFrame) -> bool:
    """Say whether a frame has any of the trade columns."""
    return any(name in frame.columns for name in TRADE_COLUMNS)


def _typed(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    missing = [name for name in CANDLE_SCHEMA if name not in frame.columns]
    if missing:
        raise DataError(f"candles lack {', '.join(missing)}; their columns are {', '.join(CANDLE_SCHEMA)}")
    try:
        candles = frame[schema.names()]
        if candles.schema != schema:
            candles = candles.cast(schema)
    except pl.exceptions.PolarsError as error:
        first_line = str(error).splitlines()[0]
        raise DataError(f"candles hold values that are not numbers or times ({first_line})") from error
    if candles["open_time"].null_count():
        raise DataError("candles hold rows without an open_time; remove them")
    return candles


def no_candles(schema: pl.Schema = CANDLE_SCHEMA) -> pl.DataFrame:
    """Return an empty frame of candles."""
    return pl.DataFrame(schema=schema)


def closed_candles(candles: pl.DataFrame, timeframe: Timeframe, now: datetime) -> pl.DataFrame:
    """Return the candles whose close time, `open_time` + `timeframe`, is not after `now`."""
    return candles.filter(pl.col("open_time") <= now - timeframe.duration)


def candles_between(
    candles: pl.DataFrame, since: datetime | None = None, until: datetime | None = None
) -> pl.DataFrame:
    """Return the candles that open at or after `since` and before `until`."""
    if since is not None:
        candles = candles.filter(pl.col("open_time") >= since)
    if until is not None:
        candles = candles.filter(pl.col("open_time") < until)
    return candles


@cache
def is_impossible() -> pl.Expr:
    """Say per row whether no market can have produced it.

    That is a value that is missing or not finite, a price that is not positive, a negative volume, or
    an open or close outside low to high.
    """
    finite = pl.all_horizontal(pl.col(name).is_finite().fill_null(value=False) for name in VALUE_COLUMNS)
    ordered = (pl.col("low") <= pl.min_horizontal("open", "close")) & (
        pl.col("high") >= pl.max_horizontal("open", "close")
    )
    return ~(finite & ordered & (pl.col("low") > 0) & (pl.col("volume") >= 0)).fill_null(value=False)


@dataclass(frozen=True, slots=True, eq=False)
class InputColumns:
    """Columns a model reads besides the candle, raw; NaN where one says nothing."""

    names: tuple[str, ...]
    values: FloatArray  # (n, k)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> Self:
        """Copy the columns of a frame; what is null or not finite says nothing."""
        values = frame.cast(pl.Float64).to_numpy().astype(np.float64)
        return cls(tuple(frame.columns), np.ascontiguousarray(np.where(np.isfinite(values), values, np.nan)))


@dataclass(frozen=True, slots=True, eq=False)
class CandleArrays:
    """Candles as NumPy arrays, the form models take.

    `columns` are those besides the candle, for a model that reads any.
    """

    open_time_ms: NDArray[np.int64]  # (n,)
    ohlcv: FloatArray  # (n, 5)
    columns: InputColumns | None = None

    @classmethod
    def from_frame(cls, candles: pl.DataFrame, columns: pl.DataFrame | None = None) -> Self:
        """Copy the candle columns of a frame, and the columns of another beside them, row for row."""
        open_time_ms = candles["open_time"].dt.epoch("ms").to_numpy().astype(np.int64)
        ohlcv = candles.select(VALUE_COLUMNS).to_numpy().astype(np.float64)
        further = None if columns is None else InputColumns.from_frame(columns)
        return cls(open_time_ms, np.ascontiguousarray(ohlcv), further)

    def at(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], FloatArray, NDArray[np.float64] | None]:
        """Return open times, candles and columns at rows of any shape, as a model takes them."""
        columns = None if self.columns is None else self.columns.values[rows]
        return self.open_time_ms[rows], self.ohlcv[rows], columns

    def __len__(self) -> int:
        return len(self.open_time_ms)

    def close_time(self, timeframe: Timeframe) -> datetime:
        """Return the close time of the last candle."""
        if not len(self):
            raise ValueError("no candles, so no close time")
        return datetime.fromtimestamp(self.open_time_ms[-1].item() / 1000, UTC) + timeframe.duration
