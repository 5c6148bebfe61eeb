"""What a source may tell besides prices and volume, by the column of a candle it stands in."""

from types import MappingProxyType

import polars as pl

MARKET_VARIANCE = "market_variance"
"""Column of the variance of the market as a whole, where it was added."""

MARKET_CANDLES = "market_candles"
"""What a feature names that reads the candles of other symbols; see `market_column`."""

ACTIVITY_COLUMNS = MappingProxyType(
    {"taker_share": "taker_buy_base", "trades": "trades", "market_volatility": MARKET_VARIANCE}
)
"""The inputs whose raw column enters the graph, which has a formula for it, in the order models take them."""

COLUMN_INPUTS = ("columns", "activity")
"""What a graph calls its input of columns besides candles, now and in version 0.1.0."""


def market_column(column: str, symbol: str) -> str:
    """Return the name of the column that holds what another symbol's candle says.

    >>> market_column("close", "ETH-USDT")
    'close@ETH-USDT'
    """
    return f"{column}@{symbol}"


def market_columns(candles: pl.DataFrame, column: str = "") -> list[str]:
    """Return the columns of other symbols in a frame, of all or of one column of theirs."""
    parts = [(name, name.partition("@")) for name in candles.columns]
    return [name for name, (own, at, _) in parts if at and column in {"", own}]
