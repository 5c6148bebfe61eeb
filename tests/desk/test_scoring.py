from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from make_us_rich.desk.scoring import PendingForecasts
from make_us_rich.models.forecast import QUANTILE_LEVELS, ForecastStep, PriceForecast

CUTOFF = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = "price.BTC-USDT.1h"


def forecast(quantiles, horizons=(1, 2)):
    steps = tuple(
        ForecastStep(h, CUTOFF + h * HOUR, tuple(quantiles), 0.5, "lstm", is_baseline=False) for h in horizons
    )
    return PriceForecast(NAME, "BTC/USDT", "1h", "replay", CUTOFF, 100.0, steps, 1)


PERFECT = forecast([110.0] * 13)
FLAT = forecast([100.0] * 13)


def test_a_perfect_forecast_scores_0_and_the_last_close_what_paper_says():
    pending = PendingForecasts()
    pending.add(PERFECT, FLAT)
    (score,) = pending.score(NAME, {CUTOFF + HOUR: 110.0})
    assert score.loss == pytest.approx(0.0)
    # every level is missed from below by ln 1.1, so each costs level · ln 1.1, and the levels average 0.5
    assert score.baseline_loss == pytest.approx(np.mean(QUANTILE_LEVELS) * np.log(1.1))
    assert (score.name, score.horizon) == (NAME, 1)


@pytest.mark.parametrize(
    ("close", "is_covered"), [(95.0, True), (105.0, True), (89.0, False), (111.0, False)]
)
def test_covered_means_inside_the_90_percent_interval(close, is_covered):
    pending = PendingForecasts()
    wide = forecast(np.linspace(88.0, 112.0, 13), horizons=(1,))
    pending.add(wide, wide)
    (score,) = pending.score(NAME, {CUTOFF + HOUR: close})
    assert score.is_covered is is_covered


def test_a_forecast_is_scored_once_and_only_when_due():
    pending = PendingForecasts()
    pending.add(PERFECT, FLAT)
    assert [score.horizon for score in pending.score(NAME, {CUTOFF + HOUR: 110.0})] == [1]
    assert pending.score(NAME, {CUTOFF + HOUR: 110.0}) == []
    assert len(pending) == 1
    assert [score.horizon for score in pending.score(NAME, {CUTOFF + 2 * HOUR: 110.0})] == [2]
    assert len(pending) == 0


def test_a_target_whose_candle_is_missing_is_dropped_unscored():
    pending = PendingForecasts()
    pending.add(PERFECT, FLAT)
    assert pending.score(NAME, {CUTOFF + 3 * HOUR: 110.0}) == []
    assert len(pending) == 0


def test_another_name_stays_untouched():
    pending = PendingForecasts()
    pending.add(PERFECT, FLAT)
    assert pending.score("price.ETH-USDT.1h", {CUTOFF + HOUR: 110.0}) == []
    assert len(pending) == 2
