import polars as pl
import pytest

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.evaluation.leakage import check_leakage, merge_reports
from make_us_rich.evaluation.model_inputs import baseline_inputs, price_model_inputs
from make_us_rich.evaluation.trends.inputs import trend_baseline_inputs
from make_us_rich.features.feature_set import compute_features
from make_us_rich.features.indicators import WARM_UP, trend_indicators
from make_us_rich.features.trend_labels import TrendLabel, trend_labels
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.timeframe import Timeframe

HOURLY, DAILY = Timeframe("1h"), Timeframe("1d")


@pytest.fixture(scope="module")
def candles(bitcoin_hours: pl.DataFrame) -> pl.DataFrame:
    return bitcoin_hours.head(3000)


def test_clean_features_give_a_clean_verdict(candles: pl.DataFrame) -> None:
    report = check_leakage(lambda rows: compute_features(rows, HOURLY), candles, HOURLY, warm_up=720)
    assert report.is_clean
    assert len(report.columns) == 23


def test_every_model_input_gives_a_clean_verdict(candles: pl.DataFrame) -> None:
    reports = [
        check_leakage(price_model_inputs(HOURLY), candles, HOURLY, warm_up=768),
        check_leakage(baseline_inputs(HOURLY), candles, HOURLY, warm_up=2200),
    ]
    merged = merge_reports(reports)
    assert merged.is_clean
    assert "step.return_lag1" in merged.columns
    assert "persistence.low" in merged.columns


def test_a_planted_shift_is_caught_and_named(candles: pl.DataFrame) -> None:
    def planted(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select(
            pl.col("close").pct_change().alias("good"), pl.col("close").shift(-1).alias("ahead")
        )

    report = check_leakage(planted, candles, HOURLY, warm_up=10)
    assert [leak.column for leak in report.leaks] == ["ahead"]
    assert "no negative shift" in report.leaks[0].advice


def test_a_shift_planted_among_the_indicators_is_caught(candles: pl.DataFrame) -> None:
    def planted(rows: pl.DataFrame) -> pl.DataFrame:
        indicators = trend_indicators(rows)
        return indicators.with_columns(pl.col("7_day_RSI").shift(-1))

    report = check_leakage(planted, candles.head(600), DAILY, warm_up=WARM_UP)
    assert [leak.column for leak in report.leaks] == ["7_day_RSI"]


def test_the_trend_baselines_give_a_clean_verdict(candles: pl.DataFrame) -> None:
    report = check_leakage(trend_baseline_inputs, candles.head(600), DAILY, warm_up=WARM_UP)
    assert report.is_clean
    assert len(report.columns) == 7


def test_trend_labels_would_be_caught_as_features(candles: pl.DataFrame) -> None:
    def labels(rows: pl.DataFrame) -> pl.DataFrame:
        return pl.DataFrame({"label": trend_labels(CandleArrays.from_frame(rows).ohlcv, TrendLabel(), "up")})

    report = check_leakage(labels, candles.head(600), DAILY, warm_up=WARM_UP)
    assert [leak.column for leak in report.leaks] == ["label"]


def test_a_scaler_fitted_on_all_rows_is_caught(candles: pl.DataFrame) -> None:
    def scaled(rows: pl.DataFrame) -> pl.DataFrame:
        close = pl.col("close")
        return rows.select(((close - close.min()) / (close.max() - close.min())).alias("scaled_close"))

    report = check_leakage(scaled, candles, HOURLY, warm_up=10)
    assert [leak.column for leak in report.leaks] == ["scaled_close"]
    assert "on earlier rows only" in report.leaks[0].advice


def test_too_few_candles_are_refused(candles: pl.DataFrame) -> None:
    with pytest.raises(NotEnoughHistoryError, match="the leak check needs 729 1h candles, found 100"):
        check_leakage(lambda rows: rows, candles.head(100), HOURLY, warm_up=720)
