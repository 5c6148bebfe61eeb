from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.forecasting.forecast import SERVED
from make_us_rich.forecasting.price.forecast import PERSISTENCE, VOLATILITY
from make_us_rich.journal.drift import (
    broken_horizons,
    judge_drift,
    judge_weeks,
    newest_verdicts,
    read_verdicts,
)
from make_us_rich.journal.input_drift import input_drift, stability_index
from make_us_rich.journal.record import record_forecasts
from make_us_rich.journal.weekly import WeekSums
from make_us_rich.registry.model_name import ModelName
from trial_journal import HOUR, NAME, START, closes_of, forecast_at, score

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
BTC = ModelName.parse(NAME)
TRUE = {SERVED: 0.01, PERSISTENCE: 0.01, VOLATILITY: 0.01}  # the walk of `closes_of` has this volatility
NARROW = {SERVED: 0.006, PERSISTENCE: 0.01, VOLATILITY: 0.01}


def week(index, covered=0.9, skill=0.0, n=168):
    """A week with this coverage and skill against volatility, a little different from its neighbours."""
    ripple = 0.002 * (-1) ** index
    return WeekSums(
        n, START + index * WEEK, START + (index + 1) * WEEK - HOUR, 1.0, 1.0,
        n, 1.0, 1.0 - skill - ripple, round((covered + ripple) * n), np.zeros(14),
    )  # fmt: skip


def weeks(*coverages, skill=0.0):
    return [week(index, covered, skill) for index, covered in enumerate(coverages)]


@pytest.mark.parametrize(
    ("found", "hours", "state", "words"),
    [
        (weeks(*[0.9] * 7), 1, "early", "7 whole weeks of 8"),
        (weeks(*[0.9] * 8), 1, "fine", "coverage"),
        (weeks(*[0.9] * 4, *[0.84] * 4), 4, "fine", "coverage"),  # over 8 weeks its own error is large
        (weeks(*[0.86] * 8), 4, "broken", "two windows"),
        (weeks(*[0.9, 0.9, 0.9, 0.86] * 2), 4, "fine", "coverage"),
        (weeks(*[0.9] * 3, *[0.85] * 5), 4, "watch", "coverage 8"),
        (weeks(*[0.9] * 8, skill=-0.02), 4, "broken", "skill against volatility"),
        (weeks(*[0.9] * 8, skill=0.02), 4, "fine", "coverage"),
        (weeks(*[0.79] * 4), 1, "broken", "outside 80% to 97%"),
        (weeks(*[0.98] * 4), 1, "broken", "outside 80% to 97%"),
        (weeks(*[0.79] * 4), 4, "early", "4 whole weeks of 8"),
        (weeks(*[0.79] * 3), 1, "early", "3 whole weeks of 8"),
        (weeks(*[0.5] * 8, *[0.9] * 8), 1, "fine", "coverage"),
    ],
)  # fmt: skip
def test_the_rule_is_the_stated_one(found, hours, state, words):
    verdict, reason = judge_weeks(found, timedelta(hours=hours), found[-1].first_cutoff + WEEK)
    assert (verdict, words in reason) == (state, True), reason


def state_of(found, end, hours=4):
    return judge_weeks(found, timedelta(hours=hours), START + end * WEEK)[0]


@pytest.mark.parametrize("lost", range(12, 20))
def test_no_older_week_stands_in_for_one_that_an_outage_took(lost):
    bad = weeks(*[0.86] * 20)
    assert state_of(bad, 20) == "broken"
    assert state_of([one for n, one in enumerate(bad) if n != lost], 20) == "early"


def test_windows_on_either_side_of_an_outage_are_not_consecutive():
    bad = weeks(*[0.86] * 14)
    assert state_of(bad[:4] + bad[10:], 14) == "early"


def test_weeks_from_before_an_outage_are_not_the_last_ones():
    assert state_of(weeks(*[0.5] * 8), 9, hours=1) == "early"
    assert state_of(weeks(*[0.5] * 8), 20, hours=1) == "early"


