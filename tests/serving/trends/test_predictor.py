import threading
from dataclasses import replace

import pytest

from make_us_rich.errors import UnknownNameError
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.record import record_sheets
from make_us_rich.journal.sheet import trend_sheet
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.serving.trends import predictor as predictor_module
from make_us_rich.serving.trends.predictor import TrendPredictor, trend_names
from make_us_rich.testing.trend_artifacts import ToyTrendModel
from trend_desk import ADA, DAY, DOWN, END, SOL, UP, daily_candles

UNPROVEN = {"served_by": "random_walk"}


@pytest.fixture
def count(monkeypatch):
    """Count how often a trend is computed."""
    made = []
    real = predictor_module.trend_forecast

    def counting(name, *arguments):
        made.append(name)
        return real(name, *arguments)

    monkeypatch.setattr(predictor_module, "trend_forecast", counting)
    return made


def test_every_daily_series_has_an_up_and_a_down_trend(desk, predictor):
    desk.add_days(daily_candles(seed=1), ADA)
    assert sorted(str(name) for name in predictor.all_served()) == [
        "trend-down.ADA-USDT.1d",
        "trend-down.SOL-USDT.1d",
        "trend-up.ADA-USDT.1d",
        "trend-up.SOL-USDT.1d",
    ]


def test_hourly_series_have_none_unless_a_model_was_shelved(empty_desk):
    empty_desk.add_candles(daily_candles(), SOL)
    predictor = TrendPredictor(empty_desk.view)
    assert predictor.all_served() == {}
    name = "trend-up.SOL-USDT.1h"
    empty_desk.shelve_trend(changes={**UNPROVEN, "name": name, "timeframe": "1h"})
    predictor.refresh()
    assert [str(one) for one in predictor.problems() | predictor.all_served()] == [name]


def test_a_trend_is_computed_once_per_closed_candle(desk, predictor, count):
    for days in (0, 0.5, 0.9):
        desk.wait(days)
        predictor.refresh()
    assert count == [UP, DOWN]
    desk.add_days(daily_candles(401, END + DAY.duration)[-1:])
    desk.wait(1)
    predictor.refresh()
    predictor.refresh()
    assert count == [UP, DOWN, UP, DOWN]
    assert predictor.all_served()[UP].forecast.cutoff == END + DAY.duration


def test_while_the_source_is_away_nothing_is_computed_again(desk, predictor, count):
    for days in (0, 1, 5):
        desk.wait(days)
        predictor.refresh()
    assert count == [UP, DOWN]


