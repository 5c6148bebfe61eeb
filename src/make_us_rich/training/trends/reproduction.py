"""Make a shelved trend model again from its own manifest and snapshot, and compare."""

import hashlib

import numpy as np

from make_us_rich import __version__
from make_us_rich.evaluation.trends.folds import FoldPlan
from make_us_rich.evaluation.trends.table import build_trend_table
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.registry.artifact import (
    GOLDEN_FILE,
    GOLDEN_PROBABILITY_TOLERANCE,
    MODEL_FILE,
    TrendArtifact,
)
from make_us_rich.training.reproduction import Reproduction, changed_libraries
from make_us_rich.training.trends.experiment import build_trend
from make_us_rich.training.trends.finals import fit_finals
from make_us_rich.training.trends.shelving import library_versions
from make_us_rich.training.trends.trial import TrendTrial, run_trend_trial

_SCORE_TOLERANCE = 1e-6


def reproduce_trend(artifact: TrendArtifact, snapshot: Snapshot) -> Reproduction:
    """Walk forward and fit again with the experiment, folds, seed and candles of an artifact.

    The pooled test of its direction rests on other coins and is not made again.
    """
    manifest = artifact.manifest
    experiment = build_trend(manifest.experiment, f"{manifest.name}@{manifest.version}")
    candles = CandleArrays.from_frame(snapshot.candles)
    label = experiment.label.to_label()
    table = build_trend_table(snapshot.symbol, snapshot.timeframe, candles, label)
    plan = FoldPlan(round(manifest.folds_end.timestamp() * 1000), **experiment.folds.model_dump())
    trial = run_trend_trial(experiment, table, manifest.direction, plan)
    differences = _differences(artifact, trial)
    made = fit_finals(trial).onnx[manifest.model] if not differences else b""
    largest = _largest_difference(artifact, made) if made else None
    if largest is not None and not largest <= GOLDEN_PROBABILITY_TOLERANCE:
        differences.append(f"probabilities on the golden days differ by up to {largest:.1e}")
    return Reproduction(
        is_same_file=hashlib.sha256(made).hexdigest() == manifest.files[MODEL_FILE],
        largest_difference=largest,
        differences=tuple(differences),
        libraries=changed_libraries(manifest, __version__, library_versions()),
    )


def _differences(artifact: TrendArtifact, trial: TrendTrial) -> list[str]:
    manifest, found = artifact.manifest, []
    if trial.walk.winner != manifest.model:
        found.append(f"model: {manifest.model} then, {trial.walk.winner} now")
    for name, record in manifest.evidence.items():
        now = trial.evidence.get(name)
        if now is None:
            found.append(f"{name}: tried then, not now")
        elif record.n != now.n or abs((record.brier or 0.0) - now.brier) > _SCORE_TOLERANCE:
            found.append(f"{name}: Brier score {record.brier:.6f} then, {now.brier:.6f} now")
    return found


def _largest_difference(artifact: TrendArtifact, model: bytes) -> float:
    with np.load(artifact.folder / GOLDEN_FILE, allow_pickle=False) as golden:
        said = TrendClassifier(model).probability(golden["features"])
        return float(np.abs(said - golden["probability"]).max())
