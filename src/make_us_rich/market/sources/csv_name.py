"""Which pair and which length of candle a CSV file holds."""

import itertools
import re
from pathlib import Path

import polars as pl

from make_us_rich.errors import DataError, UsageError
from make_us_rich.market.sources.csv_layout import CsvLayout
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import TIMEFRAME_NAMES, Timeframe

_MONEY = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "DAI", "USD", "EUR", "GBP", "JPY", "TRY", "BRL")
_COINS = ("BTC", "ETH", "BNB")
_SPELLINGS = {
    **dict.fromkeys(("minute", "1min"), "1m"),
    **dict.fromkeys(("hour", "hourly", "60m"), "1h"),
    **dict.fromkeys(("d", "day", "daily"), "1d"),
}


def find_symbol(path: Path, layout: CsvLayout, fields: pl.DataFrame) -> Symbol:
    """Return the pair the rows state, else the header, else the file's name.

    Rows of a second pair are a `DataError`.
    """
    if "symbol" in fields.columns:
        stated = fields.filter(pl.col("symbol") != "").unique("symbol", keep="first", maintain_order=True)
        if len(stated) > 1:
            line, other = stated.row(1, named=True)["line"], stated["symbol"][1]
            raise DataError(
                f"{path}: line {line} is of {other}, the rows before of {stated['symbol'][0]}; "
                "split it into one file per pair"
            )
        symbol = _parse(stated["symbol"][0], layout.volume_names) if len(stated) else None
        if symbol is not None:
            return symbol
    if layout.volume_names is not None:
        return Symbol(*layout.volume_names)
    symbol = _symbol_in_name(path.stem)
    if symbol is None:
        raise DataError(
            f"{path}: neither a symbol column nor the file's name tells the pair; name it BTC-USDT_1h.csv"
        )
    return symbol


def find_timeframe(path: Path, times: pl.Series) -> Timeframe:
    """Return the most common distance between rows; a file's name that says otherwise is a `DataError`."""
    named = _timeframe_in_name(path)
    steps = times.unique().sort().diff().drop_nulls()
    if steps.is_empty():
        if named is None:
            raise DataError(
                f"{path}: one row does not tell how long a candle is; name it like BTC-USDT_1h.csv"
            )
        return named
    step = int(steps.dt.total_milliseconds().mode().min())  # type: ignore[arg-type]
    spaced = next((frame for frame in map(Timeframe, TIMEFRAME_NAMES) if frame.milliseconds == step), None)
    if spaced is None or (named is not None and named != spaced):
        found = f"its name says {named}, but " if named is not None else ""
        distance = f"{step / 60_000:g} minutes"
        raise DataError(
            f"{path}: {found}its rows are {distance} apart; "
            f"{'rename it' if spaced else 'resample it to one of ' + ', '.join(TIMEFRAME_NAMES)}"
        )
    return spaced


def _parse(text: str, volume_names: tuple[str, str] | None) -> Symbol | None:
    joined = text.upper()
    if volume_names is not None and joined == "".join(volume_names):
        return Symbol(*volume_names)
    try:
        return Symbol.parse(text)
    except UsageError:
        return _split(joined, (*_MONEY, *_COINS))


def _split(joined: str, quotes: tuple[str, ...]) -> Symbol | None:
    for quote in quotes:
        base = joined.removesuffix(quote)
        if base != joined and re.fullmatch(r"[A-Z0-9]{2,20}", base):
            return Symbol(base, quote)
    return None


def _symbol_in_name(name: str) -> Symbol | None:
    tokens = re.split(r"[^A-Za-z0-9]+", name.upper())
    # money first, because `binance_btc_usdt` is no pair of a coin named binance
    for quotes in (_MONEY, _COINS):
        pairs = [
            (base, quote) for base, quote in itertools.pairwise(tokens) if quote in quotes and len(base) > 1
        ]
        found = {Symbol(*pair) for pair in pairs} or {_split(token, quotes) for token in tokens} - {None}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _timeframe_in_name(path: Path) -> Timeframe | None:
    for token in reversed(re.split(r"[^A-Za-z0-9]+", path.stem.lower())):
        name = _SPELLINGS.get(token, token)
        if name in TIMEFRAME_NAMES:
            return Timeframe(name)
    return None
