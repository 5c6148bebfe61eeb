"""Forecasts of a champion that reads more than candles."""

import io
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.errors import ForecastUnavailableError
from make_us_rich.features.market_volatility import market_variance
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.price.kind import price_name
from make_us_rich.market.symbol import Symbol
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from price_desk import SERIES, current_forecast
from trial_desk import END, TrialDesk, hourly_candles

ETHER = Symbol("ETH", "USDT")
NAME = price_name(SERIES)
COLUMNS = ("taker_buy_base", "market_variance")


@pytest.fixture
def promote(empty_desk):
    """Promote a toy that multiplies by the last value of the last column it reads, and load it."""

    def promote(*columns):
        version = empty_desk.promote(toy_draft(model=ToyPriceModel(activity=columns)))
        return empty_desk.shelf.load(str(NAME), version)

    return promote


@pytest.fixture
def told_desk(empty_desk, with_trades):
    return empty_desk.add_candles(with_trades(hourly_candles()))


@pytest.fixture
def new_told_desk(tmp_path, with_trades):
    """Another desk with the same candles of BTC, and what is asked for beside them."""

    def build(name, market_seed=1, more_taker_buy=0.0):
        told = with_trades(hourly_candles()).with_columns(pl.col("taker_buy_base") + more_taker_buy)
        return (
            TrialDesk(tmp_path / name).add_candles(told).add_candles(hourly_candles(seed=market_seed), ETHER)
        )

    return build


def multiple(made):
    return made.steps[0].median / made.last_close


def test_what_was_traded_reaches_the_model(told_desk, promote):
    made = current_forecast(told_desk, promote("taker_buy_base", "trades"))
    assert multiple(made) == pytest.approx(1000 + 100 * 24 - 1), "the trades of the last candle"


def test_an_artifact_of_version_0_1_0_is_still_loaded_and_served(told_desk):
    draft = toy_draft(model=ToyPriceModel(activity=("trades",), column_input="activity"))
    with np.load(io.BytesIO(draft.payloads["golden.npz"])) as golden:
        arrays = {{"columns": "activity"}.get(name, name): golden[name] for name in golden.files}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    version = told_desk.promote(replace(draft, payloads={**draft.payloads, "golden.npz": buffer.getvalue()}))
    artifact = told_desk.shelf.load(str(NAME), version)
    assert artifact.manifest.inputs[2].name == "activity"
    assert multiple(current_forecast(told_desk, artifact)) == pytest.approx(3399)


def test_the_market_reaches_the_model_as_it_was_at_the_cutoff(told_desk, promote):
    ether = hourly_candles(seed=1)
    told_desk.add_candles(ether, ETHER)
    made = current_forecast(told_desk, promote(*COLUMNS), END - timedelta(hours=7))
    expected = market_variance(ether["open_time"], [ether])[-8]
    np.testing.assert_allclose(multiple(made), expected, rtol=1e-12)


def test_the_hash_of_the_inputs_covers_the_activity_and_the_market(told_desk, promote, new_told_desk):
    def hash_of(desk):
        return current_forecast(desk, champion).input_hash

    champion = promote(*COLUMNS)
    told_desk.add_candles(hourly_candles(seed=1), ETHER)
    known = hash_of(told_desk)
    assert known == hash_of(new_told_desk("same"))
    assert known != hash_of(new_told_desk("market", market_seed=2))
    assert known != hash_of(new_told_desk("activity", more_taker_buy=1.0))


def test_a_source_that_tells_no_trades_is_refused_in_one_line(desk, promote):
    with pytest.raises(
        ForecastUnavailableError,
        match="the model reads trades, which is told of 0 of its 48 candles, not of the last one",
    ):
        current_forecast(desk, promote("trades"))


@pytest.mark.parametrize("late", [1, 30, 2400])
def test_a_market_that_is_late_is_not_made_up(told_desk, promote, late):
    told_desk.add_candles(hourly_candles(seed=1).head(2400 - late), ETHER)
    with pytest.raises(ForecastUnavailableError, match=r"reads market_variance, .* not of the last one"):
        current_forecast(told_desk, promote(*COLUMNS))


@pytest.mark.parametrize("hours", [2, 48])
def test_one_missing_candle_of_the_market_is_that_before_it(told_desk, promote, hours):
    ether = hourly_candles(seed=1)
    hole = END - timedelta(hours=hours)
    told_desk.add_candles(ether.filter(pl.col("open_time") != hole), ETHER)
    assert current_forecast(told_desk, promote(*COLUMNS)).cutoff == END


def test_a_forecast_that_waits_for_the_market_is_made_when_it_comes(told_desk, promote):
    promote(*COLUMNS)
    board = Board(told_desk.view)
    told_desk.add_candles(hourly_candles(seed=1).head(2399), ETHER)
    board.refresh()
    assert board.served(NAME) is None
    assert "not of the last one" in str(board.problems()[NAME])
    told_desk.add_candles(hourly_candles(seed=1), ETHER)
    board.refresh()
    assert board.served(NAME).forecast.cutoff == END
    assert NAME not in board.problems()


def test_an_input_this_version_does_not_know_is_refused_with_the_artifact(promote):
    with pytest.raises(ValueError, match="activity names funding, which this version does not know"):
        promote("funding")
