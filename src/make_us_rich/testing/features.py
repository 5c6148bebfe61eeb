"""The contract of a feature."""

import re

import numpy as np
import polars as pl

from make_us_rich.evaluation.leakage import RELATIVE_TOLERANCE, check_leakage
from make_us_rich.features.feature import Compute, Feature, as_feature
from make_us_rich.features.feature_set import resolve_feature
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing.promise import require

_SNAKE_CASE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def check_feature(feature: str | Feature | Compute, candles: pl.DataFrame, timeframe: Timeframe) -> None:
    """Raise an `AssertionError` with a sentence where a feature, or the one of a name, breaks a promise.

    Candles are gap-free, some hundred more than the feature's warm-up, with the columns it reads.
    """
    known = resolve_feature(feature) if isinstance(feature, str) else as_feature(feature)
    if isinstance(feature, str):
        _check_name(feature, "feature")
    columns = known(candles, timeframe)
    _check_columns(columns, candles)
    require(known(candles, timeframe).equals(columns), "the same candles must give the same columns twice")
    _check_cuts(known, candles, timeframe)
    _check_warm_up(known, columns, candles, timeframe)


def _check_columns(columns: pl.DataFrame, candles: pl.DataFrame) -> None:
    require(columns.width > 0, "a feature must give at least one column")
    require(
        len(columns) == len(candles),
        f"there must be one row per candle, found {len(columns)} rows for {len(candles)} candles",
    )
    for name, dtype in columns.schema.items():
        _check_name(name, "column")
        require(dtype.is_float(), f"{name} must be a column of floats, found {dtype}; cast it to pl.Float64")


def _check_name(name: str, what: str) -> None:
    require(
        bool(_SNAKE_CASE.fullmatch(name)), f"the name of a {what} must be spelled snake_case, found {name!r}"
    )


def _check_cuts(feature: Feature, candles: pl.DataFrame, timeframe: Timeframe) -> None:
    report = check_leakage(lambda rows: feature(rows, timeframe), candles, timeframe, feature.warm_up)
    require(report.is_clean, "; ".join(leak.advice for leak in report.leaks))


def _check_warm_up(
    feature: Feature, columns: pl.DataFrame, candles: pl.DataFrame, timeframe: Timeframe
) -> None:
    recent = feature(candles.tail(feature.warm_up), timeframe)
    for name in columns.columns:
        whole, there = (frame[name].cast(pl.Float64).item(-1) for frame in (columns, recent))
        one, other = (np.nan if value is None else value for value in (whole, there))
        require(
            bool(np.isclose(one, other, rtol=RELATIVE_TOLERANCE, atol=RELATIVE_TOLERANCE, equal_nan=True)),
            f"{name} must be the same from the last {feature.warm_up} candles as from all, found {other:.6g} "
            f"and {one:.6g}; raise the feature's warm_up, or let a row forget what lies further back",
        )
