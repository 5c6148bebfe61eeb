"""Features as inputs: one that knows something changes the forecast, fitted, exported and served."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from make_us_rich.errors import DataError, ExperimentError, UnknownNameError
from make_us_rich.evaluation.evidence import skill
from make_us_rich.features.feature import Feature
from make_us_rich.features.feature_set import FEATURES
from make_us_rich.features.inputs import read_columns, read_inputs
from make_us_rich.features.market_volatility import market_frame
from make_us_rich.market.candle import as_full_candles
from make_us_rich.market.snapshot import Origin, Snapshot, take_snapshot, with_columns
from make_us_rich.models.price_graph import PriceGraph
from make_us_rich.models.quantiles import NAIVE_BASELINES
from make_us_rich.testing import check_feature
from make_us_rich.training.fits import Occasion
from make_us_rich.training.price.drafting import build_artifact, fit_final
from make_us_rich.training.price.experiment import preset_experiment
from make_us_rich.training.price.reproduction import reproduce
from make_us_rich.training.price.trial import Trial, run_trial
from price_desk import current_forecast
from trial_desk import BTC, HOUR, START, TrialDesk

SMALL_LSTM = {"window": 4, "hidden": 4, "epochs": 1, "batch_size": 512}
N_CANDLES = 7300


def foretold_candles() -> pl.DataFrame:
    """Hours whose volatility is told an hour before, in `quote_volume`, and by nothing else."""
    numbers = np.random.default_rng(5)
    ahead = numbers.normal(0, 1, N_CANDLES + 1)
    volatility = 0.004 * np.exp(0.6 * ahead[:-1])
    close = 100 * np.exp(np.cumsum(volatility * numbers.normal(0, 1, N_CANDLES)))
    before = np.concatenate([[100.0], close[:-1]])
    wick = np.exp(0.5 * volatility * np.abs(numbers.normal(0, 1, (2, N_CANDLES))))
    times = pl.datetime_range(START, START + (N_CANDLES - 1) * HOUR.duration, "1h", eager=True)
    frame = {
        "open_time": times,
        "open": before,
        "high": np.maximum(before, close) * wick[0],
        "low": np.minimum(before, close) / wick[1],
        "close": close,
        "volume": np.ones(N_CANDLES),
        "quote_volume": np.exp(ahead[1:]),
    }
    return as_full_candles(pl.DataFrame(frame))


def log_turnover(candles: pl.DataFrame, _) -> pl.DataFrame:
    value = pl.col("quote_volume").log()
    return candles.select(value.alias("last"), value.rolling_mean(3).alias("mean3"))


TURNOVER = Feature(log_turnover, reads=("quote_volume",), warm_up=3)


@dataclass(frozen=True)
class Trained:
    trial: Trial
    snapshot: Snapshot
    graph: PriceGraph
    desk: TrialDesk


@pytest.fixture(scope="module")
def offered() -> Iterator[None]:
    with FEATURES.offering("turnover", TURNOVER):
        yield


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    now = START + N_CANDLES * HOUR.duration
    return take_snapshot(foretold_candles(), BTC, HOUR, origin=Origin("replay", "recorded"), now=now)


@pytest.fixture(scope="module")
def trained(offered, snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    experiment = preset_experiment("blend", "BTC/USDT", lstm=SMALL_LSTM, inputs=["turnover", "calendar"])
    trial = run_trial(experiment, snapshot)
    fitted = fit_final(trial)
    draft = build_artifact(trial, fitted, Occasion(snapshot, snapshot.data_end))
    serving = ["blend" if v.served_by in NAIVE_BASELINES else v.served_by for v in trial.verdicts]
    graph = PriceGraph(HOUR, fitted, serving, trial.table.inputs).eval()
    desk = TrialDesk(tmp_path_factory.mktemp("desk")).add_candles(foretold_candles())
    desk.clock.moment = snapshot.data_end + timedelta(minutes=1)
    desk.promote(draft)
    return Trained(trial, snapshot, graph, desk)


def artifact_of(desk: TrialDesk):
    name = "price.BTC-USDT.1h"
    return desk.shelf.load(name, desk.shelf.champion(name).version)


def test_the_feature_of_the_test_keeps_the_contract() -> None:
    check_feature(TURNOVER, foretold_candles().head(400), HOUR)


def test_what_a_feature_knows_makes_the_forecast_better(trained: Trained, snapshot: Snapshot) -> None:
    bare = run_trial(preset_experiment("blend", "BTC/USDT", lstm=SMALL_LSTM), snapshot).walk.backtest
    with_feature = trained.trial.walk.backtest
    gain = skill(with_feature.loss("blend")[:, 0], bare.loss("blend")[:, 0])
    assert gain > 0.03, "the volatility of the next hour is told; that of later ones is not"
    np.testing.assert_array_equal(with_feature.quantiles["volatility"], bare.quantiles["volatility"])


def test_the_manifest_names_the_columns_by_feature(trained: Trained) -> None:
    manifest = artifact_of(trained.desk).manifest
    assert [one.name for one in manifest.inputs] == ["open_time_ms", "ohlcv", "columns"]
    assert manifest.activity_columns == (
        "calendar.hour_of_day",
        "calendar.day_of_week",
        "calendar.is_weekend",
        "turnover.last",
        "turnover.mean3",
    )


def served_medians(desk: TrialDesk) -> np.ndarray:
    made = current_forecast(desk, artifact_of(desk), desk.clock.now())
    return np.array([step.quantiles for step in made.steps])


def test_service_computes_what_training_computed(trained: Trained) -> None:
    arrays = trained.trial.candles
    window = np.arange(N_CANDLES - trained.graph.lookback, N_CANDLES)[None]
    with torch.no_grad():
        prices = trained.graph(*map(torch.from_numpy, arrays.at(window))).numpy()[0]
    served = trained.trial.verdicts[0].served_by
    assert served in {"lstm", "blend"}, "the feature is in service at the first horizon"
    np.testing.assert_allclose(served_medians(trained.desk)[0], prices[0], rtol=1e-6)


def desk_with(trained: Trained, root: Path, last: float | None) -> TrialDesk:
    candles = foretold_candles()
    told = (
        pl.when(pl.int_range(pl.len()) == N_CANDLES - 1).then(pl.lit(last)).otherwise(pl.col("quote_volume"))
    )
    desk = TrialDesk(root).add_candles(candles.with_columns(told.alias("quote_volume")))
    desk.clock.moment = trained.desk.clock.moment
    return desk


def spread(quantiles: np.ndarray) -> float:
    return float(np.log(quantiles[0, -1] / quantiles[0, 0]))


def test_what_the_last_candle_tells_changes_the_served_forecast(trained: Trained, tmp_path: Path) -> None:
    artifact = artifact_of(trained.desk)

    def made(root: str, last: float | None) -> float:
        desk = desk_with(trained, tmp_path / root, last)
        forecast = current_forecast(desk, artifact, desk.clock.now())
        return spread(np.array([step.quantiles for step in forecast.steps]))

    calm, wild, missing = made("calm", np.exp(-1.0)), made("wild", np.exp(1.0)), made("missing", None)
    assert wild > 1.5 * calm
    assert calm < missing < wild, "where nobody told it, it is the mean of the rows of the training"


def test_a_version_is_made_again_bit_by_bit(trained: Trained, snapshot: Snapshot) -> None:
    reproduction = reproduce(artifact_of(trained.desk), snapshot, None)
    assert reproduction.is_same_file
    assert reproduction.largest_difference == 0.0


def test_the_importance_of_a_feature_is_measured(trained: Trained) -> None:
    text = (artifact_of(trained.desk).folder / "explain.json").read_text()
    assert '"turnover.last"' in text


def test_a_feature_that_is_no_longer_installed_is_named(trained: Trained) -> None:
    columns = artifact_of(trained.desk).manifest.activity_columns
    candles = foretold_candles().head(50)
    with pytest.raises(
        DataError, match=r"reads turnover.gone, which the features installed here do not give"
    ):
        read_columns(candles, HOUR, (*columns, "turnover.gone"))
    with pytest.raises(UnknownNameError, match="feature 'nowhere' is not known"):
        read_columns(candles, HOUR, ("nowhere.column",))


def test_a_feature_that_fails_is_one_clear_line() -> None:
    def broken(candles: pl.DataFrame, _) -> pl.DataFrame:
        return candles.select(pl.col("funding"))

    with (
        FEATURES.offering("broken", broken),
        pytest.raises(DataError, match=r"feature broken failed \(ColumnNotFoundError: .*funding"),
    ):
        read_inputs(foretold_candles().head(9), HOUR, ("broken",))


def test_an_input_that_says_nothing_is_refused_before_any_fit(offered, snapshot: Snapshot) -> None:
    candles = foretold_candles().with_columns(quote_volume=None)
    origin = Origin("replay", "recorded")
    silent = take_snapshot(candles, BTC, HOUR, origin=origin, now=snapshot.data_end)
    experiment = preset_experiment("lstm", "BTC/USDT", lstm=SMALL_LSTM, inputs=["turnover"])
    with pytest.raises(DataError, match=r"turnover.last, turnover.mean3 says nothing .*; drop `turnover`"):
        run_trial(experiment, silent)


def test_a_feature_reads_the_candles_of_other_symbols(snapshot: Snapshot) -> None:
    def gap(candles: pl.DataFrame, _) -> pl.DataFrame:
        return candles.select((pl.col("close") / pl.col("close@ETH-USDT")).log().alias("log_ratio"))

    theirs = foretold_candles().head(N_CANDLES - 1)
    beside = with_columns(snapshot, market_frame(snapshot.candles["open_time"], {"ETH-USDT": theirs}))
    assert beside.content_hash != snapshot.content_hash
    with FEATURES.offering("gap", Feature(gap, reads=("market_candles",), warm_up=1)):
        assert preset_experiment("lstm", "BTC/USDT", inputs=["gap"]).market == ("ETH/USDT",)
        columns = read_inputs(beside.candles, HOUR, ("gap",)).columns
    assert columns.names == ("gap.log_ratio",)
    assert (columns.values[:-1] == 0).all()
    assert np.isnan(columns.values[-1, 0]), "they have no candle there"


def test_a_feature_of_a_package_is_named_in_an_experiment(install_package) -> None:
    source = (
        "import polars as pl\n"
        "def half(candles, timeframe): return candles.select((pl.col('close') / 2).alias('half_close'))\n"
    )
    install_package("halving", {FEATURES.group: {"half": "halving:half"}}, source)
    assert preset_experiment("lstm", "BTC/USDT", inputs=["half", "trades"]).inputs == ("trades", "half")
    with pytest.raises(ExperimentError, match=r"inputs: .*feature 'halff' is not known; did you mean half\?"):
        preset_experiment("lstm", "BTC/USDT", inputs=["halff"])


def test_a_feature_of_days_is_refused_for_hours() -> None:
    with pytest.raises(ExperimentError, match="trend_indicators is for candles of 1d, found 1h; drop it"):
        preset_experiment("lstm", "BTC/USDT", inputs=["trend_indicators"])
    assert preset_experiment("lstm", "BTC/USDT", inputs=["trend_indicators"], timeframe="1d").inputs
