"""The desk as a whole: what comes out of a past that is played, and of hours on the wall clock."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from heard import Heard
from make_us_rich.desk import candle_work
from make_us_rich.desk import desk as desk_module
from make_us_rich.desk.desk import Desk
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.errors import ForecastUnavailableError, StoreError
from make_us_rich.events.records import ForecastMade, Promoted, Scored
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.market.clock import ReplayClock
from make_us_rich.models.quantiles import HORIZONS
from trial_clock import JumpingClock
from trial_trainings import FakeTraining

START = datetime(2023, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = "price.BTC-USDT.1h"


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture(autouse=True)
def trainings(monkeypatch):
    """The trainings that are begun in turn, instead of processes; after them a training fails at once."""
    waiting = []

    def start(*_):
        return waiting.pop(0) if waiting else FakeTraining()

    monkeypatch.setattr(desk_module, "start_training", start)
    monkeypatch.setattr(desk_module.importlib.util, "find_spec", lambda _: object())
    return waiting


def made(heard):
    return [(event.cutoff, event.version) for event in heard.of(ForecastMade)]


def rows_of(desk, **query):
    return read_predictions(desk.journal, PredictionQuery(**query), 10_000).rows


def test_every_candle_of_a_past_is_stored_forecast_and_scored(make_desk, shelve_toy, stop):
    shelve_toy()
    desk = make_desk(hours=48)
    desk.run(stop)
    summary = desk.counter.summary()
    assert (summary.candles, summary.forecasts) == (48, 49 * len(HORIZONS))
    assert summary.scored == sum(49 - horizon for horizon in HORIZONS)
    assert (summary.trainings, summary.promotions) == (0, 0)


def test_without_a_champion_the_forecast_is_its_own_yardstick(make_desk, stop):
    desk = make_desk(hours=12)
    heard = Heard(desk.bus)
    desk.run(stop)
    assert {version for _, version in made(heard)} == {None}
    assert desk.counter.summary().skill == pytest.approx(0.0)


def test_what_comes_out_does_not_depend_on_the_speed(make_desk, shelve_toy, stop):
    shelve_toy()
    at_once = make_desk(hours=30)
    at_once.run(stop)
    in_time = make_desk(hours=30, speed=200_000.0)
    in_time.run(stop)
    assert in_time.counter.scores == at_once.counter.scores
    assert len(at_once.counter.scores) == sum(31 - horizon for horizon in HORIZONS)


def test_the_desk_works_on_either_database(place, feed, shelve_toy, database, stop):
    shelve_toy()
    clock = ReplayClock(START, START + 3 * HOUR, None)
    desk = Desk(place, feed, clock, ProgressReport(), Journal(database, place.market))
    desk.fetch_history()
    desk.run(stop)
    assert len(rows_of(desk)) == 4 * 3 * len(HORIZONS)
    assert desk.counter.summary().scored == 3 + 2
    assert {row.scored_at for row in rows_of(desk, is_scored=True)} == {START + n * HOUR for n in (1, 2, 3)}


def test_a_desk_that_starts_again_goes_on_where_it_stopped(make_desk, place, feed, shelve_toy, stop):
    shelve_toy()
    desk = make_desk(hours=5)
    desk.run(stop)
    before = rows_of(desk)
    again = Desk(place, feed, ReplayClock(START, START + 8 * HOUR, None), ProgressReport(), desk.journal)
    again.run(stop)
    assert again.counter.summary().scored == sum(max(0, 9 - h) - max(0, 6 - h) for h in HORIZONS)
    after = {(row.cutoff, row.horizon, row.forecaster): row for row in rows_of(desk)}
    assert len(after) == 9 * 18
    assert all(after[row.cutoff, row.horizon, row.forecaster].quantiles == row.quantiles for row in before)


def test_the_newest_candle_is_worked_off_once_where_a_schedule_asks(make_desk, shelve_toy):
    shelve_toy()
    desk = make_desk()
    assert desk.feed_once().forecasts == len(HORIZONS)
    assert desk.feed_once().forecasts == len(HORIZONS), "nothing is due a second time"
    assert len(rows_of(desk, forecaster="served")) == len(HORIZONS)


# -- trainings ---------------------------------------------------------------------------------------


def test_a_training_begun_at_one_candle_counts_from_the_next(make_desk, shelve_toy, trainings, stop):
    trainings.append(FakeTraining(looks=3, finish=shelve_toy))
    desk = make_desk(hours=3)
    heard = Heard(desk.bus)
    desk.run(stop)
    assert made(heard) == [(START + n * HOUR, 1 if n else None) for n in range(4)]
    assert (desk.counter.trainings, desk.counter.promotions) == (1, 1)
    (promoted,) = heard.of(Promoted)
    assert (promoted.name, promoted.version, promoted.reason) == (NAME, 1, "a toy for a test")
    assert trainings == []


def test_a_failed_training_is_not_tried_again_and_the_baseline_goes_on(make_desk, trainings, stop):
    trainings += [FakeTraining(), FakeTraining()]
    desk = make_desk(hours=4)
    heard = Heard(desk.bus)
    desk.run(stop)
    assert len(trainings) == 1, "a name is tried once"
    assert {version for _, version in made(heard)} == {None}


def test_on_the_wall_clock_forecasts_do_not_wait_for_a_training(make_desk, trainings, stop):
    training = FakeTraining(looks=10_000)
    trainings.append(training)
    desk = make_desk(clock=JumpingClock(START, START + 3 * HOUR))
    heard = Heard(desk.bus)
    desk.run(stop)
    assert [cutoff for cutoff, _ in made(heard)] == [START + n * HOUR for n in range(3)]
    assert training.is_cancelled


def test_a_set_stop_ends_the_desk_and_cancels_what_runs(make_desk, trainings, stop, monkeypatch):
    training = FakeTraining(looks=10_000)
    trainings.append(training)
    desk = make_desk(hours=9)
    heard = Heard(desk.bus)
    desk.bus.subscribe(ForecastMade, lambda _: stop.set())
    desk.run(stop)
    assert len(made(heard)) == 1
    assert training.is_cancelled


# -- trouble -----------------------------------------------------------------------------------------


def test_after_a_pause_only_the_newest_candle_is_forecast_and_all_due_are_scored(make_desk):
    desk = make_desk()
    heard = Heard(desk.bus)
    desk.candles_closed(START)
    desk.candles_closed(START + 5 * HOUR)
    assert [cutoff for cutoff, _ in made(heard)] == [START, START + 5 * HOUR]
    assert sorted(event.horizon for event in heard.of(Scored)) == [1, 2, 4]


def test_a_forecast_that_cannot_be_made_stops_nothing(make_desk, monkeypatch, stop):
    def refuse(*_):
        raise ForecastUnavailableError("not today")

    desk = make_desk(hours=2)
    monkeypatch.setattr("make_us_rich.forecasting.price.kind.price_forecast", refuse)
    desk.run(stop)
    assert (desk.counter.candles, desk.counter.forecasts) == (2, 0)


def _away(*_):
    raise StoreError("the database is away")


@pytest.mark.parametrize("step", ["score_due", "record_forecasts"])
def test_on_the_wall_clock_a_database_that_is_away_loses_no_candle(make_desk, shelve_toy, monkeypatch, step):
    shelve_toy()
    desk = make_desk(clock=JumpingClock(START, START))
    with monkeypatch.context() as away:
        away.setattr(candle_work, step, _away)
        desk.candles_closed(START)
    assert len(rows_of(desk)) == 0
    desk.candles_closed(START)
    assert len(rows_of(desk, forecaster="served")) == len(HORIZONS)


def test_in_a_past_it_ends_the_desk(make_desk, shelve_toy, monkeypatch, stop):
    shelve_toy()
    desk = make_desk(hours=1)
    monkeypatch.setattr(candle_work, "record_forecasts", _away)
    with pytest.raises(StoreError):
        desk.run(stop)


def test_a_machine_that_cannot_train_says_so_once_per_pair(make_desk, monkeypatch, capsys):
    monkeypatch.setattr("make_us_rich.desk.desk.can_train", lambda: False)
    make_desk(hours=2).run(threading.Event())
    said = "price.BTC-USDT.1h: no model yet, and the train extra is not installed; the baseline is served."
    assert capsys.readouterr().err.count(said) == 1
