import threading
from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.desk.market_choice import choose_clock, choose_market, choose_symbols
from make_us_rich.desk.plan import DEFAULT_SYMBOLS, DeskPlan, check_plan
from make_us_rich.errors import SourceUnavailableError, UsageError
from make_us_rich.market.clock import ReplayClock, WallClock
from make_us_rich.market.series import Series
from make_us_rich.market.sources import ReplaySource, SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.workplace import Workplace, standing_clock

NOW = datetime(2024, 6, 1, tzinfo=UTC)
HOURLY = Timeframe("1h")


def plan(**changes):
    nothing_said = {
        "market": None,
        "replay_from": None,
        "start": None,
        "until": None,
        "speed": 1.0,
        "exit_at_end": False,
        "symbols": (),
        "host": "127.0.0.1",
        "port": 0,
    }
    return DeskPlan(**(nothing_said | changes))


@pytest.fixture
def answering(settings, exchange_server):
    return settings.model_copy(update={"exchange_url": exchange_server.url})


@pytest.fixture
def silent(settings):
    return settings.model_copy(update={"exchange_url": "http://127.0.0.1:9"})


def store_candle(settings, market, make_candles):
    source = {"live": "binance", "simulated": "simulated"}[market]
    Workplace(settings, market).store().append(make_candles(1), Series(source, Symbol("BTC", "USDT"), HOURLY))


def test_an_exchange_that_answers_is_live(answering):
    choice = choose_market(plan(), answering)
    assert (choice.place.market, choice.source.name) == ("live", "binance")


def test_an_exchange_that_is_silent_is_replaced_by_the_simulated_market_which_says_so(silent):
    choice = choose_market(plan(), silent)
    assert choice.place.market == "simulated"
    assert "SIMULATED" in choice.says
    assert "binance did not answer within 5 s" in choice.says


def test_a_desk_that_was_ever_live_stays_live(silent, make_candles):
    store_candle(silent, "live", make_candles)
    choice = choose_market(plan(), silent)
    assert choice.place.market == "live"
    assert "stale" in choice.says


def test_who_asks_for_live_is_not_given_something_else(silent):
    with pytest.raises(SourceUnavailableError, match="try again later, or use --market simulated"):
        choose_market(plan(market="live"), silent)


def test_the_simulated_market_is_there_for_the_asking(answering):
    assert choose_market(plan(market="simulated"), answering).place.market == "simulated"


def test_a_recording_limits_the_default_pairs_to_those_it_has(write_recording):
    source = ReplaySource(write_recording(days=3))
    assert choose_symbols(plan(), source) == (Symbol("BTC", "USDT"),)
    assert choose_symbols(plan(), SimulatedSource()) == DEFAULT_SYMBOLS
    assert choose_symbols(plan(symbols=(Symbol("SOL", "USDT"),)), source) == (Symbol("SOL", "USDT"),)


def test_a_recording_without_a_default_pair_asks_for_one(tmp_path):
    with pytest.raises(UsageError, match="--symbol"):
        choose_symbols(plan(replay_from=tmp_path), ReplaySource(tmp_path))


def test_the_wall_clock_is_followed_unless_a_past_is_played():
    clock = choose_clock(plan(market="simulated"), SimulatedSource(), DEFAULT_SYMBOLS, NOW)
    assert isinstance(clock, WallClock)


def test_a_replay_stands_at_the_end_of_its_candles_by_default(write_recording, bitcoin):
    source = ReplaySource(write_recording(days=3))
    clock = choose_clock(plan(market="replay"), source, (bitcoin,), NOW)
    assert clock.now() == datetime(2024, 1, 1, tzinfo=UTC)
    assert not clock.sleep_until(datetime(2024, 1, 1, 1, tzinfo=UTC), threading.Event())


def test_a_past_begins_and_ends_where_it_is_told(write_recording, bitcoin):
    source = ReplaySource(write_recording(days=3))
    start, until = datetime(2023, 12, 30, tzinfo=UTC), datetime(2023, 12, 31, tzinfo=UTC)
    clock = choose_clock(plan(market="replay", start=start, until=until, speed=None), source, (bitcoin,), NOW)
    assert clock.now() == start
    clock.sleep_until(NOW, threading.Event())
    assert clock.now() == until


def test_a_start_after_the_last_candle_is_refused(write_recording, bitcoin):
    source = ReplaySource(write_recording(days=3))
    with pytest.raises(UsageError, match="lies after the end, 2024-01-01"):
        choose_clock(plan(market="replay", start=NOW), source, (bitcoin,), NOW)


def test_stored_replays_are_served_as_of_their_end_and_others_as_of_now(settings, write_recording, bitcoin):
    replay = Workplace(settings, "replay")
    for page in ReplaySource(write_recording(days=3)).fetch(bitcoin, HOURLY, NOW - timedelta(days=400), NOW):
        replay.store().append(page, Series("recorded", bitcoin, HOURLY))
    assert standing_clock(replay, NOW).now() == datetime(2024, 1, 1, tzinfo=UTC)
    assert isinstance(standing_clock(replay, NOW), ReplayClock)
    assert isinstance(standing_clock(Workplace(settings, "live"), NOW), WallClock)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"market": "replay"}, "--replay-from DIR"),
        ({"market": "simulated", "replay_from": "somewhere"}, "belongs to --market replay"),
        ({"start": NOW}, "--market replay or --market simulated"),
        ({"market": "live", "until": NOW}, "--market replay or --market simulated"),
        ({"market": "simulated", "until": NOW}, "give it a beginning with --start"),
        ({"market": "simulated", "start": NOW, "until": NOW}, "must lie before --until"),
        ({"exit_at_end": True}, "--exit-at-end needs an end"),
        ({"market": "simulated", "exit_at_end": True}, "--exit-at-end needs an end"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused_before_anything_starts(settings, changes, words):
    with pytest.raises(UsageError, match=words):
        check_plan(plan(**changes), settings)


def test_a_folder_to_replay_from_is_enough_to_mean_a_replay(settings, tmp_path):
    assert check_plan(plan(replay_from=tmp_path), settings).market == "replay"


def test_the_market_of_the_settings_is_meant_where_none_is_named(settings):
    assert check_plan(plan(), settings.model_copy(update={"market": "simulated"})).market == "simulated"
