import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.desk.loop import ClosedCandleLoop, Duties
from make_us_rich.desk.training import TrainingOutcome
from make_us_rich.errors import NotEnoughHistoryError, SourceUnavailableError
from make_us_rich.market.clock import ReplayClock
from trial_clock import JumpingClock

START = datetime(2023, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
HORIZONS = (1, 2, 4, 8, 12, 24)


class Watched:
    """Duties that note every forecast as (cutoff, version) and do the rest as the desk does."""

    def __init__(self, desk, begin_training=lambda moment: None):
        self.made = []
        self.outcomes = []
        self._desk = desk
        self.duties = Duties(
            desk._score_due,
            self._make,
            desk._note_revised,
            desk._after_candle,
            begin_training,
            self.outcomes.append,
        )

    def _make(self, symbol, moment):
        forecast = self._desk._make_forecast(symbol, moment)
        self.made.append((forecast.cutoff, forecast.model_version))
        return forecast


class FakeTraining:
    """A training that is over after a few looks, and then does something."""

    symbols = ()

    def __init__(self, looks, finish=lambda: None, outcome=None):
        self.looks = looks
        self.finish = finish
        self.outcome = outcome or TrainingOutcome("price.BTC-USDT.1h", 1, promoted=True, reasons=("better",))
        self.is_cancelled = False

    def is_over(self):
        self.looks -= 1
        return self.looks < 0

    def outcomes(self):
        self.finish()
        return [self.outcome]

    def cancel(self):
        self.is_cancelled = True


class LateSource:
    """A source whose newest candle appears only some time after it has closed."""

    def __init__(self, source, clock, delay):
        self.name, self.market = source.name, source.market
        self._source, self._clock, self._delay = source, clock, delay

    def fetch(self, symbol, timeframe, since, until):
        return self._source.fetch(symbol, timeframe, since, min(until, self._clock.now() - self._delay))


class AwaySource(LateSource):
    """A source that cannot be reached."""

    def fetch(self, symbol, timeframe, since, until):
        raise SourceUnavailableError("the exchange is away; try again later")


@pytest.fixture
def stop():
    return threading.Event()


def test_every_candle_of_a_past_is_stored_forecast_and_scored(make_desk, shelve_toy, stop):
    shelve_toy()
    desk = make_desk(hours=48)
    desk.loop.run(stop)
    tally = desk.loop.tally
    assert (tally.candles, tally.forecasts) == (48, 49 * len(HORIZONS))
    assert len(tally.scores) == sum(49 - horizon for horizon in HORIZONS)
    assert tally.to_dict()["scored"] == len(tally.scores)
    assert (tally.trainings, tally.promotions) == (0, 0)


def test_without_a_champion_the_forecast_is_its_own_yardstick(make_desk, feed, stop):
    desk = make_desk(hours=12)
    watched = Watched(desk)
    loop = ClosedCandleLoop(feed, ReplayClock(START, START + 12 * HOUR, None), watched.duties)
    loop.run(stop)
    assert {version for _, version in watched.made} == {None}
    assert loop.tally.to_dict()["skill"] == pytest.approx(0.0)


def test_what_comes_out_does_not_depend_on_the_speed(make_desk, shelve_toy, stop):
    shelve_toy()
    at_once = make_desk(hours=30)
    at_once.loop.run(stop)
    in_time = make_desk(hours=30, speed=200_000.0)
    in_time.loop.run(stop)
    assert in_time.loop.tally.scores == at_once.loop.tally.scores
    assert len(at_once.loop.tally.scores) == sum(31 - horizon for horizon in HORIZONS)


def test_a_training_begun_at_one_candle_counts_from_the_next(make_desk, feed, shelve_toy, stop):
    begun = []

    def begin_training(moment):
        if moment < START + 3 * HOUR or begun:
            return None
        begun.append(moment)
        return FakeTraining(looks=3, finish=shelve_toy)

    desk = make_desk(hours=6)
    watched = Watched(desk, begin_training)
    loop = ClosedCandleLoop(feed, ReplayClock(START, START + 6 * HOUR, None), watched.duties)
    loop.run(stop)
    assert begun == [START + 3 * HOUR]
    assert watched.made == [(START + n * HOUR, 1 if n > 3 else None) for n in range(7)]
    assert (loop.tally.trainings, loop.tally.promotions) == (1, 1)


def test_one_training_follows_the_other_before_the_clock_of_a_past_goes_on(make_desk, feed, stop):
    waiting = [FakeTraining(looks=2), FakeTraining(looks=2)]
    watched = Watched(make_desk(hours=1), lambda moment: waiting.pop() if waiting else None)
    ClosedCandleLoop(feed, ReplayClock(START, START, None), watched.duties).run(stop)
    assert len(watched.outcomes) == 2


def test_a_failed_training_is_told_and_not_counted(make_desk, feed, stop):
    failed = TrainingOutcome("BTC/USDT", None, promoted=False, reasons=("too little history",))
    waiting = [FakeTraining(looks=0, outcome=failed)]
    watched = Watched(make_desk(hours=1), lambda moment: waiting.pop() if waiting else None)
    loop = ClosedCandleLoop(feed, ReplayClock(START, START, None), watched.duties)
    loop.run(stop)
    assert watched.outcomes == [failed]
    assert loop.tally.trainings == 0


def test_on_the_wall_clock_forecasts_do_not_wait_for_a_training(make_desk, feed, stop):
    training = FakeTraining(looks=10_000)
    clock = JumpingClock(START, START + 3 * HOUR)
    watched = Watched(make_desk(hours=0), lambda moment: training)
    ClosedCandleLoop(feed, clock, watched.duties).run(stop)
    assert [cutoff for cutoff, _ in watched.made] == [START + n * HOUR for n in range(3)]
    assert training.is_cancelled


def test_after_a_pause_only_the_newest_candle_is_forecast_and_all_due_are_scored(make_desk, feed):
    watched = Watched(make_desk(hours=0))
    loop = ClosedCandleLoop(feed, JumpingClock(START, START), watched.duties)
    loop.candle_closed(START)
    loop.candle_closed(START + 5 * HOUR)
    assert [cutoff for cutoff, _ in watched.made] == [START, START + 5 * HOUR]
    assert sorted(score.horizon for score in loop.tally.scores) == [1, 2, 4]


def test_a_candle_that_is_late_is_asked_for_again(make_desk, feed, stop):
    clock = JumpingClock(START, START + HOUR + timedelta(minutes=3))
    late = replace(feed, source=LateSource(feed.source, clock, timedelta(minutes=1)))
    watched = Watched(make_desk(hours=0))
    ClosedCandleLoop(late, clock, watched.duties).run(stop)
    assert [cutoff for cutoff, _ in watched.made] == [START, START + HOUR]
    asked_after_close = [moment - START - HOUR for moment in clock.waits if moment >= START + HOUR]
    assert asked_after_close[:3] == [timedelta(seconds=n) for n in (2, 32, 62)]


def test_a_source_that_is_away_stops_nothing(make_desk, feed):
    clock = JumpingClock(START, START)
    watched = Watched(make_desk(hours=0))
    loop = ClosedCandleLoop(replace(feed, source=AwaySource(feed.source, clock, HOUR)), clock, watched.duties)
    loop.candle_closed(START + HOUR)
    assert watched.made == []


def test_too_little_history_stops_nothing(make_desk, feed, stop):
    def refuse(symbol, moment):
        raise NotEnoughHistoryError("persistence needs 90 days")

    watched = Watched(make_desk(hours=0))
    duties = replace(watched.duties, make_forecast=refuse)
    loop = ClosedCandleLoop(feed, ReplayClock(START, START + 2 * HOUR, None), duties)
    loop.run(stop)
    assert (loop.tally.candles, loop.tally.forecasts) == (2, 0)


def test_a_set_stop_ends_the_loop_and_cancels_what_runs(make_desk, feed, stop):
    training = FakeTraining(looks=10_000)
    watched = Watched(make_desk(hours=0), lambda moment: training)
    stop.set()
    ClosedCandleLoop(feed, ReplayClock(START, START + 9 * HOUR, None), watched.duties).run(stop)
    assert len(watched.made) == 1
    assert training.is_cancelled
