"""The candles in an exchange's answer."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from make_us_rich.errors import DataError
from make_us_rich.market.candle import CANDLE_SCHEMA, TRADE_COLUMNS, as_candles, as_full_candles

# where a row of the exchange's own answer tells what was traded; ccxt passes on the first six values only
_TRADE_POSITIONS = dict.fromkeys(("binance", "binanceus"), (7, 8, 9, 10))


def parse_page(exchange_name: str, rows: Sequence[Any], raw: object) -> pl.DataFrame:
    """Return the candles of an answer in time order, with trade columns if the exchange tells them.

    `rows` are ccxt's, `raw` is the exchange's own answer. What is no candle is a `DataError`.
    """
    try:
        page = as_candles(
            pl.DataFrame(rows, schema=CANDLE_SCHEMA.names(), orient="row", infer_schema_length=None)
        )
        if exchange_name in _TRADE_POSITIONS:
            traded = _traded(raw, _TRADE_POSITIONS[exchange_name])
            page = as_full_candles(page.join(traded, on="open_time", how="left", maintain_order="left"))
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise DataError("the answer holds no candles") from error
    return page.unique("open_time", keep="last").sort("open_time")


def _traded(raw: object, positions: tuple[int, ...]) -> pl.DataFrame:
    rows = raw if isinstance(raw, list) else []
    told = [[row[0], *(row[place] for place in positions)] for row in rows if len(row) > max(positions)]
    frame = pl.DataFrame(
        told, schema=["open_time", *TRADE_COLUMNS], orient="row", infer_schema_length=None, strict=False
    )
    return frame.cast({"open_time": CANDLE_SCHEMA["open_time"]}).unique("open_time", keep="last")
