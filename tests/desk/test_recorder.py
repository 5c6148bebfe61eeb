import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from make_us_rich.database.journal_tables import drift_verdicts
from make_us_rich.desk.desk import Desk
from make_us_rich.desk.loop import ClosedCandleLoop
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.recorder import inputs_hash
from make_us_rich.desk.trend_recorder import TrendRecorder
from make_us_rich.errors import StoreError
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.notes import read_notes
from make_us_rich.journal.outcome import closes_as_actuals, score_due
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.journal.record import record_sheets
from make_us_rich.journal.sheet import PRICE_FORECASTERS
from make_us_rich.market.clock import ReplayClock
from make_us_rich.models.forecast import HORIZONS
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.desk_view import Series
from make_us_rich.serving.forecasting import known_candles
from trial_clock import ChangedSource, JumpingClock
from trial_journal import closes_of, sheet_at

START = datetime(2023, 1, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BTC = ModelName.parse("price.BTC-USDT.1h")


def journal_of(desk):
    return desk._prices._journal


def rows_of(desk, **query):
    return read_predictions(journal_of(desk), PredictionQuery(**query), 10_000).rows


def test_each_closed_candle_is_written_down_with_both_yardsticks_and_scored(make_desk, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=24)
    desk.loop.run(threading.Event())
    rows = rows_of(desk)
    for forecaster in PRICE_FORECASTERS:
        of_it = [row for row in rows if row.forecaster == forecaster]
        assert len(of_it) == 25 * len(HORIZONS)
        assert len({(row.cutoff, row.horizon) for row in of_it}) == len(of_it)
    due = [row for row in rows if row.target_time <= START + 24 * HOUR and row.missing is None]
    assert {row.scored_at is not None for row in due} == {True}
    assert {(row.model, row.version) for row in rows if row.forecaster == "served"} == {("toy", 1)}
    assert all(len(row.input_hash) == 64 and row.recorded_at < row.target_time for row in rows)


def test_the_hash_on_record_is_that_of_what_the_forecast_read(make_desk, shelve_toy, bitcoin):
    shelve_toy()
    desk = make_desk(hours=0)
    desk.loop.run(threading.Event())
    series = desk.view.find(bitcoin, BTC.timeframe)
    read = known_candles(desk.view, series, None, START)
    assert len(read) > 365 * 24
    assert {row.input_hash for row in rows_of(desk, names=(str(BTC),))} == {inputs_hash(read)}


def test_the_desk_works_on_either_database(place, feed, shelve_toy, database):
    shelve_toy()
    clock = ReplayClock(START, START + 3 * HOUR, None)
    desk = Desk(place, feed, clock, ProgressReport(), Journal(database, place.market))
    desk.fetch_history()
    desk.loop.run(threading.Event())
    assert len(rows_of(desk)) == 4 * len(PRICE_FORECASTERS) * len(HORIZONS)
    assert len(desk.loop.tally.scores) == 3 + 2
    assert {row.scored_at for row in rows_of(desk, is_scored=True)} == {START + n * HOUR for n in (1, 2, 3)}


def test_a_regression_that_was_not_shelved_is_missing_and_says_so(make_desk, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=1)
    desk.loop.run(threading.Event())
    (reason,) = {row.missing for row in rows_of(desk, forecaster="volatility")}
    assert "shelved without its volatility regression" in reason


def test_a_desk_that_starts_again_goes_on_where_it_stopped(make_desk, feed, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=5)
    desk.loop.run(threading.Event())
    before = rows_of(desk)
    again = ClosedCandleLoop(feed, ReplayClock(START, START + 8 * HOUR, None), desk.loop._duties)
    again.run(threading.Event())
    assert len(again.tally.scores) == sum(max(0, 9 - h) - max(0, 6 - h) for h in HORIZONS)
    after = {(row.cutoff, row.horizon, row.forecaster): row for row in rows_of(desk)}
    assert len(after) == 9 * 18
    assert all(after[row.cutoff, row.horizon, row.forecaster].quantiles == row.quantiles for row in before)


def test_a_revised_candle_is_noted_and_changes_no_score(make_desk, feed, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=1)
    desk.loop.run(threading.Event())
    changed = ChangedSource(feed.source, pl.col("volume") + 1.0)
    scored = rows_of(desk, is_scored=True)
    loop = ClosedCandleLoop(
        replace(feed, source=changed),
        ReplayClock(START + 2 * HOUR, START + 2 * HOUR, None),
        desk.loop._duties,
    )
    loop.candle_closed(START + 2 * HOUR)
    notes = read_notes(journal_of(desk), f"{feed.source.name} BTC/USDT 1h")
    assert {note.kind for note in notes} == {"revised"}
    assert {note.open_time for note in notes} == {START, START - HOUR}
    assert all("stays" in note.detail for note in notes)
    assert all(row in rows_of(desk, is_scored=True) for row in scored)


def test_a_note_that_cannot_be_written_stops_no_candle(make_desk, feed, shelve_toy, monkeypatch):
    shelve_toy()
    desk = make_desk(hours=1)
    desk.loop.candle_closed(START)
    monkeypatch.setattr("make_us_rich.desk.arrivals.note_candles", _fail)
    changed = replace(feed, source=ChangedSource(feed.source, pl.col("volume") + 1.0))
    loop = ClosedCandleLoop(changed, ReplayClock(START + HOUR, START + HOUR, None), desk.loop._duties)
    loop.candle_closed(START + HOUR)
    assert (loop.tally.candles, loop.tally.forecasts) == (1, len(HORIZONS))


def test_a_candle_that_was_late_is_noted(make_desk, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=0)
    desk.loop.candle_closed(START)
    desk.loop.candle_closed(START + 5 * HOUR)
    notes = read_notes(journal_of(desk), f"{desk._feed.source.name} BTC/USDT 1h")
    assert {note.open_time for note in notes if note.kind == "late"} == {START + n * HOUR for n in (0, 1, 3)}


def test_a_broken_horizon_is_served_by_its_baseline_and_says_why(make_desk, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=0)
    with journal_of(desk).database.write() as session:
        session.execute(
            drift_verdicts.insert(),
            {
                "market": "simulated", "name": str(BTC), "horizon": 2, "week": START - timedelta(days=8),
                "version": 1, "state": "broken", "reason": "4-week coverage is 60.0%", "judged_at": START,
            },
        )  # fmt: skip
    desk.loop.candle_closed(START)
    served = {row.horizon: row for row in rows_of(desk, forecaster="served")}
    beside = {row.horizon: row for row in rows_of(desk, forecaster="persistence")}
    assert (served[2].model, served[2].quantiles) == ("persistence", beside[2].quantiles)
    assert "4-week coverage is 60.0%" in served[2].remark
    assert {row.model for horizon, row in served.items() if horizon != 2} == {"toy"}


def test_a_model_whose_intervals_are_too_narrow_breaks_and_is_replaced_by_its_baseline(make_desk, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=1)
    monday = START - timedelta(days=29)
    closes = closes_of(4 * 168, start=monday)
    narrow = {"served": 0.004, "persistence": 0.01}
    sheets = [
        sheet_at(cutoff, close, spreads=narrow, model="toy", version=1, horizons=(1,))
        for cutoff, close in closes.items()
    ]
    record_sheets(journal_of(desk), sheets, monday)
    score_due(journal_of(desk), str(BTC), closes_as_actuals(closes), max(closes))
    desk.loop.run(threading.Event())
    first, second = (
        {row.horizon: row for row in rows_of(desk, since=cutoff, until=cutoff + HOUR, forecaster="served")}
        for cutoff in (START, START + HOUR)
    )
    assert first[1].model == "toy"
    assert (second[1].model, second[2].model) == ("persistence", "toy")
    assert "outside 80% to 97%" in second[1].remark


def test_on_the_wall_clock_a_database_that_is_away_loses_no_candle(make_desk, feed, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=0)
    away = [True]

    def score(symbol, moment):
        if away:
            away.pop()
            raise StoreError("the database is away")
        return desk._score_due(symbol, moment)

    duties = replace(desk.loop._duties, score_due=score)
    loop = ClosedCandleLoop(feed, JumpingClock(START, START), duties)
    loop.candle_closed(START)
    assert loop._next_due(START) == START + timedelta(seconds=30)
    loop.candle_closed(START)
    assert len(rows_of(desk, forecaster="served")) == len(HORIZONS)


def test_in_a_past_it_ends_the_desk(make_desk, shelve_toy):
    shelve_toy()
    desk = make_desk(hours=1)
    desk.loop._duties = replace(desk.loop._duties, make_forecast=_fail)
    with pytest.raises(StoreError):
        desk.loop.run(threading.Event())


def _fail(*_):
    raise StoreError("the database is away")


@pytest.fixture
def daily(place, feed, bitcoin):
    """The daily series of BTC/USDT, of which 400 days are stored."""
    series = Series(feed.source.name, bitcoin, ModelName.parse("trend-up.BTC-USDT.1d").timeframe)
    for page in feed.source.fetch(bitcoin, series.timeframe, START - 400 * DAY, START):
        place.store().append(page, feed.source.name, bitcoin, series.timeframe)
    return series


def test_trends_are_written_down_once_a_day_and_scored_by_what_came(
    make_desk, feed, bitcoin, daily, shelve_toy
):
    shelve_toy()
    desk = make_desk(hours=0)
    for n in range(12 * 4 + 1):
        desk.loop.candle_closed(START + n * DAY / 4)
    rows = rows_of(desk, names=("trend-up.BTC-USDT.1d",))
    assert {row.forecaster for row in rows} == {"served", "random_walk"}
    assert len(rows) == 2 * 13
    scored = [row for row in rows if row.scored_at]
    assert len(scored) == 2 * 3
    assert {row.question for row in rows} == {"sma-change/10/10/0.05"}
    closes = pl.concat(feed.source.fetch(bitcoin, daily.timeframe, START - 20 * DAY, START + 12 * DAY))
    by_close = {row["open_time"] + DAY: row["close"] for row in closes.to_dicts()}
    for row in scored:
        now, then = (
            sum(by_close[moment - n * DAY] for n in range(10)) for moment in (row.cutoff, row.target_time)
        )
        assert row.actual == (then >= 1.05 * now)
        assert row.loss == pytest.approx((row.actual - row.probability) ** 2)


def test_a_revised_day_is_noted_and_the_stored_one_stays(make_desk, feed, daily):
    desk = make_desk(hours=0)
    stored = desk.view.candles.load(daily.source, daily.symbol, daily.timeframe)
    changed = ChangedSource(feed.source, pl.col("volume") + 1.0)
    TrendRecorder(journal_of(desk), desk.view, changed).keep(START + DAY, START + DAY)
    notes = read_notes(journal_of(desk), f"{feed.source.name} BTC/USDT 1d")
    assert {(note.kind, note.open_time) for note in notes} == {
        ("revised", START - DAY),
        ("revised", START - 2 * DAY),
    }
    kept = desk.view.candles.load(daily.source, daily.symbol, daily.timeframe, until=START)
    assert kept.equals(stored)


def test_a_day_whose_trends_were_scored_late_is_noted(make_desk, feed, daily):
    desk = make_desk(hours=0)
    trends = TrendRecorder(journal_of(desk), desk.view, feed.source)
    trends.keep(START, START)
    trends.keep(START + 12 * DAY, START + 12 * DAY)
    notes = read_notes(journal_of(desk), f"{feed.source.name} BTC/USDT 1d")
    assert [(note.kind, note.open_time) for note in notes] == [("late", START + 9 * DAY)]
