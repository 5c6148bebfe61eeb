from dataclasses import replace
from pathlib import Path

import pytest

from make_us_rich.errors import ExperimentError, StoreError
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.snapshot import save_snapshot
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft
from make_us_rich.training.price.reproduction import compare_with, reproduce
from make_us_rich.training.reproduced import stored_snapshot
from trainings import train_price_model

NAME = "price.BTC-USDT.1h"


@pytest.fixture(scope="module")
def snapshot(take):
    return take("2025-09-01")


@pytest.fixture
def toy(tmp_path: Path):
    shelf = open_shelf(tmp_path, "replay")
    return shelf.load(NAME, shelf.shelve(toy_draft()))


@pytest.mark.parametrize("recipe", ["volatility_only", "small_lstm"])
def test_a_model_trained_again_from_its_snapshot_says_the_same(recipe, snapshot, tmp_path, request) -> None:
    shelf = open_shelf(tmp_path / "shelf", "replay")
    save_snapshot(snapshot, tmp_path / "snapshots")
    result = train_price_model(request.getfixturevalue(recipe), snapshot, shelf, snapshot.data_end)
    artifact = shelf.load(NAME, result.version)
    reproduction = reproduce(artifact, stored_snapshot(tmp_path / "snapshots", artifact.manifest))
    assert reproduction.is_reproduced
    assert reproduction.is_same_file
    assert (reproduction.largest_difference, reproduction.differences) == (0.0, ())
    assert shelf.versions(NAME) == [result.version], "nothing was shelved"


def test_other_outputs_are_a_difference_with_its_size(toy) -> None:
    reproduction = compare_with(toy, toy_draft(model=ToyPriceModel(spread=0.011)))
    assert not reproduction.is_reproduced
    assert not reproduction.is_same_file
    assert reproduction.largest_difference > 1e-6
    assert "golden windows differ by up to" in reproduction.differences[0]


def test_another_file_with_the_same_numbers_is_reproduced(toy) -> None:
    reproduction = compare_with(toy, toy_draft(model=ToyPriceModel(hidden=4)))
    assert reproduction.is_reproduced
    assert not reproduction.is_same_file


def test_another_forecaster_or_lookback_is_a_difference_in_words(toy) -> None:
    served_by = dict(toy.manifest.served_by) | {"24": "persistence"}
    draft = toy_draft(model=ToyPriceModel(lookback=50), changes={"served_by": served_by})
    reproduction = compare_with(toy, draft)
    assert "lookback: 48 then, 50 now" in reproduction.differences
    assert any(text.endswith("24 persistence now") for text in reproduction.differences)
    assert reproduction.largest_difference is None


def test_libraries_with_another_version_are_listed(toy) -> None:
    draft = toy_draft(changes={"library_versions": {"onnx": "0.1", "torch": "2"}, "code_version": "9"})
    libraries = compare_with(toy, draft).libraries
    assert libraries["make-us-rich"] == ("0.1.0", "9")
    assert libraries["onnx"][1] == "0.1"
    assert libraries["torch"] == ("none", "2")


def test_without_its_snapshot_a_model_cannot_be_made_again(toy, tmp_path) -> None:
    with pytest.raises(
        StoreError, match=r"price.BTC-USDT.1h@1: its candles, snapshot 000000000000…, are not in"
    ):
        stored_snapshot(tmp_path, toy.manifest)


def test_an_experiment_of_another_version_is_named(toy, snapshot) -> None:
    with pytest.raises(ExperimentError, match=r"not one this version knows .*reproduce it there"):
        reproduce(toy, snapshot)


def test_the_comparison_uses_the_shelved_golden_outputs_and_not_the_new_ones(toy) -> None:
    draft = toy_draft(model=ToyPriceModel(spread=0.02))
    kept = replace(
        draft, payloads=dict(draft.payloads) | {"golden.npz": (toy.folder / "golden.npz").read_bytes()}
    )
    assert not compare_with(toy, kept).is_reproduced
