from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.errors import DataError, ForecastUnavailableError, GapError, NotEnoughHistoryError
from make_us_rich.forecasting.forecast import ForecastStep
from make_us_rich.forecasting.price.artifact import VOLATILITY_FILE
from make_us_rich.forecasting.price.forecast import Forecasters, price_forecast, yardstick_steps
from make_us_rich.market.candle import CandleArrays
from make_us_rich.models.baselines import baseline_quantiles
from make_us_rich.models.quantiles import HORIZONS
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.registry.model_name import ModelName
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from price_desk import current_forecast
from trial_desk import BTC, END, HOUR, START, TrialDesk, hourly_candles

NAME = ModelName("price", BTC, HOUR)
REGRESSION = ToyPriceModel(spread=0.03, lookback=72)


@pytest.fixture
def candles():
    return CandleArrays.from_frame(hourly_candles())


@pytest.fixture
def champion(shelf):
    """Shelve a draft and load it."""

    def shelve_and_load(draft):
        return shelf.load(draft.manifest.name, shelf.shelve(draft))

    return shelve_and_load


def persistence(candles):
    return {"persistence": baseline_quantiles("persistence", candles.ohlcv[:, 3], HOUR)}


def forecast(candles, champion=None, market="live", cutoff=END):
    return price_forecast(NAME, cutoff, candles, Forecasters(market, champion, persistence(candles)))


def test_without_a_champion_persistence_answers_everywhere_and_says_so(candles):
    made = forecast(candles)
    assert [step.horizon for step in made.steps] == list(HORIZONS)
    assert {(step.served_by, step.is_baseline, step.median) for step in made.steps} == {
        ("persistence", True, made.last_close)
    }
    assert (made.market, made.version) == ("live", None)


def test_targets_lie_their_horizon_after_the_cutoff(candles):
    made = forecast(candles)
    assert [step.target_time for step in made.steps] == [
        END + timedelta(hours=h) for h in (1, 2, 4, 8, 12, 24)
    ]


def test_a_champion_answers_with_its_quantiles(candles, champion):
    made = price_forecast(NAME, END, candles, Forecasters("replay", champion(toy_draft()), {}))
    expected = made.last_close * ToyPriceModel().factors
    np.testing.assert_allclose([step.quantiles for step in made.steps], expected, rtol=1e-12)
    assert {(step.served_by, step.is_baseline, step.version) for step in made.steps} == {("toy", False, 1)}
    assert made.version == 1


def test_a_horizon_the_champion_has_not_earned_is_answered_by_its_baseline(candles, champion):
    served_by = {"1": "toy", "2": "toy", "4": "volatility", "8": "toy", "12": "persistence", "24": "toy"}
    made = forecast(candles, champion(toy_draft(changes={"served_by": served_by})))
    assert {str(step.horizon): step.served_by for step in made.steps} == served_by
    assert [step.horizon for step in made.steps if step.is_baseline] == [12]
    quantiles = made.last_close * np.exp(persistence(candles)["persistence"][4])
    np.testing.assert_allclose(made.steps[4].quantiles, quantiles)


def test_candles_that_do_not_end_at_the_cutoff_are_a_mistake_of_the_caller(candles):
    with pytest.raises(ValueError, match="not at the cutoff"):
        forecast(candles, cutoff=END - timedelta(hours=1))


def test_a_champion_needs_its_lookback(champion):
    short = CandleArrays.from_frame(hourly_candles(END - timedelta(hours=47), END))
    with pytest.raises(NotEnoughHistoryError, match="needs 48 candles, found 47"):
        price_forecast(NAME, END, short, Forecasters("replay", champion(toy_draft()), {}))


def test_an_answer_that_is_no_distribution_is_not_served(candles, champion):
    upside_down = champion(toy_draft(model=ToyPriceModel(spread=-0.01)))
    with pytest.raises(ForecastUnavailableError, match="no distribution"):
        price_forecast(NAME, END, candles, Forecasters("replay", upside_down, {}))


# -- from stored candles -----------------------------------------------------------------------------


def test_a_forecast_knows_nothing_that_closed_after_now(desk):
    now = END - timedelta(days=5, minutes=-7)
    made = current_forecast(desk, None, now)
    assert made.cutoff == END - timedelta(days=5)
    without_future = TrialDesk(desk.root / "cut").add_candles(hourly_candles().head(95 * 24))
    assert current_forecast(without_future, None, now) == made


def test_the_cutoff_is_the_close_of_the_last_stored_candle_when_the_source_is_away(desk):
    assert current_forecast(desk, None, END + timedelta(days=20)).cutoff == END


