"""A model as an immutable folder: ONNX graph, manifest and golden outputs; data only, no code is run from it.

An artifact is used only if all of it is there, unchanged, from this market, and computes on this
machine what it computed where it was made.
"""

import hashlib
import io
import json
import re
import secrets
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from make_us_rich.errors import ArtifactError
from make_us_rich.market.files import sync_folder, write_atomically
from make_us_rich.models.forecast import FloatArray
from make_us_rich.models.onnx import INPUT_NAMES, OnnxForecaster
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.registry.manifest import MANIFEST_FORMAT, Manifest, ManifestDraft
from make_us_rich.registry.trend_manifest import TrendManifest, TrendManifestDraft
from make_us_rich.settings import Market

MODEL_FILE = "model.onnx"
GOLDEN_FILE = "golden.npz"
MANIFEST_FILE = "manifest.json"
VOLATILITY_FILE = "volatility.onnx"
"""The plain regression beside another model, which the journal writes down with it; older ones lack it."""
GOLDEN_TOLERANCE = 1e-6  # relative, in prices
GOLDEN_PROBABILITY_TOLERANCE = 1e-5
INCOMING_PREFIX = ".incoming-"

AnyManifest = Manifest | TrendManifest

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class ArtifactDraft:
    """An artifact before it stands on the shelf; `payloads` are its files, manifest aside."""

    manifest: ManifestDraft | TrendManifestDraft
    payloads: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if missing := {MODEL_FILE, GOLDEN_FILE} - set(self.payloads):
            raise ValueError(f"{self.manifest.name}: the draft lacks {', '.join(sorted(missing))}")
        for name in self.payloads:
            if not _FILE_NAME.fullmatch(name) or name == MANIFEST_FILE:
                raise ValueError(f"{self.manifest.name}: {name!r} cannot be a file of an artifact")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified price model, ready to run."""

    manifest: Manifest
    forecaster: OnnxForecaster
    folder: Path


@dataclass(frozen=True, slots=True)
class TrendArtifact:
    """A verified trend model, ready to run."""

    manifest: TrendManifest
    classifier: TrendClassifier
    folder: Path


def golden_payload(
    open_time_ms: NDArray[np.int64],
    ohlcv: FloatArray,
    quantiles: FloatArray,
    activity: FloatArray | None = None,
) -> bytes:
    """Return the content of `golden.npz`: inputs (batch, lookback, …) and the prices they must give."""
    buffer = io.BytesIO()
    arrays = {"open_time_ms": open_time_ms, "ohlcv": ohlcv, "quantiles": quantiles}
    if activity is not None:
        arrays["activity"] = activity
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def golden_inputs(golden: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    """Return what there is of the inputs in an open `golden.npz`, in the order a forecaster takes them."""
    return tuple(golden[name] for name in INPUT_NAMES if name in golden or name != "activity")


def write_artifact(folder: Path, draft: ArtifactDraft, version: int) -> AnyManifest:
    """Write a new artifact folder; until its last byte is on the disk it has another, hidden name."""
    files = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(draft.payloads.items())}
    kind = TrendManifest if isinstance(draft.manifest, TrendManifestDraft) else Manifest
    manifest = kind(**dict(draft.manifest), version=version, files=files)
    incoming = folder.with_name(f"{INCOMING_PREFIX}{folder.name}-{secrets.token_hex(4)}")
    incoming.mkdir(parents=True)
    try:
        for name, content in draft.payloads.items():
            write_atomically(incoming / name, content)
        write_atomically(incoming / MANIFEST_FILE, manifest.model_dump_json(indent=2).encode())
        incoming.rename(folder)
    except BaseException:
        shutil.rmtree(incoming, ignore_errors=True)
        raise
    sync_folder(folder.parent)
    return manifest


def load_artifact(folder: Path, market: Market) -> Artifact | TrendArtifact:
    """Return the model in `folder`, verified to the last byte; `ArtifactError` names the first finding."""
    manifest = read_manifest(folder)
    if manifest.market != market:
        raise ArtifactError(
            f"{folder}: made for the {manifest.market} market, this is {market}; train the model on this one"
        )
    try:
        _check_files(folder, manifest)
    except OSError as error:
        raise ArtifactError(
            f"{folder}: cannot be read ({error.strerror}); restore it or roll back"
        ) from error
    if isinstance(manifest, TrendManifest):
        classifier = TrendClassifier(folder / MODEL_FILE)
        _check_golden_probabilities(folder, classifier)
        return TrendArtifact(manifest, classifier, folder)
    forecaster = OnnxForecaster(folder / MODEL_FILE)
    _check_golden(folder, manifest, forecaster)
    return Artifact(manifest, forecaster, folder)


def read_manifest(folder: Path) -> AnyManifest:
    """Return what an artifact says about itself, without verifying its other files."""
    try:
        content = json.loads((folder / MANIFEST_FILE).read_bytes())
    except OSError as error:
        raise ArtifactError(
            f"{folder}: no readable {MANIFEST_FILE} ({error.strerror}); it is not a whole artifact"
        ) from error
    except ValueError as error:
        raise ArtifactError(
            f"{folder}: {MANIFEST_FILE} is not JSON; restore the artifact or roll back"
        ) from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != MANIFEST_FORMAT:
        raise ArtifactError(
            f"{folder}: manifest format {found!r}, this version reads {MANIFEST_FORMAT}; "
            "update make-us-rich or train again"
        )
    try:
        kind = TrendManifest if str(content.get("kind")).startswith("trend-") else Manifest
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise ArtifactError(
            f"{folder}: {MANIFEST_FILE} is not valid ({place}: {first['msg']}); restore or train again"
        ) from error


def _check_files(folder: Path, manifest: AnyManifest) -> None:
    present = {path.name for path in folder.iterdir()} - {MANIFEST_FILE}
    listed = set(manifest.files)
    if missing := ({MODEL_FILE, GOLDEN_FILE} | listed) - present:
        raise ArtifactError(
            f"{folder}: {', '.join(sorted(missing))} missing; restore the artifact or roll back"
        )
    if unlisted := present - listed:
        raise ArtifactError(f"{folder}: {', '.join(sorted(unlisted))} not listed in the manifest; remove it")
    for name, expected in manifest.files.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
            raise ArtifactError(
                f"{folder}: {name} is not the file that was shelved (SHA-256 differs); restore or roll back"
            )


def _check_golden_probabilities(folder: Path, classifier: TrendClassifier) -> None:
    try:
        with np.load(folder / GOLDEN_FILE, allow_pickle=False) as golden:
            features, expected = golden["features"], golden["probability"]
        found = classifier.probability(features)
    except Exception as error:  # ONNX Runtime raises its own unexported exception types
        first_line = str(error).splitlines()[0]
        raise ArtifactError(
            f"{folder}: the model does not run on its golden inputs ({first_line}); train it again"
        ) from error
    if found.shape != expected.shape or not np.allclose(
        found, expected, rtol=0.0, atol=GOLDEN_PROBABILITY_TOLERANCE
    ):
        raise ArtifactError(
            f"{folder}: golden probabilities differ on this machine, {GOLDEN_PROBABILITY_TOLERANCE:g} is "
            "allowed; train the model here"
        )


def _check_golden(folder: Path, manifest: Manifest, forecaster: OnnxForecaster) -> None:
    try:
        with np.load(folder / GOLDEN_FILE, allow_pickle=False) as golden:
            inputs, expected = golden_inputs(golden), golden["quantiles"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ArtifactError(
            f"{folder}: {GOLDEN_FILE} is not readable ({error}); train the model again"
        ) from error
    try:
        found = forecaster.quantiles(*inputs)
    except Exception as error:  # ONNX Runtime raises its own unexported exception types
        first_line = str(error).splitlines()[0]
        raise ArtifactError(
            f"{folder}: the model does not run on its golden inputs ({first_line}); train it again"
        ) from error
    shape = (len(inputs[0]), len(manifest.horizons), len(manifest.quantile_levels))
    if expected.shape != shape or found.shape != shape:
        raise ArtifactError(
            f"{folder}: golden outputs {expected.shape}, computed {found.shape}, "
            f"the manifest says {shape}; train it again"
        )
    if not np.allclose(found, expected, rtol=GOLDEN_TOLERANCE, atol=0.0):
        worst = float(np.max(np.abs(found / expected - 1)))
        raise ArtifactError(
            f"{folder}: golden outputs differ by {worst:.1e} on this machine, "
            f"{GOLDEN_TOLERANCE:g} is allowed; train the model here"
        )
