from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.price.experiment import PriceExperiment, preset_experiment
from make_us_rich.training.price.rivals import compare, served_widths, walk_rival
from make_us_rich.training.price.trial import run_trial
from make_us_rich.training.trained import TrainedModel
from trainings import train_price_model


@pytest.fixture(scope="module")
def old(take) -> Snapshot:
    return take("2025-03-01", "2026-03-01")


@pytest.fixture(scope="module")
def new(take) -> Snapshot:
    return take("2025-03-01", "2026-04-20")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return open_shelf(tmp_path, "replay")


@pytest.fixture
def first(volatility_only, old: Snapshot, shelf: Shelf) -> TrainedModel:
    model = train_price_model(volatility_only, old, shelf, old.data_end)
    assert model.promoted
    return model


def test_a_refresh_on_newer_candles_takes_over_as_often_as_it_is_trained(
    take, volatility_only, new: Snapshot, shelf: Shelf, first: TrainedModel
) -> None:
    second = train_price_model(volatility_only, new, shelf, new.data_end)
    assert second.promoted, second.reasons[0]
    assert second.reasons[0].startswith("promoted: refresh: width ")
    assert shelf.champion(first.name).previous == first.version
    newest = take("2025-03-01", "2026-04-24")
    third = train_price_model(volatility_only, newest, shelf, new.data_end + timedelta(days=4))
    assert third.promoted, third.reasons[0]
    assert [one.kind for one in shelf.decisions(first.name)] == ["first", "refresh", "refresh"]


def test_a_refresh_that_says_something_else_is_kept_back(
    volatility_only, new: Snapshot, shelf: Shelf, first: TrainedModel, monkeypatch
) -> None:
    monkeypatch.setattr("make_us_rich.training.price.trainer.PriceTrainer.widths", lambda *_: np.ones(168))
    second = train_price_model(volatility_only, new, shelf, new.data_end)
    assert not second.promoted
    assert second.reasons[0].startswith("kept back: refresh: width -")
    assert shelf.decisions(first.name)[-1].reasons == second.reasons, "a refusal is stored too"


def test_a_challenge_that_is_not_better_is_kept_back_and_only_one_is_judged_a_week(
    new: Snapshot, shelf: Shelf, first: TrainedModel
) -> None:
    challenger = preset_experiment("volatility", "BTC/USDT", horizons=[1, 2, 4])
    result = train_price_model(challenger, new, shelf, new.data_end)
    assert not result.promoted
    assert result.reasons[0].startswith("kept back: challenge: loss")
    again = train_price_model(challenger, new, shelf, new.data_end + timedelta(days=6))
    assert "a challenge was decided on" in again.reasons[0]
    assert "at most one a week" in again.reasons[0]


def test_a_broken_champion_does_not_stand_in_the_way(
    volatility_only, new: Snapshot, shelf: Shelf, first: TrainedModel
) -> None:
    (shelf.folder(first.name, first.version) / "model.onnx").write_bytes(b"broken")
    second = train_price_model(volatility_only, new, shelf, new.data_end)
    assert second.promoted
    assert "cannot be used" in second.reasons[0]


def test_the_recipe_of_the_champion_is_fitted_in_the_folds_of_the_challenger(
    new: Snapshot, shelf: Shelf, first: TrainedModel
) -> None:
    short = preset_experiment("volatility", "BTC/USDT", horizons=[1, 2])
    trial, champion = run_trial(short, new), shelf.manifest(first.name, first.version)
    comparison = compare(trial, new, champion)
    assert comparison.champion == first.version
    assert len(comparison.own) == len(comparison.theirs) >= 8
    longer = walk_rival(PriceExperiment.model_validate(champion.experiment), new, trial.folds)
    assert set(longer.cutoff_ms) < set(trial.walk.backtest.cutoff_ms), "its targets lie further ahead"
    np.testing.assert_array_equal(longer.fold, trial.walk.backtest.fold[: len(longer)])


def test_the_same_recipe_has_the_same_losses_in_the_same_folds(
    volatility_only, new: Snapshot, shelf: Shelf, first: TrainedModel
) -> None:
    trial = run_trial(volatility_only, new)
    served_by = {str(verdict.horizon): verdict.served_by for verdict in trial.verdicts}
    champion = shelf.manifest(first.name, 1).model_copy(update={"served_by": served_by})
    comparison = compare(trial, new, champion)
    np.testing.assert_array_equal(comparison.own.values, comparison.theirs.values)


def test_a_champion_with_other_horizons_or_an_unknown_recipe_is_left_to_a_person(
    new: Snapshot, shelf: Shelf, first: TrainedModel
) -> None:
    trial = run_trial(preset_experiment("volatility", "BTC/USDT", horizons=[3]), new)
    champion = shelf.manifest(first.name, 1)
    assert "other horizons" in compare(trial, new, champion).refusal
    strange = champion.model_copy(update={"experiment": {"model": "prophet"}})
    assert "cannot be fitted here" in compare(trial, new, strange).refusal


def test_the_widths_are_those_of_who_serves_the_first_horizon(
    new: Snapshot, shelf: Shelf, first: TrainedModel
) -> None:
    artifact = shelf.load(first.name, first.version)
    own = served_widths(artifact.model.forecaster, artifact.manifest, new)
    assert len(own) == 168
    window = new.candles.tail(artifact.manifest.lookback)
    prices = OnnxForecaster(artifact.folder / "model.onnx").quantiles(
        window["open_time"].dt.epoch("ms").to_numpy()[None],
        window.select("open", "high", "low", "close", "volume").to_numpy()[None],
    )[0, 0]
    assert own[-1] == pytest.approx(np.log(prices[11] / prices[1]))
    served_by = artifact.manifest.served_by | {"1": "persistence"}
    naive = artifact.manifest.model_copy(update={"served_by": served_by})
    assert len(served_widths(artifact.model.forecaster, naive, new)) == 168
    assert not np.allclose(served_widths(artifact.model.forecaster, naive, new), own)
