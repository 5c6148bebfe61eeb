"""Make a shelved price model again from its own manifest and snapshot, and compare."""

import numpy as np

from make_us_rich.errors import ExperimentError
from make_us_rich.evaluation.walk_forward import OnProgress
from make_us_rich.forecasting.price.artifact import GOLDEN_TOLERANCE, PriceArtifact, golden_inputs
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.registry.artifact import GOLDEN_FILE, MODEL_FILE, ArtifactDraft
from make_us_rich.registry.manifest import Manifest
from make_us_rich.training.fits import Occasion
from make_us_rich.training.price.drafting import draft_price_model
from make_us_rich.training.price.experiment import PriceExperiment, build_experiment
from make_us_rich.training.reproduced import Reproduction, changed_libraries, sha256

_MUST_AGREE = ("horizons", "quantile_levels", "lookback", "served_by", "activity_columns", "market_symbols")


def reproduce(
    artifact: PriceArtifact, snapshot: Snapshot, on_progress: OnProgress | None = None
) -> Reproduction:
    """Train again with the experiment, seed and candles of an artifact; nothing is shelved."""
    manifest = artifact.manifest
    _, draft = draft_price_model(_experiment(manifest), Occasion(snapshot, manifest.trained_at), on_progress)
    return compare_with(artifact, draft)


def compare_with(artifact: PriceArtifact, draft: ArtifactDraft) -> Reproduction:
    """Compare a model that was made again with the shelved one."""
    then, now = artifact.manifest, draft.manifest
    differences = [text for field in _MUST_AGREE if (text := _difference(field, then, now))]
    largest = None if differences else _largest_difference(artifact, draft)
    if largest is not None and not largest <= GOLDEN_TOLERANCE:
        differences.append(
            f"outputs on the golden windows differ by up to {largest:.1e}, {GOLDEN_TOLERANCE:g} is allowed"
        )
    return Reproduction(
        is_same_file=sha256(draft.payloads[MODEL_FILE]) == then.files[MODEL_FILE],
        largest_difference=largest,
        differences=tuple(differences),
        libraries=changed_libraries(then, now.code_version, now.library_versions),
    )


def _experiment(manifest: PriceManifest) -> PriceExperiment:
    origin = f"{manifest.name}@{manifest.version}"
    try:
        return build_experiment(manifest.experiment, origin)
    except ExperimentError as error:
        found = str(error).removeprefix(f"{origin}: ")
        raise ExperimentError(
            f"{origin}: its experiment is not one this version knows ({found}); it was made by "
            f"{manifest.code_version}, reproduce it there"
        ) from error


def _difference(field: str, then: Manifest, now: Manifest) -> str | None:
    before, after = getattr(then, field), getattr(now, field)
    return None if before == after else f"{field}: {_words(before)} then, {_words(after)} now"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _largest_difference(artifact: PriceArtifact, draft: ArtifactDraft) -> float:
    with np.load(artifact.folder / GOLDEN_FILE, allow_pickle=False) as golden:
        found = OnnxForecaster(draft.payloads[MODEL_FILE]).quantiles(*golden_inputs(golden))
        return float(np.max(np.abs(found / golden["quantiles"] - 1)))
