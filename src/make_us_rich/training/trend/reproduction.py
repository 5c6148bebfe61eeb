"""Make a shelved trend model again from its own manifest and snapshot, and compare."""

import numpy as np

from make_us_rich.evaluation.trends.folds import FoldPlan
from make_us_rich.forecasting.trend.artifact import GOLDEN_PROBABILITY_TOLERANCE, TrendArtifact
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.registry.artifact import GOLDEN_FILE, MODEL_FILE
from make_us_rich.training.reproduced import Reproduction, changed_libraries, sha256
from make_us_rich.training.trend.drafting import library_versions
from make_us_rich.training.trend.experiment import build_trend
from make_us_rich.training.trend.finals import fit_finals
from make_us_rich.training.trend.result import table_of
from make_us_rich.training.trend.trial import TrendTrial, run_trend_trial
from make_us_rich.version import __version__

_SCORE_TOLERANCE = 1e-6


def reproduce_trend(artifact: TrendArtifact, snapshot: Snapshot) -> Reproduction:
    """Walk forward and fit again with the experiment, folds, seed and candles of an artifact.

    The pooled test of its direction rests on other coins and is not made again.
    """
    manifest = artifact.manifest
    experiment = build_trend(manifest.experiment, f"{manifest.name}@{manifest.version}")
    table = table_of(experiment, snapshot)
    plan = FoldPlan(round(manifest.folds_end.timestamp() * 1000), **experiment.folds.model_dump())
    trial = run_trend_trial(experiment, table, manifest.direction, plan)
    differences = _differences(artifact, trial)
    made = fit_finals(trial).onnx[manifest.model] if not differences else b""
    largest = _largest_difference(artifact, made) if made else None
    if largest is not None and not largest <= GOLDEN_PROBABILITY_TOLERANCE:
        differences.append(f"probabilities on the golden days differ by up to {largest:.1e}")
    return Reproduction(
        is_same_file=sha256(made) == manifest.files[MODEL_FILE],
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
        elif record.n != now.n or abs(record.brier - now.brier) > _SCORE_TOLERANCE:
            found.append(f"{name}: Brier score {record.brier:.6f} then, {now.brier:.6f} now")
    return found


def _largest_difference(artifact: TrendArtifact, model: bytes) -> float:
    with np.load(artifact.folder / GOLDEN_FILE, allow_pickle=False) as golden:
        said = TrendClassifier(model).probability(golden["features"])
        return float(np.abs(said - golden["probability"]).max())
