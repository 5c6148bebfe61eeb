"""Features as inputs of a model: named in an experiment, computed alike for training and for serving.

A column of an input is called `feature.column`; the raw columns of `ACTIVITY_COLUMNS` keep their own names.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from make_us_rich.errors import DataError
from make_us_rich.features.feature_set import resolve_feature
from make_us_rich.market.activity import ACTIVITY_COLUMNS, MARKET_CANDLES, MARKET_VARIANCE
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.timeframe import Timeframe

MAX_UNTOLD_SHARE = 0.01
_RAW = {column: name for name, column in ACTIVITY_COLUMNS.items()}


def in_order(inputs: Iterable[str]) -> tuple[str, ...]:
    """Return inputs in the order in which models take them."""
    chosen = set(inputs)
    return (*(n for n in ACTIVITY_COLUMNS if n in chosen), *sorted(chosen - set(ACTIVITY_COLUMNS)))


def inputs_of(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the inputs that columns belong to, in order.

    >>> inputs_of(["trades", "calendar.hour_of_day", "calendar.day_of_week"])
    ('trades', 'calendar')
    """
    return in_order(_RAW.get(column, column.partition(".")[0]) for column in columns)


def what_is_read(inputs: Iterable[str]) -> tuple[str, ...]:
    """Return what inputs need besides candles, each once; see `Feature.reads`."""
    return tuple(dict.fromkeys(column for name in inputs for column in resolve_feature(name).reads))


def reads_market(inputs: Iterable[str]) -> bool:
    """Say whether any of the inputs needs the candles of other symbols."""
    return bool({MARKET_VARIANCE, MARKET_CANDLES} & set(what_is_read(inputs)))


def input_columns(candles: pl.DataFrame, timeframe: Timeframe, inputs: Iterable[str]) -> pl.DataFrame:
    """Return every column of the inputs by its name, row for row."""
    return pl.concat([_columns(candles, timeframe, name) for name in in_order(inputs)], how="horizontal")


def read_inputs(candles: pl.DataFrame, timeframe: Timeframe, inputs: Sequence[str]) -> CandleArrays:
    """Return candles as models take them, with every column of the inputs beside them."""
    columns = input_columns(candles, timeframe, inputs) if inputs else None
    return CandleArrays.from_frame(candles, columns)


def read_columns(candles: pl.DataFrame, timeframe: Timeframe, columns: Sequence[str]) -> CandleArrays:
    """Return candles as the artifact takes them that reads these columns, in their order."""
    if not columns:
        return CandleArrays.from_frame(candles)
    computed = input_columns(candles, timeframe, inputs_of(columns))
    if lacking := [name for name in columns if name not in computed.columns]:
        raise DataError(
            f"the model reads {', '.join(lacking)}, which the features installed here do not give; install "
            "the package it was trained with, or train it again"
        )
    return CandleArrays.from_frame(candles, computed.select(columns))


def columns_to_be_told(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of a candle without which an artifact that reads `columns` makes no forecast."""
    strict = [feature for name in inputs_of(columns) if (feature := resolve_feature(name)).must_be_told]
    return tuple(dict.fromkeys(column for feature in strict for column in feature.reads))


def require_told(candles: pl.DataFrame, timeframe: Timeframe, inputs: Iterable[str], subject: str) -> None:
    """Raise a `DataError` where the candles do not tell what the inputs are computed from.

    What must be told is told from the first candle on, but for a small share, which takes the value of the
    candle before. Of any other input every column says something somewhere.
    """
    for name in in_order(inputs):
        feature = resolve_feature(name)
        for column in feature.reads if feature.must_be_told else ():
            _require_column(candles, column, name, subject)
        columns = _columns(candles, timeframe, name)
        if silent := [one for one in columns.columns if not columns[one].count()]:
            raise DataError(
                f"{subject}: {', '.join(silent)} says nothing on these candles; drop `{name}` from inputs or "
                "take a longer span"
            )


def _columns(candles: pl.DataFrame, timeframe: Timeframe, name: str) -> pl.DataFrame:
    feature = resolve_feature(name)
    try:
        computed = feature(candles, timeframe)
    except Exception as error:  # a package may raise anything, and one pair in trouble must stop no other
        line = " ".join(str(error).split())
        raise DataError(f"feature {name} failed ({type(error).__name__}: {line}); correct it") from error
    if len(computed) != len(candles):
        raise DataError(f"feature {name} gives {len(computed)} rows for {len(candles)} candles; correct it")
    if name in ACTIVITY_COLUMNS:
        return computed
    return computed.cast(pl.Float64).fill_nan(None).rename(lambda column: f"{name}.{column}")


def _require_column(candles: pl.DataFrame, column: str, name: str, subject: str) -> None:
    words = name.replace("_", " ")
    told = candles.filter(pl.col(column).is_not_null()) if column in candles.columns else candles.clear()
    if told.is_empty():
        raise DataError(f"{subject} tells no {words}; drop `{name}` from inputs or use a source that has it")
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
