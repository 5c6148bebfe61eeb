from datetime import UTC, datetime

import pytest

from make_us_rich.desk.summary import DeskSummary, SummaryCounter
from make_us_rich.events.bus import Bus
from make_us_rich.events.records import CandleClosed, ForecastMade, Scored, TrainingChanged

NOW = datetime(2024, 1, 1, tzinfo=UTC)
PRICE, TREND, DAILY = "price.BTC-USDT.1h", "trend-up.BTC-USDT.1d", "price.BTC-USDT.1d"


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def counter(bus):
    counter = SummaryCounter("1h")
    counter.listen(bus)
    return counter


def closed(timeframe="1h", added=1):
    return CandleClosed("replay", NOW, "recorded", "BTC/USDT", timeframe, NOW, added)


def made(name=PRICE, horizons=(1, 2, 4), *, has_quantiles=True):
    return ForecastMade("replay", NOW, name, NOW, 1, horizons, ("lstm",) * len(horizons), has_quantiles, None)


def scored(name=PRICE, loss=0.5, baseline_loss=1.0, is_covered=True):
    return Scored("replay", NOW, name, 1, NOW, loss, baseline_loss, is_covered)


def training(state, version=None, *, promoted=False):
    return TrainingChanged("replay", NOW, PRICE, state, version, promoted, ("why",))


def publish(bus, *events):
    for event in events:
        bus.publish(event)


def test_where_nothing_happened_nothing_is_claimed(counter):
    assert counter.summary() == DeskSummary(0, 0, 0, 0, 0, skill=None, coverage_90=None)


def test_candles_are_counted_as_they_came_and_those_of_other_lengths_are_not(bus, counter):
    publish(bus, closed(), closed(added=5), closed(added=0), closed("1d"))
    assert counter.summary().candles == 6


def test_forecasts_are_counted_by_horizon(bus, counter):
    publish(bus, made(), made(horizons=(1,)))
    assert counter.summary().forecasts == 4


def test_trends_and_prices_of_other_lengths_are_not_those_of_the_pairs(bus, counter):
    publish(bus, made(TREND, (10,), has_quantiles=False), made(DAILY), scored(DAILY))
    publish(bus, scored(TREND, is_covered=None))
    assert (counter.summary().forecasts, counter.summary().scored) == (0, 0)


def test_skill_is_over_all_scores_together(bus, counter):
    publish(bus, scored(loss=0.5, baseline_loss=1.0), scored(loss=1.0, baseline_loss=3.0, is_covered=False))
    summary = counter.summary()
    assert (summary.scored, summary.skill, summary.coverage_90) == (2, pytest.approx(1 - 1.5 / 4), 0.5)


def test_a_yardstick_that_lost_nothing_leaves_the_skill_open(bus, counter):
    publish(bus, scored(loss=0.0, baseline_loss=0.0))
    assert counter.summary().skill is None


def test_only_trainings_that_ended_with_a_version_count(bus, counter):
    publish(bus, training("begun"), training("trained", 1), training("begun"), training("failed"))
    publish(bus, training("trained", 2, promoted=True))
    assert (counter.summary().trainings, counter.summary().promotions) == (2, 1)
