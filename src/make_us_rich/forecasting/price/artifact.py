"""A price model from the shelf: its graph, the plain regression beside it, and how both are tried."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import ArtifactError, UnknownNameError
from make_us_rich.features.inputs import inputs_of, what_is_read
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.market.activity import COLUMN_INPUTS
from make_us_rich.models.onnx import INPUT_NAMES, OnnxForecaster
from make_us_rich.registry.artifact import GOLDEN_FILE, MODEL_FILE, Artifact, ArtifactType

VOLATILITY_FILE = "volatility.onnx"
"""The plain regression beside another model, which the journal writes down with it; older ones lack it."""
GOLDEN_TOLERANCE = 1e-6  # relative, in prices


@dataclass(frozen=True, slots=True)
class PriceModel:
    """What answers: the graph, and where one was shelved with it the regression it is measured against."""

    forecaster: OnnxForecaster
    volatility: OnnxForecaster | None


PriceArtifact = Artifact[PriceManifest, PriceModel]


def golden_payload(
    open_time_ms: NDArray[np.int64],
    ohlcv: FloatArray,
    quantiles: FloatArray,
    columns: FloatArray | None = None,
) -> bytes:
    """Return the content of `golden.npz`: inputs (batch, lookback, …) and the prices they must give."""
    buffer = io.BytesIO()
    arrays = {"open_time_ms": open_time_ms, "ohlcv": ohlcv, "quantiles": quantiles}
    if columns is not None:
        arrays["columns"] = columns
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def golden_inputs(golden: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    """Return what there is of the inputs in an open `golden.npz`, in the order a forecaster takes them."""
    return tuple(golden[name] for name in (*INPUT_NAMES[:2], *(n for n in COLUMN_INPUTS if n in golden)))


def open_price_model(folder: Path, manifest: PriceManifest) -> PriceModel:
    """Return the model of a folder; `ArtifactError` unless it can be used as it was trained."""
    try:
        what_is_read(inputs_of(manifest.activity_columns))
    except UnknownNameError as error:
        raise ArtifactError(f"{folder}: {error}; install what it was trained with, or train again") from error
    forecaster = OnnxForecaster(folder / MODEL_FILE)
    _check_golden(folder, manifest, forecaster)
    volatility = folder / VOLATILITY_FILE
    return PriceModel(forecaster, OnnxForecaster(volatility) if VOLATILITY_FILE in manifest.files else None)


PRICE_ARTIFACT = ArtifactType(PriceManifest, open_price_model)


def _check_golden(folder: Path, manifest: PriceManifest, forecaster: OnnxForecaster) -> None:
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
