"""Optional inputs, from the experiment to a model that is made again."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from make_us_rich.errors import DataError, ExperimentError
from make_us_rich.features.market_volatility import market_variance
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.market.snapshot import (
    Origin,
    Snapshot,
    save_snapshot,
    take_snapshot,
    with_market_variance,
)
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.fits import Occasion
from make_us_rich.training.price.drafting import build_artifact, fit_final
from make_us_rich.training.price.experiment import PriceExperiment, parse_experiment, preset_experiment
from make_us_rich.training.price.reproduction import reproduce
from make_us_rich.training.price.trial import Trial, run_trial
from make_us_rich.training.price.trial_report import repeat_command
from make_us_rich.training.reproduced import stored_snapshot
from trainings import train_price_model

ALL = ["taker_share", "trades", "market_volatility"]
SMALL_LSTM = {"window": 8, "hidden": 4, "epochs": 1, "batch_size": 512}
SINCE = datetime(2025, 8, 1, tzinfo=UTC)


def hours(folder: Path, pair: str) -> pl.DataFrame:
    candles = pl.read_parquet(folder / "BINANCE" / pair / "1h.parquet")
    return candles.filter(pl.col("open_time") >= SINCE)


@pytest.fixture(scope="module")
def told(candles_folder: Path) -> Snapshot:
    """Real hours with their trades."""
    candles = hours(candles_folder, "BTC-USDT")
    end = candles["open_time"].item(-1) + timedelta(hours=1)
    origin = Origin("replay", "BINANCE")
    return take_snapshot(candles, Symbol("BTC", "USDT"), Timeframe("1h"), origin=origin, now=end)


@pytest.fixture(scope="module")
def snapshot(told: Snapshot, candles_folder: Path) -> Snapshot:
    """The same, with the market's variance."""
    market = [hours(candles_folder, "ETH-USDT")]
    return with_market_variance(told, market_variance(told.candles["open_time"], market))


@pytest.fixture(scope="module")
def experiment() -> PriceExperiment:
    return preset_experiment("blend", "BTC/USDT", lstm=SMALL_LSTM, inputs=ALL)


@pytest.fixture(scope="module")
def trial(experiment: PriceExperiment, snapshot: Snapshot) -> Trial:
    return run_trial(experiment, snapshot)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, trial: Trial, snapshot: Snapshot) -> tuple[Shelf, Artifact]:
    shelf = open_shelf(tmp_path_factory.mktemp("shelf"), "replay")
    draft = build_artifact(trial, fit_final(trial), Occasion(snapshot, snapshot.data_end))
    version = shelf.shelve(draft)
    shelf.promote(draft.manifest.name, version, "better", snapshot.data_end)
    return shelf, shelf.load(draft.manifest.name, version)


def test_inputs_have_one_order_and_are_part_of_the_question() -> None:
    one = preset_experiment("lstm", "BTC/USDT", inputs=["trades", "taker_share"])
    other = preset_experiment("lstm", "BTC/USDT", inputs=["taker_share", "trades"])
    assert one.recipe() == other.recipe() != preset_experiment("lstm", "BTC/USDT").recipe()


def test_the_market_is_that_of_the_other_symbols() -> None:
    assert preset_experiment("lstm", "SOL/USDT", inputs=ALL).market == ("BTC/USDT", "ETH/USDT")
    assert preset_experiment("lstm", "BTC/USDT", inputs=ALL).market == ("ETH/USDT",)
    assert preset_experiment("lstm", "SOL/USDT", inputs=["trades"]).market == ()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("inputs: [trades, trades]", "inputs: .*name each once, found trades, trades"),
        ("inputs: [funding]", "feature 'funding' is not known; there are taker_share, trades"),
        ("inputs: [trades]\nmodel: lstm-original\nhorizons: [1]", "lstm-original reads candles only"),
        ("inputs: [trades]\nmodel: volatility", "volatility reads candles only; drop inputs"),
        ("inputs: [market_volatility]\nmarket_symbols: [btc/usdt]", "market_symbols other than BTC/USDT"),
    ],
)
def test_inputs_that_make_no_sense_are_refused_by_name(text: str, finding: str) -> None:
    with pytest.raises(ExperimentError, match=finding):
        parse_experiment(f"symbol: BTC/USDT\n{text}\n", "my.yaml")


def test_the_hash_of_a_snapshot_covers_the_market(told: Snapshot, snapshot: Snapshot) -> None:
    assert snapshot.content_hash != told.content_hash
    changed = snapshot.candles[MARKET_VARIANCE] * (1 + 1e-12)
    assert with_market_variance(told, changed).content_hash != snapshot.content_hash


