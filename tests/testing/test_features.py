"""The contract of features: what breaks it is told in a sentence."""

import polars as pl
import pytest

from make_us_rich.features.feature import Feature
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_feature

CLOSE = pl.col("close")


def feature_of(column: pl.Expr, **needs) -> Feature:
    return Feature(lambda candles, _: candles.select(column), **needs)


@pytest.mark.parametrize(
    ("feature", "sentence"),
    [
        (feature_of(CLOSE.shift(-1).alias("ahead"), warm_up=2), "it reads later candles"),
        (feature_of((CLOSE / CLOSE.max()).alias("scaled"), warm_up=2), "it reads later candles"),
        (feature_of(CLOSE.head(5)), "one row per candle, found 5 rows for 900 candles"),
        (feature_of(CLOSE.cast(pl.Int64)), "close must be a column of floats, found Int64"),
        (feature_of(CLOSE.alias("theClose")), "must be spelled snake_case, found 'theClose'"),
        (feature_of(pl.col([])), "at least one column"),
        (
            feature_of(CLOSE.ewm_mean(span=500).alias("average"), warm_up=100),
            "average must be the same from the last 100 candles as from all",
        ),
    ],
)
def test_a_broken_promise_is_told(feature: Feature, sentence: str, bitcoin_hours: pl.DataFrame) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_feature(feature, bitcoin_hours.head(900), Timeframe("1h"))


def test_a_plain_function_is_a_feature(bitcoin_hours: pl.DataFrame) -> None:
    check_feature(lambda candles, _: candles.select(CLOSE), bitcoin_hours.head(900), Timeframe("1h"))
