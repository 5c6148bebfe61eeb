from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.desk.past import begin_past
from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.journal.predictions import PredictionQuery, read_predictions
from make_us_rich.journal.record import record_forecasts
from make_us_rich.market.series import Series
from make_us_rich.operations.last_started import last_started_market, remember_market
from make_us_rich.operations.workplace import Workplace, resolve_workplace
from make_us_rich.settings import Settings
from make_us_rich.testing.artifacts import toy_draft
from trial_journal import forecast_at

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def fill(settings, make_candles, bitcoin, hourly):
    """Store 48 hours from 2024-01-01 in a market."""

    def fill(market, source="somewhere"):
        Workplace(settings, market).store().append(make_candles(48), Series(source, bitcoin, hourly))

    return fill


def test_markets_share_nothing(settings):
    homes = {Workplace(settings, market).home for market in ("live", "replay", "simulated")}
    assert homes == {settings.home / "live", settings.home / "replay", settings.home / "simulated"}


def test_a_named_market_wins_over_the_settings(settings, fill):
    fill("replay")
    assert resolve_workplace("live", settings.model_copy(update={"market": "simulated"})).market == "live"
    assert resolve_workplace(None, settings.model_copy(update={"market": "simulated"})).market == "simulated"


def test_the_market_in_use_is_live_before_anything_is_stored(settings):
    assert resolve_workplace(None, settings).market == "live"


def test_the_market_in_use_is_the_only_one_with_candles(settings, fill):
    fill("simulated")
    assert resolve_workplace(None, settings).market == "simulated"


def test_live_candles_win_over_others(settings, fill):
    fill("simulated")
    fill("live")
    assert resolve_workplace(None, settings).market == "live"


def test_two_pasts_are_too_many_to_choose_from(settings, fill):
    fill("simulated")
    fill("replay")
    with pytest.raises(UsageError, match="say which with --market"):
        resolve_workplace(None, settings)


def test_the_exchange_of_the_settings_wins_among_several_sources(settings, fill, bitcoin, hourly):
    fill("live", "aardvark")
    fill("live", "binance")
    assert Workplace(settings, "live").stored_series(bitcoin, hourly).source == "binance"


def test_what_is_not_stored_says_how_to_fetch_it(settings, bitcoin, hourly):
    with pytest.raises(UnknownNameError, match="mur fetch BTC/USDT --timeframe 1h"):
        Workplace(settings, "live").stored_series(bitcoin, hourly)


def test_a_replay_has_no_source_of_its_own(settings):
    with pytest.raises(UsageError, match="replay:DIR"):
        Workplace(settings, "replay").default_source()


def test_the_market_last_started_is_meant_whatever_is_stored(settings, fill):
    fill("live")
    for market in ("simulated", "replay"):
        remember_market(settings, market, START)
        assert resolve_workplace(None, settings).market == market
    assert resolve_workplace("live", settings).market == "live"
    assert resolve_workplace(None, settings.model_copy(update={"market": "live"})).market == "live"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"nonsense", b'{"market": "moon"}'])
def test_a_file_that_names_no_market_is_as_none(settings, fill, content):
    fill("replay")
    (settings.home / "market.json").write_bytes(content)
    assert last_started_market(settings) is None
    assert resolve_workplace(None, settings).market == "replay"


def test_a_home_that_cannot_be_written_goes_without(tmp_path):
    (tmp_path / "file").touch()
    remember_market(Settings(home=tmp_path / "file"), "live", START)


@pytest.fixture
def begin(settings, database):
    """Begin a past of the replay market at some hour after 2024-01-01."""

    def begin(hours):
        start = START + timedelta(hours=hours)
        return begin_past(Workplace(settings, "replay"), database, start, START + timedelta(days=500))

    return begin


def test_a_desk_that_knows_nothing_later_goes_on(fill, begin):
    fill("replay")
    begun = begin(48)
    assert (begun.is_anew, begun.journal.history, begun.set_aside) == (False, 1, ())


def test_later_candles_are_set_aside_and_models_that_do_not_know_them_stay(settings, fill, begin):
    fill("replay")
    place = Workplace(settings, "replay")
    place.shelf().shelve(toy_draft("replay", changes={"data_end": START}))
    begun = begin(47)
    assert (begun.is_anew, begun.journal.history) == (True, 2)
    assert begun.set_aside == (settings.home / "replay" / "candles.1",)
    assert place.store().series() == []
    assert place.shelf().versions("price.BTC-USDT.1h") == [1]
    fill("replay")
    assert begin(0).set_aside == (settings.home / "replay" / "candles.2",)


def test_a_model_that_has_seen_later_candles_is_not_served(settings, begin):
    place = Workplace(settings, "replay")
    place.shelf().shelve(toy_draft("replay", changes={"data_end": START + timedelta(hours=5)}))
    (place.home / "mlflow").mkdir()
    assert begin(5).set_aside == ()
    assert begin(4).set_aside == (place.home / "shelf.1", place.home / "mlflow.1")
    assert place.shelf().names() == []


def test_a_journal_that_knows_what_came_begins_another_history_though_the_folder_is_empty(database, begin):
    record_forecasts(begin(0).journal, [forecast_at(START + timedelta(hours=3), 100.0)], START)
    assert not begin(3).is_anew
    begun = begin(2)
    assert (begun.is_anew, begun.journal.history, begun.set_aside) == (True, 2, ())
    assert read_predictions(begun.journal, PredictionQuery(), 10).rows == ()
    assert begin(0).journal.history == 2
