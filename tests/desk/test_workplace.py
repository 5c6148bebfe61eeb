from datetime import UTC, datetime, timedelta

import pytest

from make_us_rich.desk.past import set_aside_future
from make_us_rich.desk.workplace import Workplace, resolve_workplace
from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.testing.artifacts import toy_draft

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def fill(settings, make_candles, bitcoin, hourly):
    """Store 48 hours from 2024-01-01 in a market."""

    def fill(market, source="somewhere"):
        Workplace(settings, market).store().append(make_candles(48), source, bitcoin, hourly)

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
    assert Workplace(settings, "live").stored_source(bitcoin, hourly) == "binance"


def test_what_is_not_stored_says_how_to_fetch_it(settings, bitcoin, hourly):
    with pytest.raises(UnknownNameError, match="mur fetch BTC/USDT --timeframe 1h"):
        Workplace(settings, "live").stored_source(bitcoin, hourly)


def test_a_replay_has_no_source_of_its_own(settings):
    with pytest.raises(UsageError, match="replay:DIR"):
        Workplace(settings, "replay").default_source()


def test_a_desk_that_knows_nothing_later_is_kept(settings, fill):
    fill("replay")
    assert set_aside_future(Workplace(settings, "replay"), START + timedelta(hours=48)) is None


def test_a_desk_with_later_candles_is_set_aside_whole(settings, fill, bitcoin, hourly):
    fill("replay")
    place = Workplace(settings, "replay")
    assert set_aside_future(place, START + timedelta(hours=47)) == settings.home / "replay.1"
    assert place.store().series() == []
    fill("replay")
    assert set_aside_future(place, START) == settings.home / "replay.2"


def test_a_model_that_has_seen_later_candles_sets_its_desk_aside_too(settings):
    place = Workplace(settings, "replay")
    data_end = datetime(2024, 3, 1, 1, tzinfo=UTC)
    place.shelf().shelve(toy_draft("replay", changes={"data_end": data_end}))
    assert set_aside_future(place, data_end) is None
    assert set_aside_future(place, data_end - timedelta(hours=1)) is not None