def test_many_who_ask_at_once_share_one_computation(predictor, count):
    askers = [threading.Thread(target=predictor.all_served) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert count == [UP, DOWN]


def test_a_champion_is_followed_and_only_its_own_trend_is_made_anew(desk, predictor, count):
    predictor.refresh()
    desk.promote_trend()
    predictor.refresh()
    assert count == [UP, DOWN, UP]
    assert predictor.all_served()[UP].forecast.served_by == "toy"


def test_a_shelved_version_changes_nobody_who_answers_and_is_shown(desk, predictor):
    desk.promote_trend()
    predictor.refresh()
    desk.shelve_trend(model=ToyTrendModel(intercept=3.0), changes=UNPROVEN)
    predictor.refresh()
    made = predictor.all_served()[UP].forecast
    assert (made.served_by, made.model_version) == ("toy", 1)
    assert (made.challenger.version, made.challenger.is_proven) == (2, False)
    assert made.challenger.probability > made.probability


def test_a_broken_champion_is_refused_and_the_old_one_stays(desk, predictor):
    desk.promote_trend()
    predictor.refresh()
    version = desk.promote_trend()
    (desk.shelf.folder(str(UP), version) / "model.onnx").write_bytes(b"broken")
    predictor.refresh()
    assert predictor.all_served()[UP].forecast.model_version == 1
    assert "SHA-256 differs" in predictor.champions.refusal(str(UP))


def test_a_broken_version_that_does_not_serve_hinders_nobody(desk, predictor):
    desk.promote_trend()
    version = desk.shelve_trend()
    (desk.shelf.folder(str(UP), version) / "golden.npz").unlink()
    made = predictor.all_served()[UP].forecast
    assert (made.served_by, made.model_version, made.challenger) == ("toy", 1, None)
    assert predictor.champions.refusal(str(UP)) is None


def test_a_model_of_other_indicators_is_refused_and_the_baseline_answers(desk, predictor):
    desk.promote_trend(changes={"features": ("7_day_ADX", "moon_phase")})
    predictor.refresh()
    assert "other indicators" in predictor.champions.refusal(str(UP))
    assert predictor.all_served()[UP].forecast.served_by == "random_walk"


def test_a_short_history_is_named_and_keeps_nobody_else_from_a_trend(desk, predictor):
    desk.add_days(daily_candles(60), ADA)
    assert set(predictor.all_served()) == {UP, DOWN}
    says = "ADA/USDT 1d: a trend forecast needs 250 candles, found 60; run `mur fetch ADA/USDT"
    assert all(str(error).startswith(says) for error in predictor.problems().values())
    assert len(predictor.problems()) == 2


def test_a_constant_price_has_finite_trends(empty_desk):
    days = daily_candles().with_columns(open=1.0, high=1.0, low=1.0, close=1.0, volume=0.0)
    served = TrendPredictor(empty_desk.add_days(days).view).all_served()
    assert {name: 0 < one.forecast.probability < 1 for name, one in served.items()} == {UP: True, DOWN: True}


def test_a_model_whose_candles_are_gone_is_named_with_the_way_out(desk, predictor):
    desk.shelve_trend(symbol="ADA/USDT")
    predictor.refresh()
    (problem,) = predictor.problems().values()
    assert str(problem) == "ADA/USDT 1d: no candles are stored; run `mur fetch ADA/USDT --timeframe 1d`"


def test_an_unknown_coin_is_named(predictor):
    with pytest.raises(UnknownNameError, match="ADA/USDT 4h: no candles are stored"):
        predictor.served(trend_names(ADA, Timeframe("4h")))


def test_a_trend_whose_candles_were_removed_is_gone(desk, predictor):
    predictor.refresh()
    for part in (desk.root / "candles").rglob("*.parquet"):
        part.unlink()
    predictor.refresh()
    assert predictor.all_served() == {}


def test_the_thread_follows_by_itself(desk):
    predictor = TrendPredictor(desk.view, poll_seconds=0.01)
    predictor.start()
    desk.promote_trend()
    for _ in range(500):
        if predictor.all_served()[UP].forecast.served_by == "toy":
            break
        threading.Event().wait(0.01)
    predictor.stop()
    assert predictor.all_served()[UP].forecast.served_by == "toy"


def test_what_stands_in_the_journal_is_what_is_answered(desk, database):
    journal = Journal(database, desk.view.market)
    predictor = TrendPredictor(desk.view, journal=journal)
    computed = predictor.all_served()[UP]
    assert not computed.is_recorded
    written = replace(computed.forecast, probability=0.123)
    now = desk.view.clock.now()
    record_sheets(journal, [trend_sheet(written, "f" * 64)], now)
    predictor.refresh()
    served = predictor.all_served()
    assert (served[UP].forecast.probability, served[UP].is_recorded) == (0.123, True)
    assert not served[DOWN].is_recorded


def test_a_record_of_another_version_is_not_answered(desk, database):
    journal = Journal(database, desk.view.market)
    predictor = TrendPredictor(desk.view, journal=journal)
    written = replace(predictor.all_served()[UP].forecast, probability=0.123)
    record_sheets(journal, [trend_sheet(written, "f" * 64)], desk.view.clock.now())
    desk.promote_trend()
    predictor.refresh()
    assert predictor.all_served()[UP].forecast.served_by == "toy"
    assert not predictor.all_served()[UP].is_recorded
