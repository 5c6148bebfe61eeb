import numpy as np
import pytest

from make_us_rich.features.trend_labels import TrendLabel, moving_average, trend_labels

NAN = float("nan")


def candles_of(close, high=None, low=None) -> np.ndarray:
    close = np.asarray(close, dtype=float)
    high, low = close if high is None else np.asarray(high), close if low is None else np.asarray(low)
    return np.stack([close, high, low, close, np.ones_like(close)], axis=1)


def labels_of(ohlcv, label, direction):
    return trend_labels(ohlcv, label, direction).tolist()


def test_the_published_question_compares_averages():
    label = TrendLabel(average=2, horizon=2, threshold=0.05)
    close = [100.0, 100.0, 104.0, 106.0, 100.0, 90.0]  # averages: -, 100, 102, 105, 103, 95
    ups, downs = labels_of(candles_of(close), label, "up"), labels_of(candles_of(close), label, "down")
    assert ups == pytest.approx([NAN, 1, 0, 0, NAN, NAN], nan_ok=True)
    assert downs == pytest.approx([NAN, 0, 0, 1, NAN, NAN], nan_ok=True)


def test_the_threshold_itself_counts():
    label = TrendLabel("close-change", horizon=1, threshold=0.5)
    assert labels_of(candles_of([2.0, 3.0, 1.5]), label, "up") == pytest.approx([1, 0, NAN], nan_ok=True)
    assert labels_of(candles_of([2.0, 3.0, 1.5]), label, "down") == pytest.approx([0, 1, NAN], nan_ok=True)


def test_a_touch_looks_at_the_coming_candles_and_not_at_its_own():
    label = TrendLabel("touch", horizon=2, threshold=0.25)
    high, low = [200.0, 100.0, 100.0, 125.0, 100.0], [10.0, 100.0, 75.0, 100.0, 100.0]
    candles = candles_of([100.0] * 5, high, low)
    assert labels_of(candles, label, "up") == pytest.approx([0, 1, 1, NAN, NAN], nan_ok=True)
    assert labels_of(candles, label, "down") == pytest.approx([1, 1, 0, NAN, NAN], nan_ok=True)


@pytest.mark.parametrize("kind", ["sma-change", "close-change", "touch"])
def test_the_last_rows_have_no_label_whatever_is_asked(kind):
    labels = trend_labels(candles_of(np.linspace(100, 200, 60)), TrendLabel(kind), "up")
    assert np.isnan(labels[-10:]).all()
    assert not np.isnan(labels[9:-10]).any()


@pytest.mark.parametrize("count", [0, 1, 10, 19])
def test_a_short_history_has_no_labels(count):
    assert np.isnan(trend_labels(candles_of(np.full(count, 100.0)), TrendLabel(), "up")).all()


def test_an_average_begins_when_its_closes_are_there():
    assert moving_average(np.array([1.0, 3.0, 5.0]), 2).tolist() == pytest.approx([NAN, 2, 4], nan_ok=True)


@pytest.mark.parametrize(
    "wrong", [{"kind": "guess"}, {"average": 0}, {"horizon": 0}, {"threshold": 0.0}, {"threshold": 5.0}]
)
def test_a_question_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=r"is not one of|must"):
        TrendLabel(**wrong)
