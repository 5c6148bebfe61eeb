"""What a model may read besides prices and volume: who bought, how often, and how the market moved."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from make_us_rich.errors import DataError

ActivityInput = Literal["taker_share", "trades", "market_volatility"]

MARKET_VARIANCE = "market_variance"
ACTIVITY_COLUMNS = MappingProxyType[ActivityInput, str](
    {"taker_share": "taker_buy_base", "trades": "trades", "market_volatility": MARKET_VARIANCE}
)
"""The column of a candle each input is computed from, in the order in which models take them."""

MAX_UNTOLD_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """The columns (n, k) of some inputs, raw, one per input and in their order."""

    inputs: tuple[ActivityInput, ...]
    values: NDArray[np.float64]


def in_order(inputs: Iterable[ActivityInput]) -> tuple[ActivityInput, ...]:
    """Return inputs in the order in which models take them."""
    chosen = set(inputs)
    return tuple(name for name in ACTIVITY_COLUMNS if name in chosen)


def activity_columns(inputs: Iterable[ActivityInput]) -> tuple[str, ...]:
    """Return the columns of a candle that inputs are computed from."""
    return tuple(ACTIVITY_COLUMNS[name] for name in in_order(inputs))


def require_told(candles: pl.DataFrame, inputs: Iterable[ActivityInput], subject: str) -> None:
    """Raise a `DataError` unless every input is told from the first candle on, but for a small share.

    What is not told within that share is taken from the candle before; see `CandleArrays.from_frame`.
    """
    for name in in_order(inputs):
        column, words = ACTIVITY_COLUMNS[name], name.replace("_", " ")
        told = candles.filter(pl.col(column).is_not_null()) if column in candles.columns else candles.clear()
        if told.is_empty():
            raise DataError(
                f"{subject} tells no {words}; drop `{name}` from inputs or use a source that has it"
            )
        if (first := told["open_time"].item(0)) != candles["open_time"].item(0):
            raise DataError(
                f"{subject} tells {words} only from {first:%Y-%m-%d %H:%M} on; begin there with --since, "
                f"or drop `{name}` from inputs"
            )
        untold = len(candles) - len(told)
        if untold > MAX_UNTOLD_SHARE * len(candles):
            raise DataError(
                f"{subject}: {untold} of {len(candles)} candles tell no {words}, more than "
                f"{MAX_UNTOLD_SHARE:.0%}; fetch them again, or drop `{name}` from inputs"
            )
