"""What is done with a closed candle: scored, forecast, written down, judged, and said."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from heard import Heard
from make_us_rich.database.journal_tables import drift_verdicts
from make_us_rich.desk import candle_work
from make_us_rich.errors import UnknownNameError
from make_us_rich.events.records import CandleClosed, Drifted, ForecastMade, Promoted, Scored
from make_us_rich.forecasting.inputs import inputs_hash
from make_us_rich.forecasting.kind import KnownCandles
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.price.forecast import price_inputs
from make_us_rich.journal.notes import read_notes
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.journal.record import record_forecasts
from make_us_rich.market import store as store_module
from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.market.series import Series
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.registry.model_name import ModelName
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from trial_journal import closes_of, forecast_at, score

START = datetime(2023, 1, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAME = ModelName.parse("price.BTC-USDT.1h")
TREND = "trend-up.BTC-USDT.1d"


@pytest.fixture
def desk(make_desk, shelve_toy):
    """A desk at `START` that serves a toy, whatever time comes."""
    shelve_toy()
    return make_desk()


@pytest.fixture
def heard(desk):
    return Heard(desk.bus)


def play(desk, hours, first=0):
    for n in range(first, first + hours):
        desk.candles_closed(START + n * HOUR)


def rows_of(desk, **query):
    return read_predictions(desk.journal, PredictionQuery(**query), 10_000).rows


def notes_of(desk, timeframe="1h"):
    return read_notes(desk.journal, f"simulated BTC/USDT {timeframe}")


# -- written down ------------------------------------------------------------------------------------


def test_each_closed_candle_is_written_down_with_both_yardsticks_and_scored(desk):
    play(desk, 25)
    rows = rows_of(desk)
    for forecaster in ("served", "persistence", "volatility"):
        of_it = [row for row in rows if row.forecaster == forecaster]
        assert len(of_it) == 25 * len(HORIZONS)
        assert len({(row.cutoff, row.horizon) for row in of_it}) == len(of_it)
    due = [row for row in rows if row.target_time <= START + 24 * HOUR and row.missing is None]
    assert {row.scored_at is not None for row in due} == {True}
    assert {(row.model, row.version) for row in rows if row.forecaster == "served"} == {("toy", 1)}
    assert all(len(row.input_hash) == 64 and row.recorded_at < row.target_time for row in rows)


def test_the_hash_on_record_is_that_of_what_the_forecast_read(desk, bitcoin):
    play(desk, 1)
    view = desk.board.view
    series = view.find(bitcoin, NAME.timeframe)
    (need,) = desk.board.needs(series)
    frame = view.closed_candles(series, need.count, START)
    read = price_inputs(series, START, KnownCandles("simulated", {series: frame}), None)
    assert len(read) > 365 * 24
    assert {row.input_hash for row in rows_of(desk)} == {inputs_hash(read)}


def test_a_regression_that_was_not_shelved_is_missing_and_says_so(desk):
    play(desk, 2)
    (reason,) = {row.missing for row in rows_of(desk, forecaster="volatility")}
    assert "shelved without its volatility regression" in reason


def test_what_is_served_is_what_was_written_down(desk):
    play(desk, 2)
    served = desk.board.served(NAME)
    assert served.is_recorded
    written = rows_of(desk, forecaster="served", since=START + HOUR)
    assert {row.horizon: tuple(row.quantiles.values()) for row in written} == {
        step.horizon: step.quantiles for step in served.forecast.steps
    }


def test_a_scored_forecast_counts_in_the_live_record_of_the_next_one(desk):
    play(desk, 3)
    assert desk.board.served(NAME).live[1].n == 2


def test_a_revised_candle_changes_no_score(desk, feed):
    play(desk, 2)
    scored = rows_of(desk, is_scored=True)
    series = feed.series(feed.symbols[0])
    changed = feed.store.load(series, since=START - HOUR).with_columns(pl.col("volume") + 1.0)
    assert feed.store.append(changed, series).revised == 2
    play(desk, 1, first=2)
    assert all(row in rows_of(desk, is_scored=True) for row in scored)


def test_a_candle_that_was_late_is_noted(desk):
    desk.candles_closed(START)
    desk.candles_closed(START + 5 * HOUR)
    late = {note.open_time for note in notes_of(desk) if note.kind == "late"}
    assert late == {START + n * HOUR for n in (0, 1, 3)}


# -- said --------------------------------------------------------------------------------------------


def test_everything_is_said_in_the_order_in_which_it_happened(desk, heard):
    play(desk, 2)
    kinds = [type(one) for one in heard]
    assert kinds == [CandleClosed, ForecastMade, CandleClosed, Scored, ForecastMade]
    made, scored = heard[-1], heard[-2]
    assert (made.name, made.cutoff, made.version, made.horizons) == (str(NAME), START + HOUR, 1, HORIZONS)
    assert (set(made.served_by), made.has_quantiles, made.owner) == ({"toy"}, True, None)
    assert (scored.name, scored.horizon, scored.target_time) == (str(NAME), 1, START + HOUR)


def test_another_version_is_said_once_with_its_reason(desk, heard, place):
    play(desk, 1)
    shelf = place.shelf()
    shelf.promote(str(NAME), shelf.shelve(toy_draft("simulated")), "better", START)
    play(desk, 2, first=1)
    assert [(one.version, one.reason) for one in heard.of(Promoted)] == [(2, "better")]


# -- drift -------------------------------------------------------------------------------------------


def test_a_broken_horizon_is_served_by_its_baseline_and_says_why(desk):
    with desk.journal.database.write() as session:
        session.execute(
            drift_verdicts.insert(),
            {
                "market": "simulated", "history": 1, "name": str(NAME), "horizon": 2,
                "week": START - timedelta(days=8), "version": 1, "state": "broken",
                "reason": "4-week coverage is 60.0%", "judged_at": START,
            },
        )  # fmt: skip
    play(desk, 1)
    served = {row.horizon: row for row in rows_of(desk, forecaster="served")}
    beside = {row.horizon: row for row in rows_of(desk, forecaster="persistence")}
    assert (served[2].model, served[2].quantiles) == ("persistence", beside[2].quantiles)
    assert "4-week coverage is 60.0%" in served[2].remark
    assert {row.model for horizon, row in served.items() if horizon != 2} == {"toy"}


def test_a_model_whose_intervals_are_too_narrow_breaks_and_is_replaced_by_its_baseline(desk, heard):
    monday = START - timedelta(days=29)
    closes = closes_of(4 * 168, start=monday)
    narrow = {"served": 0.004, "persistence": 0.01}
    written = [
        forecast_at(cutoff, close, spreads=narrow, model="toy", version=1, horizons=(1,))
        for cutoff, close in closes.items()
    ]
    record_forecasts(desk.journal, written, monday)
    score(desk.journal, closes, max(closes))
    play(desk, 2)
    first, second = (
        {row.horizon: row for row in rows_of(desk, since=cutoff, until=cutoff + HOUR, forecaster="served")}
        for cutoff in (START, START + HOUR)
    )
    assert first[1].model == "toy"
    assert (second[1].model, second[2].model) == ("persistence", "toy")
    assert "outside 80% to 97%" in second[1].remark
    assert [(one.name, one.horizon, one.state) for one in heard.of(Drifted)] == [(str(NAME), 1, "broken")]


# -- trends ------------------------------------------------------------------------------------------


@pytest.fixture
def daily(feed, bitcoin):
    """The daily series of BTC/USDT, of which 400 days are stored."""
    series = Series(feed.source.name, bitcoin, Timeframe("1d"))
    for page in feed.source.fetch(bitcoin, series.timeframe, START - 400 * DAY, START):
        feed.store.append(page, series)
    return series


def test_trends_are_written_down_once_a_day_and_scored_by_what_came(desk, feed, bitcoin, daily):
    for n in range(12 * 4 + 1):
        desk.candles_closed(START + n * DAY / 4)
    rows = rows_of(desk, names=(TREND,))
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


@pytest.mark.usefixtures("daily")
def test_a_day_whose_trends_were_scored_late_is_noted(desk):
    desk.candles_closed(START)
    desk.candles_closed(START + 12 * DAY)
    prices, trend = (1, 2, 4, 8), 10
    assert {(note.kind, note.open_time) for note in notes_of(desk, "1d")} == {
        ("late", START + (days - 1) * DAY) for days in (*prices, trend)
    }


# -- the market --------------------------------------------------------------------------------------


def test_a_desk_fetches_the_market_its_champion_reads(make_desk, place, feed):
    shelf = place.shelf()
    draft = toy_draft("simulated", model=ToyPriceModel(activity=(MARKET_VARIANCE,)))
    shelf.promote(str(NAME), shelf.shelve(draft), "a toy for a test", START)
    desk = make_desk()
    play(desk, 4)
    assert desk.counter.forecasts == 4 * 6
    ether = replace(feed.series(feed.symbols[0]), symbol=Symbol("ETH", "USDT"))
    assert feed.store.last_open_time(ether) == feed.store.last_open_time(feed.series(feed.symbols[0]))


def test_a_source_without_the_market_is_said_and_stops_nothing(make_desk, place, feed, monkeypatch):
    shelf = place.shelf()
    draft = toy_draft("simulated", model=ToyPriceModel(activity=(MARKET_VARIANCE,)))
    shelf.promote(str(NAME), shelf.shelve(draft), "a toy for a test", START)

    def refuse(source, store, series, **_):
        raise UnknownNameError(f"{source.name} has no {series.symbol}")

    monkeypatch.setattr(candle_work, "update_candles", refuse)
    desk = make_desk()
    with capture_logs() as logs:
        play(desk, 1)
    said = [one["reason"] for one in logs if one["event"] == "no new forecast"]
    assert said == ["BTC/USDT 1h: its model reads the market: simulated has no ETH/USDT"]
    assert "reads market_variance" in str(desk.board.problems()[NAME])
    assert (desk.counter.candles, desk.counter.forecasts) == (0, 0)


# -- what it costs -----------------------------------------------------------------------------------

MOST_READS = 4
MOST_STATEMENTS = 10


@pytest.fixture
def counted(desk, monkeypatch):
    """Counts inside a context: Parquet files that are read, loads of a series, statements to the database."""
    counts, engine = Counter(), desk.journal.database.engine
    read, load = store_module.pl.read_parquet, CandleStore._load

    def reading(*arguments, **options):
        counts["reads"] += 1
        return read(*arguments, **options)

    def loading(store, series, *span):
        counts[series] += 1
        return load(store, series, *span)

    def executing(*_):
        counts["statements"] += 1

    @contextmanager
    def counting():
        counts.clear()
        with monkeypatch.context() as patched:
            patched.setattr(store_module.pl, "read_parquet", reading)
            patched.setattr(CandleStore, "_load", loading)
            event.listen(engine, "before_cursor_execute", executing)
            yield counts
            event.remove(engine, "before_cursor_execute", executing)

    return counting


def test_a_candle_costs_one_load_four_files_and_ten_statements_at_most(desk, feed, heard, counted):
    play(desk, 26)  # from then on every horizon has something to score
    series = feed.series(feed.symbols[0])
    for hour in range(26, 30):
        heard.clear()
        with counted() as counts:
            play(desk, 1, first=hour)
        kinds = Counter(type(one) for one in heard)
        assert kinds == {CandleClosed: 1, Scored: len(HORIZONS), ForecastMade: 1}
        assert len(rows_of(desk, forecaster="served", since=START + hour * HOUR)) == len(HORIZONS)
        assert counts[series] == 1, counts
        assert counts["reads"] <= MOST_READS, counts
        assert counts["statements"] <= MOST_STATEMENTS, counts


def test_a_series_that_is_loaded_twice_would_be_noticed(desk, feed, counted, monkeypatch):
    play(desk, 3)
    real = MarketView.closed_candles

    def loading_twice(*arguments, **options):
        real(*arguments, **options)
        return real(*arguments, **options)

    monkeypatch.setattr(MarketView, "closed_candles", loading_twice)
    with counted() as counts:
        play(desk, 1, first=3)
    assert counts[feed.series(feed.symbols[0])] == 2