def test_four_bad_weeks_at_one_hour_after_an_outage_are_broken_at_once():
    assert state_of(weeks(*[0.5] * 14)[10:], 14, hours=1) == "broken"
    assert state_of(weeks(*[0.5] * 14)[11:], 14, hours=1) == "early"


def test_eight_weeks_after_an_outage_are_judged_again():
    assert state_of(weeks(*[0.5] * 4, *[0.9] * 14)[:4] + weeks(*[0.9] * 18)[10:], 18) == "fine"


def play(journal, n_weeks, spreads, version=3, first=0):
    closes = closes_of(n_weeks * 168 + 30, start=START + first * WEEK)
    sheets = [
        forecast_at(cutoff, close, spreads=spreads, horizons=(1,), version=version)
        for cutoff, close in closes.items()
    ]
    record_forecasts(journal, sheets, START)
    score(journal, closes, max(closes))
    return max(closes)


def test_a_true_model_stays_and_its_verdict_is_written_once(journal):
    now = play(journal, 8, TRUE)
    (verdict,) = judge_drift(journal, BTC, 3, now)
    assert (verdict.state, verdict.week) == ("fine", START + 8 * WEEK)
    judge_drift(journal, BTC, 3, now + DAY)
    assert read_verdicts(journal, NAME) == [verdict]
    assert broken_horizons(journal, NAME, 3) == {}


def test_a_broken_horizon_is_named_with_its_reason_for_the_version_that_broke(journal):
    judge_drift(journal, BTC, 3, play(journal, 4, NARROW))
    assert "outside 80% to 97%" in broken_horizons(journal, NAME, 3)[1]
    assert broken_horizons(journal, NAME, 4) == {}


def test_a_new_version_is_judged_on_its_own_weeks(journal):
    judge_drift(journal, BTC, 3, play(journal, 4, NARROW))
    now = play(journal, 9, TRUE, version=4, first=5)
    judge_drift(journal, BTC, 4, now)
    assert newest_verdicts(read_verdicts(journal, NAME))[1].state == "fine"


def test_after_an_outage_it_is_too_early_until_eight_weeks_have_passed(journal):
    play(journal, 4, TRUE)
    now = play(journal, 4, TRUE, first=7)
    (verdict,) = judge_drift(journal, BTC, 3, now)
    assert (verdict.state, verdict.week) == ("early", START + 11 * WEEK)
    # the fifth week has some hours in it, the two after it have none
    assert verdict.reason.endswith("6 whole weeks of 8")


def test_a_baseline_is_not_judged(journal):
    closes = closes_of(5 * 168)
    sheets = [forecast_at(c, x, model=PERSISTENCE, version=None, horizons=(1,)) for c, x in closes.items()]
    record_forecasts(journal, sheets, START)
    score(journal, closes, max(closes))
    assert judge_drift(journal, BTC, 3, max(closes)) == []


def candles(n, volatility, seed=0, price=100.0):
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(rng.normal(0, volatility, n)))
    wide = np.exp(np.abs(rng.normal(0, volatility, n)))
    return pl.DataFrame(
        {"high": close * wide, "low": close / wide, "close": close, "volume": rng.gamma(2.0, 1.0, n)}
    )


def test_a_higher_price_alone_is_no_drift_and_a_wilder_market_is():
    calm = candles(4000, 0.005)
    same = input_drift(calm, candles(1300, 0.005, seed=1, price=9000.0))
    wild = {one.input: one for one in input_drift(calm, candles(1300, 0.02, seed=1))}
    assert {one.says for one in same if one.input != "return_24"} == {"as before"}
    assert wild["return_1"].says == wild["log_range"].says == "moved far"
    assert wild["volume_to_its_week"].says == "as before"


def test_the_stability_index_is_that_of_paper():
    # of ten bins one holds twice its share and another nothing but the smallest share
    reference = np.arange(1000.0)
    recent = np.concatenate([reference[100:], reference[900:]])
    expected = 0.1 * np.log(2) + (1e-4 - 0.1) * np.log(1e-3)
    assert stability_index(reference, recent) == pytest.approx(expected, rel=1e-6)


def test_too_few_candles_tell_nothing():
    assert {one.psi for one in input_drift(candles(4000, 0.01), candles(100, 0.01))} == {None}
