import threading
from datetime import timedelta

import pytest

from make_us_rich.errors import ForecastUnavailableError, NotEnoughHistoryError, UnknownNameError
from make_us_rich.market.symbol import Symbol
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving import made_forecast as making
from make_us_rich.serving.predictor import POLL_SECONDS, Predictor
from trial_desk import BTC, END, HOUR, START, hourly_candles

NAME = ModelName("price", BTC, HOUR)
ETH = Symbol("ETH", "USDT")


@pytest.fixture
def count(monkeypatch):
    """Count how often a forecast is computed."""
    made = []
    real = making.forecast_from

    def counting(*arguments):
        made.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(making, "forecast_from", counting)
    return made


def test_a_forecast_is_computed_once_per_closed_candle(desk, count):
    predictor = Predictor(desk.view)
    for minute in (1, 20, 59):
        desk.clock.moment = END + timedelta(minutes=minute)
        predictor.refresh()
        predictor.compute(NAME)
    assert len(count) == 1
    desk.add_candles(hourly_candles(until=END + HOUR.duration))
    desk.clock.moment = END + HOUR.duration
    predictor.refresh()
    predictor.refresh()
    assert len(count) == 2
    assert predictor.served(NAME).forecast.cutoff == END + HOUR.duration


def test_many_who_ask_at_once_share_one_computation(desk, count):
    predictor = Predictor(desk.view)
    askers = [threading.Thread(target=predictor.compute, args=(NAME,)) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(count) == 1


def test_while_the_source_is_away_nothing_is_computed_again(desk, count):
    predictor = Predictor(desk.view)
    for hours in (0, 1, 2, 30):
        desk.clock.moment = END + timedelta(hours=hours)
        predictor.refresh()
    assert len(count) == 1


def test_a_forecast_that_is_computed_says_nothing_about_targets_that_have_passed(desk):
    desk.clock.moment = END + timedelta(hours=20)
    steps = Predictor(desk.view).compute(NAME).forecast.steps
    assert [step.horizon for step in steps] == [24]


def test_a_target_that_is_now_has_passed(desk):
    desk.clock.moment = END + timedelta(hours=4)
    steps = Predictor(desk.view).compute(NAME).forecast.steps
    assert [step.horizon for step in steps] == [8, 12, 24]


def test_at_the_newest_candle_every_target_lies_ahead(desk):
    desk.clock.moment = END
    assert len(Predictor(desk.view).compute(NAME).forecast.steps) == 6


def test_where_every_target_has_passed_nothing_is_computed_and_one_line_says_why(desk, count):
    desk.clock.moment = END + timedelta(hours=24)
    predictor = Predictor(desk.view)
    with pytest.raises(
        ForecastUnavailableError,
        match=r"^BTC/USDT 1h: the newest candle closed 24 hours ago, so every target has passed; .*`mur",
    ):
        predictor.compute(NAME)
    predictor.refresh()
    assert count == []


def test_a_new_champion_answers_at_once_for_the_same_candle(desk, count):
    predictor = Predictor(desk.view)
    predictor.refresh()
    desk.promote()
    predictor.refresh()
    assert len(count) == 2
    assert predictor.served(NAME).forecast.model_version == 1


def test_a_candle_that_has_not_closed_by_the_clock_is_not_known(desk):
    desk.clock.moment = END - timedelta(days=3, minutes=1)
    predictor = Predictor(desk.view)
    predictor.refresh()
    assert predictor.served(NAME).forecast.cutoff == END - timedelta(days=3, hours=1)


def test_every_stored_series_is_forecast(desk):
    desk.add_candles(hourly_candles(seed=1), ETH)
    predictor = Predictor(desk.view)
    predictor.refresh()
    assert [str(name) for name in predictor.all_served()] == ["price.BTC-USDT.1h", "price.ETH-USDT.1h"]


def test_a_series_that_cannot_be_forecast_does_not_keep_the_others_from_it(desk):
    desk.add_candles(hourly_candles(END - timedelta(days=3), END), ETH)
    predictor = Predictor(desk.view)
    predictor.refresh()
    assert list(predictor.all_served()) == [NAME]
    assert [str(name.symbol) for name in predictor.problems()] == ["ETH/USDT"]
    with pytest.raises(NotEnoughHistoryError):
        predictor.compute(ModelName("price", ETH, HOUR))


def test_a_series_is_forecast_once_its_candles_suffice(empty_desk):
    empty_desk.add_candles(hourly_candles(END - timedelta(days=3), END))
    predictor = Predictor(empty_desk.view)
    predictor.refresh()
    empty_desk.add_candles(hourly_candles(START, END - timedelta(days=3)))
    predictor.refresh()
    assert predictor.problems() == {}
    assert predictor.served(NAME) is not None


def test_an_unknown_series_is_named_with_those_there_are(desk):
    with pytest.raises(UnknownNameError, match="ETH/USDT 1h: no candles are stored; there are: BTC/USDT 1h"):
        Predictor(desk.view).compute(ModelName("price", ETH, HOUR))


def test_the_old_forecast_stays_when_the_store_becomes_unreadable(desk):
    predictor = Predictor(desk.view)
    predictor.refresh()
    for part in (desk.root / "candles").rglob("*.parquet"):
        part.write_bytes(b"broken")
    desk.clock.moment = END + timedelta(hours=2)
    predictor.refresh()
    assert predictor.served(NAME).forecast.cutoff == END
    assert "not readable" in str(predictor.problems()[NAME])


def test_the_thread_outlives_a_round_that_fails(desk, monkeypatch):
    predictor = Predictor(desk.view, poll_seconds=0.01)
    failed = threading.Event()
    real = predictor.refresh

    def failing_once():
        if not failed.is_set():
            failed.set()
            raise RuntimeError("unforeseen")
        real()

    monkeypatch.setattr(predictor, "refresh", failing_once)
    predictor.start()
    assert failed.wait(5)
    for _ in range(500):
        if predictor.served(NAME):
            break
        threading.Event().wait(0.01)
    predictor.stop()
    assert predictor.served(NAME) is not None


def test_the_preferred_source_is_taken_where_several_hold_the_same_series(desk):
    desk.add_candles(hourly_candles(seed=7), source="another")
    assert desk.view.find(BTC, HOUR).source == "another"  # the first by name
    preferring = type(desk.view)(
        desk.view.market, desk.store, desk.shelf, desk.clock, preferred_source="recorded"
    )
    assert preferring.find(BTC, HOUR).source == "recorded"


def test_the_shelf_is_looked_at_every_two_seconds_at_least():
    assert POLL_SECONDS <= 2
