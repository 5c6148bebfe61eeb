"""Leaks planted on purpose: the check must refuse them, whatever the gate would say."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from make_us_rich.evaluation.leakage import Columns
from make_us_rich.evaluation.model_inputs import price_model_inputs
from make_us_rich.features.feature import Compute
from make_us_rich.market.candle import VALUE_COLUMNS, CandleArrays
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.price_table import PriceTable, build_price_table


def next_return(candles: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:  # noqa: ARG001 -- a feature
    """The classic slip: the return of the coming candle, by a shift in the wrong direction."""
    log_close = pl.col("close").log()
    return candles.select((log_close.shift(-1) - log_close).alias("planted_next_return"))


def scaled_close(candles: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:  # noqa: ARG001 -- a feature
    """The quiet slip: the close between the lowest and highest of all rows, later ones too."""
    close = pl.col("close")
    return candles.select(((close - close.min()) / (close.max() - close.min())).alias("planted_scaled_close"))


PLANTED_FEATURES: Mapping[str, Compute] = {
    "planted_next_return": next_return,
    "planted_scaled_close": scaled_close,
}


def one_candle_ahead(candles: pl.DataFrame) -> pl.DataFrame:
    """Give every row the prices and volume of the next candle; the last row keeps its own."""
    return candles.with_columns(pl.col(name).shift(-1).fill_null(pl.col(name)) for name in VALUE_COLUMNS)


def leaking_inputs(timeframe: Timeframe) -> Columns:
    """Return the function from candles to the inputs of a price model that sees the next candle."""
    inputs = price_model_inputs(timeframe)
    return lambda candles: inputs(one_candle_ahead(candles))


def leaking_table(table: PriceTable, candles: pl.DataFrame) -> PriceTable:
    """Return the table of a model that sees the next candle: its inputs leak, its targets are true."""
    ahead = CandleArrays.from_frame(one_candle_ahead(candles))
    leaking = build_price_table(ahead.open_time_ms, ahead.ohlcv, table.timeframe, table.horizons)
    return replace(table, columns=leaking.columns)
