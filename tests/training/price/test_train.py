import json
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.evaluation.walk_forward import run_walk_forward
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.price_table import build_price_table
from make_us_rich.models.quantiles import BASELINES
from make_us_rich.training.fits import Occasion
from make_us_rich.training.price.drafting import build_artifact, fit_final
from make_us_rich.training.price.experiment import PriceExperiment
from make_us_rich.training.price.trial import Trial, run_trial
from trainings import train_price_model


@pytest.fixture(scope="module")
def snapshot(take) -> Snapshot:
    return take()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, snapshot: Snapshot, small_lstm: PriceExperiment):
    shelf = open_shelf(tmp_path_factory.mktemp("shelf"), "replay")
    return shelf, train_price_model(small_lstm, snapshot, shelf, snapshot.data_end)


def test_a_training_answers_in_the_published_shape(trained) -> None:
    _, result = trained
    answer = json.loads(json.dumps(asdict(result)))
    assert [e["horizon"] for e in answer["evidence"]] == [1, 2, 4, 8, 12, 24]
    for evidence in answer["evidence"]:
        assert set(evidence) == {
            "horizon", "folds", "blocks", "n", "skill", "skill_sd", "p_value", "coverage_90", "coverage_se",
            "served_by",
        }  # fmt: skip
        assert set(evidence["skill"]) == set(evidence["p_value"]) == set(BASELINES)


def test_the_volatility_of_real_hours_is_forecast_and_promoted(trained) -> None:
    shelf, result = trained
    assert result.promoted, result.reasons
    assert shelf.champion(result.name).version == result.version
    assert result.evidence[0].skill["persistence"] > 0.02
    assert result.evidence[0].served_by in {"lstm", "volatility"}


def test_no_level_or_direction_is_claimed(trained) -> None:
    shelf, result = trained
    artifact = shelf.load(result.name, result.version)
    with np.load(artifact.folder / "golden.npz") as golden:
        np.testing.assert_allclose(golden["quantiles"][:, :, 6], golden["ohlcv"][:, -1, 3, None].repeat(6, 1))


def test_the_artifact_holds_what_was_promised(trained, snapshot: Snapshot) -> None:
    shelf, result = trained
    manifest = shelf.load(result.name, result.version).manifest
    assert set(manifest.files) >= {"model.onnx", "golden.npz", "weights.npz", "explain.json"}
    assert "volatility.onnx" in manifest.files
    assert manifest.snapshot.hash == snapshot.content_hash
    assert manifest.data_end == snapshot.data_end
    assert manifest.lookback == 728
    assert set(manifest.evidence) == {*BASELINES, "lstm"}


def test_the_artifact_tells_its_evidence_as_json_as_markdown_and_as_a_page(trained) -> None:
    shelf, result = trained
    artifact = shelf.load(result.name, result.version)
    assert {"report.json", "report.md", "report.html"} <= set(artifact.manifest.files)
    report = json.loads((artifact.folder / "report.json").read_text())
    assert set(report["forecasters"]) == set(artifact.manifest.evidence)
    assert (artifact.folder / "report.md").read_text().startswith("# ")


def test_the_same_snapshot_and_seed_give_the_same_model(trained, snapshot: Snapshot, small_lstm) -> None:
    shelf, result = trained
    trial = run_trial(small_lstm, snapshot)
    draft = build_artifact(trial, fit_final(trial), Occasion(snapshot, snapshot.data_end))
    folder = shelf.folder(result.name, result.version)
    for name in ("model.onnx", "volatility.onnx", "explain.json", "report.json", "report.md", "report.html"):
        assert draft.payloads[name] == (folder / name).read_bytes(), name


def test_training_again_on_the_same_candles_is_kept_back(trained, snapshot: Snapshot, small_lstm) -> None:
    shelf, first = trained
    again = train_price_model(small_lstm, snapshot, shelf, snapshot.data_end + timedelta(days=30))
    assert not again.promoted
    assert "is this experiment on these candles" in again.reasons[0]
    assert shelf.champion(first.name).version == first.version
    assert [d.promoted for d in shelf.decisions(first.name)] == [True, False]


def test_progress_names_what_is_done_and_reaches_the_end(
    snapshot: Snapshot, volatility_only, tmp_path: Path
) -> None:
    seen: list[tuple[str, float]] = []
    shelf = open_shelf(tmp_path, "replay")
    train_price_model(volatility_only, snapshot, shelf, snapshot.data_end, lambda *p: seen.append(p))
    assert [share for _, share in seen] == [*sorted(share for _, share in seen[:-1]), 1.0]
    assert seen[-1][0] == "volatility: all candles"


def test_too_little_history_is_refused_before_any_fit(take, volatility_only, tmp_path: Path) -> None:
    seen: list[object] = []
    short = take("2026-03-01", "2026-04-30")
    with pytest.raises(NotEnoughHistoryError, match="training needs"):
        train_price_model(
            volatility_only, short, open_shelf(tmp_path, "replay"), short.data_end, lambda *p: seen.append(p)
        )
    assert not seen
    assert not open_shelf(tmp_path, "replay").names()


@pytest.fixture(scope="module")
def warm_trial(snapshot: Snapshot, small_lstm: PriceExperiment) -> Trial:
    warm = small_lstm.lstm.model_copy(update={"warm_start": "folds"})
    return run_trial(small_lstm.model_copy(update={"lstm": warm}), snapshot)


def test_a_warm_start_begins_cold_in_the_first_fold_only(
    warm_trial: Trial, snapshot: Snapshot, small_lstm
) -> None:
    cold = run_trial(small_lstm, snapshot).walk.residuals["lstm"]
    for fold in warm_trial.folds:
        rows = slice(fold.test_start, fold.test_end)
        is_same = np.array_equal(cold[rows], warm_trial.walk.residuals["lstm"][rows])
        assert is_same is (fold.index == 0)


def test_no_fold_of_a_warm_start_knows_what_comes_after_it(warm_trial: Trial) -> None:
    table, end = warm_trial.table, warm_trial.folds[2].test_start
    other = table.ohlcv.copy()
    other[end:, :4] *= np.linspace(1.0, 2.0, len(table) - end)[:, None]
    changed = build_price_table(table.open_time_ms, other, table.timeframe, table.horizons)
    walk = run_walk_forward(changed, warm_trial.candidates, warm_trial.folds)
    told = end - max(table.horizons)
    np.testing.assert_array_equal(walk.residuals["lstm"][:told], warm_trial.walk.residuals["lstm"][:told])
    assert not np.array_equal(walk.residuals["lstm"], warm_trial.walk.residuals["lstm"])


def test_the_final_fit_of_a_warm_start_begins_where_the_last_fold_ended(warm_trial: Trial) -> None:
    def correction(*, start: bool) -> np.ndarray:
        trial = warm_trial if start else replace(warm_trial, walk=replace(warm_trial.walk, last_fitted={}))
        return fit_final(trial)["lstm"].model.module.head.weight.numpy()

    assert not np.array_equal(correction(start=True), correction(start=False))
    np.testing.assert_array_equal(correction(start=True), correction(start=True))
