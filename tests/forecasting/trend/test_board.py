"""Trends on the board: what is theirs alone, beside `forecasting/test_board.py`."""

import threading
from dataclasses import replace

import pytest

from make_us_rich.errors import ArtifactError, UnknownNameError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.trend import kind as trend_kind
from make_us_rich.forecasting.trend.kind import TREND_KINDS
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import JournalRecords
from make_us_rich.journal.record import record_forecasts
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName
from make_us_rich.registry.shelf import CHAMPION_FILE, Champion
from make_us_rich.testing.trend_artifacts import ToyTrendModel
from trend_desk import ADA, DAY, DOWN, END, SOL, UP, daily_candles

UNPROVEN = {"served_by": "random_walk"}


@pytest.fixture
def board(desk):
    return Board(desk.view)


@pytest.fixture
def made(monkeypatch):
    """Notes the name of every trend that is computed."""
    names = []
    real = trend_kind.trend_forecast

    def noting(name, *arguments):
        names.append(name)
        return real(name, *arguments)

    monkeypatch.setattr(trend_kind, "trend_forecast", noting)
    return names


def trends(board):
    board.refresh()
    return {name: served.forecast for name, served in board.all_served(TREND_KINDS).items()}


def answering(board, name=UP):
    (step,) = trends(board)[name].steps
    return step


def test_every_daily_series_has_an_up_and_a_down_trend(desk, board):
    desk.add_days(daily_candles(seed=1), ADA)
    assert [str(name) for name in trends(board)] == [
        "trend-down.ADA-USDT.1d",
        "trend-down.SOL-USDT.1d",
        "trend-up.ADA-USDT.1d",
        "trend-up.SOL-USDT.1d",
    ]


def test_hourly_series_have_none_unless_a_model_was_shelved(empty_desk):
    empty_desk.add_candles(daily_candles(), SOL)
    board = Board(empty_desk.view)
    assert trends(board) == {}
    name = "trend-up.SOL-USDT.1h"
    empty_desk.shelve_trend(changes={**UNPROVEN, "name": name, "timeframe": "1h"})
    board.refresh()
    assert [str(one) for one in board.problems(TREND_KINDS) | board.all_served(TREND_KINDS)] == [name]


def test_a_trend_is_computed_once_per_closed_candle(desk, board, made):
    for days in (0, 0.5, 0.9):
        desk.wait(days)
        board.refresh()
    assert made == [UP, DOWN]
    desk.add_days(daily_candles(401, END + DAY.duration)[-1:])
    desk.wait(1)
    board.refresh()
    board.refresh()
    assert made == [UP, DOWN, UP, DOWN]
    assert trends(board)[UP].cutoff == END + DAY.duration


def test_while_the_source_is_away_nothing_is_computed_again(desk, board, made):
    for days in (0, 1, 5):
        desk.wait(days)
        board.refresh()
    assert made == [UP, DOWN]