def test_missing_candles_are_filled(empty_desk):
    holes = hourly_candles().filter(
        ~pl.col("open_time").is_in([END - timedelta(hours=30), END - timedelta(hours=500)])
    )
    empty_desk.add_candles(holes)
    assert current_forecast(empty_desk).cutoff == END


def test_a_forecast_is_not_made_from_candles_that_are_mostly_invented(empty_desk):
    time = pl.col("open_time")
    empty_desk.add_candles(
        hourly_candles().filter((time < END - timedelta(hours=10)) | (time >= END - timedelta(hours=4)))
    )
    with pytest.raises(GapError, match="missing"):
        current_forecast(empty_desk)


def test_a_forecast_is_not_made_from_impossible_candles(empty_desk):
    broken = pl.when(pl.col("open_time") == END - timedelta(hours=2)).then(-1.0).otherwise(pl.col("close"))
    empty_desk.add_candles(hourly_candles().with_columns(close=broken))
    with pytest.raises(DataError, match="impossible"):
        current_forecast(empty_desk)


def test_too_little_history_is_said_in_one_line(empty_desk):
    empty_desk.add_candles(hourly_candles(START, START + timedelta(days=30)))
    with pytest.raises(NotEnoughHistoryError, match=r"needs .* found 720; fetch more"):
        current_forecast(empty_desk)


def test_real_candles_are_forecast_from_their_last_close(empty_desk, bitcoin_hours):
    empty_desk.add_candles(bitcoin_hours)
    now = bitcoin_hours["open_time"][-1] + timedelta(hours=1, minutes=5)
    made = current_forecast(empty_desk, None, now)
    assert (made.cutoff, made.last_close) == (now - timedelta(minutes=5), bitcoin_hours["close"][-1])
    widths = [step.quantiles[-1] - step.quantiles[0] for step in made.steps]
    assert widths == sorted(widths), "the further the target, the wider the interval"


# -- yardsticks --------------------------------------------------------------------------------------


def with_regression():
    draft = toy_draft()
    return ArtifactDraft(draft.manifest, {**draft.payloads, VOLATILITY_FILE: REGRESSION.to_onnx()})


@pytest.fixture
def beside(champion, candles):
    """What the yardsticks say beside a draft, of which the last days of candles are given."""

    def say(draft, days=30):
        artifact = champion(draft) if draft else None
        known = CandleArrays.from_frame(hourly_candles().tail(days * 24))
        forecasters = Forecasters("replay", artifact, persistence(candles))
        made = price_forecast(NAME, END, known, forecasters)
        return yardstick_steps(made, known, forecasters), made

    return say


def test_persistence_stands_beside_every_horizon(beside, candles):
    said, made = beside(toy_draft())
    expected = made.last_close * np.exp(persistence(candles)["persistence"])
    np.testing.assert_allclose([step.quantiles for step in said["persistence"]], expected)
    assert {(step.served_by, step.is_baseline) for step in said["persistence"]} == {("persistence", True)}
    assert [step.target_time for step in said["persistence"]] == [step.target_time for step in made.steps]


def test_a_regression_that_came_with_the_model_speaks_beside_it(beside):
    said, made = beside(with_regression())
    for row, step in enumerate(said["volatility"]):
        assert (step.version, step.missing) == (1, None)
        assert step.quantiles == pytest.approx(made.last_close * REGRESSION.factors[row])


def test_a_model_that_is_the_regression_speaks_for_itself(beside):
    served_by = {"1": "volatility", "2": "volatility", "4": "volatility", "8": "volatility"}
    served_by |= {"12": "volatility", "24": "persistence"}
    said, made = beside(toy_draft(changes={"model": "volatility", "served_by": served_by}))
    steps: tuple[ForecastStep, ...] = said["volatility"]
    assert [step.missing for step in steps] == [None] * 6
    assert steps[0].quantiles == made.steps[0].quantiles
    assert steps[5].quantiles != made.steps[5].quantiles
    assert np.all(np.diff(steps[5].quantiles) > 0)


@pytest.mark.parametrize(
    ("draft", "days", "words"),
    [
        (None, 30, "no model is served"),
        (toy_draft(), 30, "shelved without its volatility regression"),
        (with_regression(), 2, "needs 72 candles, found 48"),
    ],
)
def test_what_cannot_be_said_is_missing_and_says_why(beside, draft, days, words):
    said, _ = beside(draft, days)
    for step in said["volatility"]:
        assert (step.quantiles, step.version) == (None, None)
        assert words in step.missing
