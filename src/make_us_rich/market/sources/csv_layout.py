"""The layout of a CSV file of candles: where its header is, and which column means what."""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from make_us_rich.errors import DataError

_SEARCHED_LINES = 10
_PRICES = ("open", "high", "low", "close")
_MEANINGS = {
    "open_time": ("open_time", "unix", "unix_timestamp", "timestamp", "time"),
    "date": ("date", "datetime"),
    "symbol": ("symbol", "pair"),
    **{name: (name,) for name in _PRICES},
    "volume": ("volume", "volume_from"),
    "quote_volume": ("quote_volume", "quote_asset_volume", "volume_to"),
    "trades": ("trades", "tradecount", "trade_count", "count", "number_of_trades"),
    "taker_buy_base": ("taker_buy_base", "taker_buy_volume", "taker_buy_base_asset_volume"),
    "taker_buy_quote": ("taker_buy_quote", "taker_buy_quote_volume", "taker_buy_quote_asset_volume"),
}


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How one file is written; `columns` maps a meaning to the position of its column.

    `volume_names` are the currencies named by two columns such as `Volume BTC` and `Volume USDT`.
    """

    header_line: int
    separator: str
    width: int
    columns: dict[str, int]
    volume_names: tuple[str, str] | None


def read_text(path: Path) -> str:
    """Return the text of a file; what is no text is a `DataError`."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8; unpack or convert it") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; name a CSV file that can be read") from error


def find_layout(path: Path, text: str) -> CsvLayout:
    """Find the header, below any banner; a file without one is a `DataError`."""
    lines = text.split("\n", _SEARCHED_LINES)[:_SEARCHED_LINES]
    for number, line in enumerate(lines, start=1):
        separator = next((mark for mark in (",", ";", "\t") if mark in line), ",")
        names = [_normal(name) for name in line.split(separator)]
        if all(price in names for price in _PRICES):
            return _layout(path, number, separator, names)
    raise DataError(
        f"{path}: no header with open, high, low and close in its first {_SEARCHED_LINES} lines; "
        "add one such as open_time,open,high,low,close,volume"
    )


def split_lines(layout: CsvLayout, text: str) -> tuple[pl.DataFrame, list[int]]:
    """Return the fields below the header as text, with their `line`, and the lines of another width.

    Empty lines are passed over.
    """
    rows = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=1)
    rows = rows.slice(layout.header_line)
    rows = rows.with_columns(pl.col("text").str.strip_chars(" ")).filter(pl.col("text") != "")
    width = pl.col("text").str.count_matches(layout.separator, literal=True) + 1
    ragged = rows.filter(width != layout.width)["line"].to_list()
    fields = rows.filter(width == layout.width).select(
        "line", pl.col("text").str.split_exact(layout.separator, layout.width - 1)
    )
    return fields.select("line", *(_field(name, place) for name, place in layout.columns.items())), ragged


def _field(name: str, place: int) -> pl.Expr:
    return pl.col("text").struct.field(f"field_{place}").str.strip_chars('" ').alias(name)


def _layout(path: Path, number: int, separator: str, names: list[str]) -> CsvLayout:
    columns = {}
    for meaning, spellings in _MEANINGS.items():
        found = [spelling for spelling in spellings if spelling in names]
        if found:
            columns[meaning] = names.index(found[0])
    named = [
        name for name in names if re.fullmatch(r"volume_[a-z0-9]+", name) and name not in _MEANINGS["volume"]
    ]
    volume_names = None
    if "volume" not in columns and named:
        columns["volume"] = names.index(named[0])
        if len(named) > 1:
            columns["quote_volume"] = names.index(named[1])
            volume_names = (
                named[0].removeprefix("volume_").upper(),
                named[1].removeprefix("volume_").upper(),
            )
    if "open_time" not in columns and "date" in columns:
        columns["open_time"] = columns.pop("date")
    missing = [name for name in ("open_time", "volume") if name not in columns]
    if missing:
        raise DataError(
            f"{path}: line {number}, the header, names no {' and no '.join(missing)}; "
            "name the columns open_time,open,high,low,close,volume"
        )
    return CsvLayout(number, separator, len(names), columns, volume_names)


def _normal(name: str) -> str:
    return re.sub(r"[ ()]+", "_", name.strip('"\r ').lower()).strip("_")
