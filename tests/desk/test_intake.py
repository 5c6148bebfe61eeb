import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from heard import Heard
from make_us_rich.desk.intake import CandleIntake, ClosedCandle
from make_us_rich.errors import StoreError
from make_us_rich.events.bus import Bus
from make_us_rich.events.records import CandleClosed
from make_us_rich.journal.notes import read_notes
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from trial_clock import AwaySource, ChangedSource, JumpingClock, LateSource

START = datetime(2023, 1, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ETHER = Symbol("ETH", "USDT")


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def stop():
    return threading.Event()


@pytest.fixture
def intake_of(feed, journal, bus):
    """An intake of stored candles up to `START`, by a clock and from a source."""

    def build(clock, source=None, symbols=None):
        followed = replace(feed, symbols=symbols or feed.symbols)
        for symbol in followed.symbols:
            fill(feed, feed.series(symbol), START - DAY, START)
        return CandleIntake(replace(followed, source=source or feed.source), clock, journal, bus)

    return build


def fill(feed, series, since, until):
    for page in feed.source.fetch(series.symbol, series.timeframe, since, until):
        feed.store.append(page, series)


def played(hours):
    return ReplayClock(START, START + hours * HOUR, None)


def standing(moment=START):
    return JumpingClock(moment, moment)


def cutoffs(intake, moment):
    return [candle.cutoff for candle in intake.round_at(moment).candles]


def all_cutoffs(intake, stop):
    return [candle.cutoff for one in intake.rounds(stop) for candle in one.candles]


def break_files(feed, series):
    for part in (feed.store._root / series.folder).glob("*.parquet"):
        part.write_bytes(b"broken")


# -- when --------------------------------------------------------------------------------------------


def test_every_candle_of_a_past_gets_its_turn_at_its_own_close(intake_of, feed, bitcoin, stop):
    found = [(one.moment, list(one.candles)) for one in intake_of(played(3)).rounds(stop)]
    series = feed.series(bitcoin)
    assert found == [
        (moment, [ClosedCandle(series, moment, moment)]) for moment in (START + n * HOUR for n in range(4))
    ]


def test_a_candle_is_stored_when_its_turn_comes_and_not_before(intake_of, feed, bitcoin, stop):
    series = feed.series(bitcoin)
    for one in intake_of(played(3)).rounds(stop):
        for candle in one.candles:
            assert feed.store.last_open_time(series) + HOUR == candle.cutoff


def test_every_pair_of_a_round_is_stored_before_the_first_one_is_worked_off(intake_of, feed):
    pairs = (*feed.symbols, ETHER)
    intake = intake_of(played(2), symbols=pairs)
    for moment in (START, START + HOUR):
        for candle in intake.round_at(moment).candles:
            assert candle.cutoff == moment
            assert [feed.store.last_open_time(feed.series(one)) + HOUR for one in pairs] == [moment] * 2


def test_a_candle_comes_once(intake_of):
    intake = intake_of(standing())
    assert cutoffs(intake, START) == [START]
    assert cutoffs(intake, START) == []


def test_a_candle_that_was_set_back_comes_again_in_half_a_minute(intake_of, stop):
    clock = JumpingClock(START, START + timedelta(minutes=1))
    intake = intake_of(clock)
    rounds = intake.rounds(stop)
    (candle,) = next(rounds).candles
    intake.set_back(candle)
    assert list(next(rounds).candles) == [candle]
    assert clock.waits == [START + timedelta(seconds=30)]


def test_after_a_pause_only_the_newest_candle_comes(intake_of):
    intake = intake_of(standing())
    assert [*cutoffs(intake, START), *cutoffs(intake, START + 5 * HOUR)] == [START, START + 5 * HOUR]


def test_a_candle_that_is_late_is_asked_for_again(intake_of, feed, stop):
    clock = JumpingClock(START, START + HOUR + timedelta(minutes=3))
    intake = intake_of(clock, LateSource(feed.source, clock, timedelta(minutes=1)))
    assert all_cutoffs(intake, stop) == [START, START + HOUR]
    asked_after_close = [moment - START - HOUR for moment in clock.waits if moment >= START + HOUR]
    assert asked_after_close[:3] == [timedelta(seconds=n) for n in (2, 32, 62)]


def test_a_set_stop_ends_the_rounds(intake_of, stop):
    rounds = intake_of(played(9)).rounds(stop)
    next(rounds)
    stop.set()
    assert list(rounds) == []


def test_a_store_that_knows_more_than_the_past_does_not_tell_it(intake_of, feed, bitcoin):
    intake = intake_of(played(2))
    fill(feed, feed.series(bitcoin), START, START + 9 * HOUR)
    assert [cutoffs(intake, START + n * HOUR) for n in range(2)] == [[START], [START + HOUR]]


# -- what --------------------------------------------------------------------------------------------


def test_stored_days_are_kept_up_beside_the_pairs(intake_of, feed, bitcoin):
    daily = Series(feed.source.name, bitcoin, Timeframe("1d"))
    fill(feed, daily, START - 3 * DAY, START)
    intake = intake_of(standing())
    assert cutoffs(intake, START) == [START, START]
    assert cutoffs(intake, START + 23 * HOUR) == [START + 23 * HOUR]
    assert cutoffs(intake, START + 24 * HOUR) == [START + DAY, START + DAY]
    assert feed.store.last_open_time(daily) == START


def test_a_closed_candle_is_told_with_how_many_came(intake_of, bus):
    heard, intake = Heard(bus), intake_of(standing())
    for moment in (START, START + 5 * HOUR):
        cutoffs(intake, moment)
    assert heard == [
        CandleClosed("simulated", START, "simulated", "BTC/USDT", "1h", START, 0),
        CandleClosed("simulated", START + 5 * HOUR, "simulated", "BTC/USDT", "1h", START + 5 * HOUR, 5),
    ]


def test_a_revised_candle_is_noted_and_the_stored_one_stays(intake_of, feed, journal, bitcoin):
    series = feed.series(bitcoin)
    intake = intake_of(standing(), ChangedSource(feed.source, pl.col("volume") + 1.0))
    stored = feed.store.load(series)
    assert cutoffs(intake, START + HOUR) == [START + HOUR]
    notes = read_notes(journal, "simulated BTC/USDT 1h")
    assert {(note.kind, note.open_time) for note in notes} == {
        ("revised", START - HOUR),
        ("revised", START - 2 * HOUR),
    }
    assert all("stays" in note.detail for note in notes)
    assert feed.store.load(series, until=START).equals(stored)


def test_a_revised_day_is_noted_too(intake_of, feed, journal, bitcoin):
    daily = Series(feed.source.name, bitcoin, Timeframe("1d"))
    fill(feed, daily, START - 400 * DAY, START)
    stored = feed.store.load(daily)
    cutoffs(intake_of(standing(), ChangedSource(feed.source, pl.col("volume") + 1.0)), START + DAY)
    notes = read_notes(journal, "simulated BTC/USDT 1d")
    assert {(note.kind, note.open_time) for note in notes} == {
        ("revised", START - DAY),
        ("revised", START - 2 * DAY),
    }
    assert feed.store.load(daily, until=START).equals(stored)


def test_a_note_that_cannot_be_written_stops_no_candle(intake_of, feed, monkeypatch):
    def fail(*_):
        raise StoreError("the database is away")

    monkeypatch.setattr("make_us_rich.desk.notes.note_candles", fail)
    intake = intake_of(standing(), ChangedSource(feed.source, pl.col("volume") + 1.0))
    assert cutoffs(intake, START + HOUR) == [START + HOUR]


# -- trouble -----------------------------------------------------------------------------------------


def test_a_source_that_is_away_brings_nothing_and_stops_nothing(intake_of, feed):
    assert cutoffs(intake_of(standing(), AwaySource(feed.source)), START + HOUR) == []


def test_a_pair_that_cannot_be_read_stops_no_other(intake_of, feed, bitcoin):
    intake = intake_of(standing(), symbols=(bitcoin, ETHER))
    break_files(feed, feed.series(bitcoin))
    assert [str(one.series.symbol) for one in intake.round_at(START + HOUR).candles] == ["ETH/USDT"]


def test_in_a_past_it_ends_the_desk(intake_of, feed, bitcoin):
    intake = intake_of(played(2))
    break_files(feed, feed.series(bitcoin))
    with pytest.raises(StoreError, match="not readable"):
        cutoffs(intake, START + HOUR)
