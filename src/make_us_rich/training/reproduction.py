"""Make a shelved model again from its own manifest and snapshot, and compare."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import ValidationError

from make_us_rich.errors import ExperimentError, StoreError
from make_us_rich.evaluation.walk_forward import OnProgress
from make_us_rich.market.snapshot import Snapshot, load_snapshot
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.registry.artifact import (
    GOLDEN_FILE,
    GOLDEN_TOLERANCE,
    MODEL_FILE,
    AnyManifest,
    Artifact,
    ArtifactDraft,
    golden_inputs,
)
from make_us_rich.registry.manifest import Manifest, SharedManifest
from make_us_rich.training.experiment import Experiment
from make_us_rich.training.shelving import Occasion
from make_us_rich.training.train import draft_price_model

_MUST_AGREE = ("horizons", "quantile_levels", "lookback", "served_by", "activity_columns", "market_symbols")


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of making a model again.

    It is reproduced if `differences` is empty: the same forecasters serve, and every golden output agrees
    to 1e-6; the bytes of the file may differ nevertheless. `libraries` are those with another version now,
    each as (then, now).
    """

    is_same_file: bool
    largest_difference: float | None
    differences: tuple[str, ...]
    libraries: Mapping[str, tuple[str, str]]

    @property
    def is_reproduced(self) -> bool:
        """Whether the model says the same."""
        return not self.differences


def stored_snapshot(folder: Path, manifest: AnyManifest) -> Snapshot:
    """Return the candles a model was fitted on; `StoreError` if they are no longer stored."""
    content_hash = manifest.snapshot.hash
    if not (folder / f"{content_hash}.parquet").is_file():
        raise StoreError(
            f"{manifest.name}@{manifest.version}: its candles, snapshot {content_hash[:12]}…, are not in "
            f"{folder}; restore that file, or train again"
        )
    return load_snapshot(folder, content_hash)


def reproduce(artifact: Artifact, snapshot: Snapshot, on_progress: OnProgress | None = None) -> Reproduction:
    """Train again with the experiment, seed and candles of an artifact; nothing is shelved."""
    manifest = artifact.manifest
    _, draft = draft_price_model(_experiment(manifest), Occasion(snapshot, manifest.trained_at), on_progress)
    return compare_with(artifact, draft)


def compare_with(artifact: Artifact, draft: ArtifactDraft) -> Reproduction:
    """Compare a model that was made again with the shelved one."""
    then, now = artifact.manifest, draft.manifest
    differences = [text for field in _MUST_AGREE if (text := _difference(field, then, now))]
    largest = None if differences else _largest_difference(artifact, draft)
    if largest is not None and not largest <= GOLDEN_TOLERANCE:
        differences.append(
            f"outputs on the golden windows differ by up to {largest:.1e}, {GOLDEN_TOLERANCE:g} is allowed"
        )
    return Reproduction(
        is_same_file=_sha256(draft.payloads[MODEL_FILE]) == then.files[MODEL_FILE],
        largest_difference=largest,
        differences=tuple(differences),
        libraries=changed_libraries(then, now.code_version, now.library_versions),
    )


def _experiment(manifest: Manifest) -> Experiment:
    try:
        return Experiment.model_validate(manifest.experiment)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ExperimentError(
            f"{manifest.name}@{manifest.version}: its experiment is not one this version knows "
            f"({key}: {first['msg']}); it was made by {manifest.code_version}, reproduce it there"
        ) from error


def _difference(field: str, then: SharedManifest, now: SharedManifest) -> str | None:
    before, after = getattr(then, field), getattr(now, field)
    return None if before == after else f"{field}: {_words(before)} then, {_words(after)} now"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _largest_difference(artifact: Artifact, draft: ArtifactDraft) -> float:
    with np.load(artifact.folder / GOLDEN_FILE, allow_pickle=False) as golden, TemporaryDirectory() as folder:
        path = Path(folder) / MODEL_FILE
        path.write_bytes(draft.payloads[MODEL_FILE])
        found = OnnxForecaster(path).quantiles(*golden_inputs(golden))
        return float(np.max(np.abs(found / golden["quantiles"] - 1)))


def changed_libraries(
    then: SharedManifest, code_version: str, now: Mapping[str, str]
) -> dict[str, tuple[str, str]]:
    """Return the libraries whose version is another now, each as (then, now)."""
    before = {"make-us-rich": then.code_version, **then.library_versions}
    after = {"make-us-rich": code_version, **now}
    return {
        name: (before.get(name, "none"), after.get(name, "none"))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