@pytest.mark.parametrize(
    ("column", "finding"),
    [
        (pl.lit(None), "BTC/USDT 1h from BINANCE tells no trades; drop `trades` from inputs"),
        (pl.when(pl.int_range(pl.len()) > 9).then("trades"), "tells trades only from 2025-08-01 10:00 on"),
        (pl.when(pl.int_range(pl.len()) % 50 != 7).then("trades"), r"131 of 6\d+ candles tell no trades"),
    ],
)
def test_what_a_source_does_not_tell_is_refused_before_any_fit(
    column: pl.Expr, finding: str, told: Snapshot, tmp_path: Path
) -> None:
    candles = told.candles.drop("filled").with_columns(trades=column)
    origin = Origin("replay", "BINANCE")
    untold = take_snapshot(candles, told.symbol, told.timeframe, origin=origin, now=told.data_end)
    seen: list[object] = []
    experiment = preset_experiment("lstm", "BTC/USDT", lstm=SMALL_LSTM, inputs=["trades"])
    with pytest.raises(DataError, match=finding):
        train_price_model(
            experiment, untold, open_shelf(tmp_path, "replay"), told.data_end, lambda *p: seen.append(p)
        )
    assert not seen


def test_the_regression_that_is_the_yardstick_is_the_same_with_and_without(
    trial: Trial, snapshot: Snapshot
) -> None:
    bare = run_trial(preset_experiment("lstm", "BTC/USDT", lstm=SMALL_LSTM), snapshot)
    np.testing.assert_array_equal(trial.walk.residuals["volatility"], bare.walk.residuals["volatility"])


def test_no_fold_knows_what_was_traded_after_it(
    trial: Trial, experiment: PriceExperiment, snapshot: Snapshot
) -> None:
    end = trial.folds[2].test_start
    later = pl.int_range(pl.len()) >= end
    other = snapshot.candles.with_columns(
        pl.when(later).then(pl.col(name) * 0.5).otherwise(pl.col(name)).cast(snapshot.candles[name].dtype)
        for name in ("trades", "taker_buy_base", MARKET_VARIANCE)
    )
    changed = with_market_variance(
        take_snapshot(
            other.drop("filled"),
            snapshot.symbol,
            snapshot.timeframe,
            origin=Origin("replay", "BINANCE"),
            now=snapshot.data_end,
        ),
        other[MARKET_VARIANCE],
    )
    residuals = run_trial(experiment, changed).walk.residuals["blend"]
    np.testing.assert_array_equal(residuals[:end], trial.walk.residuals["blend"][:end])
    assert not np.array_equal(residuals, trial.walk.residuals["blend"], equal_nan=True)


def test_the_artifact_says_what_it_reads(trained) -> None:
    _, artifact = trained
    manifest = artifact.manifest
    assert set(manifest.served_by.values()) - {"volatility"}, "otherwise it reads candles only"
    assert [one.name for one in manifest.inputs] == ["open_time_ms", "ohlcv", "columns"]
    assert manifest.inputs[2].shape == ("batch", manifest.lookback, 3)
    assert manifest.activity_columns == ("taker_buy_base", "trades", "market_variance")
    assert manifest.market_symbols == ("ETH/USDT",)
    with np.load(artifact.folder / "golden.npz") as golden:
        assert golden["columns"].shape == (8, manifest.lookback, 3)


def test_the_importance_of_every_input_is_measured(trained) -> None:
    _, artifact = trained
    names = {item["name"] for item in json.loads((artifact.folder / "explain.json").read_text())["inputs"]}
    assert names >= {"trades_deviation_span24", "taker_one_sidedness", "market_volatility_week"}


def test_a_model_with_inputs_is_made_again_from_its_snapshot(trained, snapshot: Snapshot, tmp_path) -> None:
    _, artifact = trained
    save_snapshot(snapshot, tmp_path)
    reproduction = reproduce(artifact, stored_snapshot(tmp_path, artifact.manifest))
    assert reproduction.is_same_file
    assert (reproduction.largest_difference, reproduction.differences) == (0.0, ())


def test_a_challenger_without_its_inputs_is_not_compared_with_the_champion(trained, told: Snapshot) -> None:
    shelf, artifact = trained
    result = train_price_model(
        preset_experiment("volatility", "BTC/USDT"), told, shelf, told.data_end + timedelta(days=30)
    )
    assert not result.promoted
    assert "the champion reads market_variance, which these candles do not have" in result.reasons[0]
    assert shelf.champion(result.name).version == artifact.manifest.version


def test_where_only_the_regression_serves_nothing_more_is_asked_for(trial: Trial, snapshot: Snapshot) -> None:
    plain = replace(trial, verdicts=tuple(replace(v, served_by="volatility") for v in trial.verdicts))
    draft = build_artifact(plain, fit_final(plain), Occasion(snapshot, snapshot.data_end))
    assert (draft.manifest.activity_columns, draft.manifest.market_symbols) == ((), ())


def test_the_report_names_a_command_that_asks_the_same_question(
    experiment: PriceExperiment, told: Snapshot
) -> None:
    assert repeat_command(experiment, told).startswith(
        "mur backtest EXPERIMENT.yaml --market replay --since "
    )
    preset = preset_experiment("blend", "BTC/USDT")
    assert repeat_command(preset, told).startswith("mur backtest BTC/USDT --timeframe 1h --preset blend ")