def test_many_who_ask_at_once_share_one_computation(board, made):
    askers = [threading.Thread(target=board.complete) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert made == [UP, DOWN]


def test_a_champion_is_followed_and_only_its_own_trend_is_made_anew(desk, board, made):
    board.refresh()
    desk.promote_trend()
    board.refresh()
    assert made == [UP, DOWN, UP]
    assert answering(board).served_by == "toy"


def test_a_shelved_version_changes_nobody_who_answers_and_is_shown(desk, board):
    desk.promote_trend()
    board.refresh()
    desk.shelve_trend(model=ToyTrendModel(intercept=3.0), changes=UNPROVEN)
    challenger = trends(board)[UP].challenger
    step = answering(board)
    assert (step.served_by, step.version) == ("toy", 1)
    assert (challenger.version, challenger.is_proven) == (2, False)
    assert challenger.probability > step.probability


def test_a_broken_champion_is_refused_and_the_old_one_stays(desk, board):
    desk.promote_trend()
    board.refresh()
    version = desk.promote_trend()
    (desk.shelf.folder(str(UP), version) / "model.onnx").write_bytes(b"broken")
    assert answering(board).version == 1
    assert "SHA-256 differs" in board.champions.refusal(str(UP))


def test_a_broken_version_that_does_not_serve_hinders_nobody(desk, board):
    desk.promote_trend()
    version = desk.shelve_trend()
    (desk.shelf.folder(str(UP), version) / "golden.npz").unlink()
    made = trends(board)[UP]
    assert (made.steps[0].served_by, made.version, made.challenger) == ("toy", 1, None)
    assert board.champions.refusal(str(UP)) is None


def test_a_model_of_other_indicators_is_refused_and_the_baseline_answers(desk, board):
    version = desk.shelve_trend(changes={"features": ("7_day_ADX", "moon_phase")})
    with pytest.raises(ArtifactError, match="other indicators"):
        desk.shelf.promote(str(UP), version, "better", END)
    pointer = Champion(version=version, previous=None, reason="promoted by another release", at=END)
    (desk.shelf.root / str(UP) / CHAMPION_FILE).write_text(pointer.model_dump_json())
    assert answering(board).served_by == "random_walk"
    assert "other indicators" in board.champions.refusal(str(UP))


def test_a_short_history_is_named_and_keeps_nobody_else_from_a_trend(desk, board):
    desk.add_days(daily_candles(60), ADA)
    assert set(trends(board)) == {UP, DOWN}
    says = "ADA/USDT 1d: a trend forecast needs 250 candles, found 60; run `mur fetch ADA/USDT"
    problems = board.problems(TREND_KINDS).values()
    assert all(str(error).startswith(says) for error in problems)
    assert len(problems) == 2


def test_a_constant_price_has_finite_trends(empty_desk):
    days = daily_candles().with_columns(open=1.0, high=1.0, low=1.0, close=1.0, volume=0.0)
    made = trends(Board(empty_desk.add_days(days).view))
    assert {name: 0 < one.steps[0].probability < 1 for name, one in made.items()} == {UP: True, DOWN: True}


def test_a_model_whose_candles_are_gone_is_named_with_the_way_out(desk, board):
    desk.shelve_trend(symbol="ADA/USDT")
    board.refresh()
    (problem,) = board.problems(TREND_KINDS).values()
    assert str(problem) == "ADA/USDT 1d: no candles are stored; run `mur fetch ADA/USDT --timeframe 1d`"


def test_an_unknown_coin_is_named(board):
    with pytest.raises(UnknownNameError, match="ADA/USDT 4h: no candles are stored"):
        board.compute(ModelName("trend-up", ADA, Timeframe("4h")))


def test_a_trend_whose_candles_were_removed_is_gone(desk, board):
    board.refresh()
    for part in (desk.root / "candles").rglob("*.parquet"):
        part.unlink()
    assert trends(board) == {}


def test_the_thread_follows_by_itself(desk):
    board = Board(desk.view, poll_seconds=0.01)
    board.start()
    desk.promote_trend()
    for _ in range(500):
        served = board.served(UP)
        if served and served.forecast.steps[0].served_by == "toy":
            break
        threading.Event().wait(0.01)
    board.stop()
    assert board.served(UP).forecast.steps[0].served_by == "toy"


# -- the journal -------------------------------------------------------------------------------------


@pytest.fixture
def journal(desk, database):
    return Journal(database, desk.view.market)


def write_down(desk, journal, forecast):
    """Write a trend down with a probability nobody would compute."""
    steps = tuple(replace(step, probability=0.123) for step in forecast.steps)
    record_forecasts(journal, [replace(forecast, steps=steps)], desk.view.clock.now())


def test_what_stands_in_the_journal_is_what_is_answered(desk, journal):
    board = Board(desk.view, JournalRecords(journal))
    computed = trends(board)[UP]
    assert not board.served(UP).is_recorded
    write_down(desk, journal, computed)
    assert answering(board).probability == 0.123
    assert board.served(UP).is_recorded
    assert not board.served(DOWN).is_recorded


def test_what_was_written_down_before_the_board_began_is_answered_with_all_that_stands_beside(desk, journal):
    write_down(desk, journal, trends(Board(desk.view))[UP])
    board = Board(desk.view, JournalRecords(journal))
    made = trends(board)[UP]
    assert (made.steps[0].probability, board.served(UP).is_recorded) == (0.123, True)
    assert set(made.yardsticks) == {"base_rate", "momentum", "random_walk"}


def test_a_record_of_another_version_is_not_answered(desk, journal):
    board = Board(desk.view, JournalRecords(journal))
    write_down(desk, journal, trends(board)[UP])
    desk.promote_trend()
    assert answering(board).served_by == "toy"
    assert not board.served(UP).is_recorded
