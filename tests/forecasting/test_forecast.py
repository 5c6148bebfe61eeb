from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.forecasting.forecast import Forecast, ForecastStep, demoted
from make_us_rich.registry.model_name import ModelName

CUTOFF = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = ModelName.parse("price.BTC-USDT.1h")
REASON = "4-week coverage is 60.0%"


def step(horizon, served_by="lstm", width=1.0, **more):
    quantiles = tuple(100.0 + width * level for level in range(-6, 7))
    version = None if served_by == "persistence" else 3
    given = {"quantiles": quantiles, "version": version} | more
    return ForecastStep(horizon, CUTOFF + horizon * HOUR, served_by, **given)


@pytest.fixture
def forecast():
    beside = {"persistence": tuple(step(h, "persistence", 2.0, is_baseline=True) for h in (1, 2, 4))}
    return Forecast(
        NAME, "replay", CUTOFF, 100.0, tuple(map(step, (1, 2, 4))), 3, "0" * 64, yardsticks=beside
    )


# -- a step ------------------------------------------------------------------------------------------


def test_a_step_says_quantiles_or_a_probability_and_not_both():
    with pytest.raises(ValueError, match="lstm: quantiles or a probability, and not both"):
        step(1, probability=0.5)


def test_a_step_says_something():
    with pytest.raises(ValueError, match="quantiles or a probability"):
        step(1, quantiles=None)


def test_a_step_may_be_missing_when_it_says_why():
    assert step(1, quantiles=None, missing="nothing was shelved").median is None


def test_the_median_is_the_quantile_at_one_half():
    assert step(1).median == 100.0
    assert step(1, quantiles=None, probability=0.7).median is None


# -- a forecast --------------------------------------------------------------------------------------


def test_a_step_is_found_by_its_horizon(forecast):
    assert forecast.step_at(2) is forecast.steps[1]
    assert forecast.step_at(3) is None


def test_a_target_that_is_now_has_passed(forecast):
    left = forecast.ahead_of(CUTOFF + 2 * HOUR)
    assert [one.horizon for one in left.steps] == [4]
    assert left.yardsticks == forecast.yardsticks
    assert forecast.ahead_of(CUTOFF).steps == forecast.steps


def test_steps_are_replaced_by_horizon_and_others_stay(forecast):
    changed = forecast.with_steps([step(2, "mlp"), step(24, "mlp")])
    assert [one.served_by for one in changed.steps] == ["lstm", "mlp", "lstm"]


# -- demotion ----------------------------------------------------------------------------------------


def test_where_a_model_has_broken_the_yardstick_speaks_and_says_why(forecast):
    made = demoted(forecast, {2: REASON}, "persistence")
    now, beside = made.steps[1], forecast.yardsticks["persistence"][1]
    assert (now.served_by, now.is_baseline, now.quantiles) == ("persistence", True, beside.quantiles)
    assert (now.remark, now.version) == (REASON, 3), "the record stays that of the version it replaces"
    assert (made.steps[0], made.steps[2]) == (forecast.steps[0], forecast.steps[2])


def test_a_horizon_a_baseline_serves_already_stays_as_it_is(forecast):
    served = forecast.with_steps([step(2, "ewma_persistence", is_baseline=True)])
    assert demoted(served, {2: REASON}, "persistence") == served


def test_a_yardstick_that_says_nothing_replaces_nobody(forecast):
    silent = (step(2, "persistence", quantiles=None, missing="nothing was shelved"),)
    for beside in ({}, {"persistence": silent}):
        made = replace(forecast, yardsticks=beside)
        assert demoted(made, {2: REASON}, "persistence") == made


def test_what_has_not_broken_is_served_as_it_was(forecast):
    assert demoted(forecast, {}, "persistence") == forecast
