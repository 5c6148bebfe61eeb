from importlib.metadata import EntryPoint

import polars as pl
import pytest

from make_us_rich.features import feature_set
from make_us_rich.features.feature_set import DAILY_FEATURES, FEATURES, compute_features
from make_us_rich.features.targets import forward_returns
from make_us_rich.market.timeframe import Timeframe

HOURLY = Timeframe("1h")
EVERY_FEATURE = {**FEATURES, **DAILY_FEATURES}


@pytest.mark.parametrize("feature", EVERY_FEATURE.values(), ids=EVERY_FEATURE.keys())
def test_feature_is_unchanged_when_the_future_is_cut_off(feature, bitcoin_hours: pl.DataFrame) -> None:
    candles = bitcoin_hours.head(1000)
    whole, cut = feature(candles, HOURLY).head(800), feature(candles.head(800), HOURLY)
    assert whole.equals(cut) or all(
        (whole[name] - cut[name]).abs().max() < 1e-12
        for name in whole.columns
        if whole[name].dtype.is_float()
    )


@pytest.mark.parametrize("feature", EVERY_FEATURE.values(), ids=EVERY_FEATURE.keys())
def test_feature_keeps_the_rows_and_gives_numbers(feature, bitcoin_hours: pl.DataFrame) -> None:
    candles = bitcoin_hours.head(1000)
    columns = feature(candles, HOURLY)
    assert len(columns) == len(candles)
    assert columns.tail(1).null_count().sum_horizontal().item() == 0


def test_targets_are_no_features(bitcoin_hours: pl.DataFrame) -> None:
    assert not [
        name for name in compute_features(bitcoin_hours.head(800), HOURLY).columns if "target" in name
    ]


def test_columns_whose_windows_are_days_belong_to_daily_candles(bitcoin_hours: pl.DataFrame) -> None:
    candles = bitcoin_hours.head(300)
    assert "7_day_ADX" in compute_features(candles, Timeframe("1d")).columns
    assert "7_day_ADX" not in compute_features(candles, HOURLY).columns


def test_forward_returns_end_where_the_future_is_unknown() -> None:
    targets = forward_returns(pl.DataFrame({"close": [1.0, 2.0, 4.0, 8.0]}), horizons=[1, 2])
    assert targets.null_count().row(0) == (1, 2)
    assert targets["target_h2"][0] == pytest.approx(1.3862944)


def test_features_of_other_packages_are_found_by_their_entry_point(monkeypatch, bitcoin_hours) -> None:
    def doubled(candles: pl.DataFrame, _: Timeframe) -> pl.DataFrame:
        return candles.select((pl.col("close") * 2).alias("doubled_close"))

    point = EntryPoint("doubled", "nowhere:doubled", feature_set.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: doubled)
    monkeypatch.setattr(feature_set, "entry_points", lambda group: [point])
    assert "doubled_close" in compute_features(bitcoin_hours.head(10), HOURLY).columns
