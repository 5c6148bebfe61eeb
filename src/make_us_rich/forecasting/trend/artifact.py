"""A trend model from the shelf, and how it is tried before it is used."""

from pathlib import Path

import numpy as np

from make_us_rich.errors import ArtifactError
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.forecasting.trend.manifest import TrendManifest
from make_us_rich.models.trend_onnx import TrendClassifier
from make_us_rich.registry.artifact import GOLDEN_FILE, MODEL_FILE, Artifact, ArtifactType

GOLDEN_PROBABILITY_TOLERANCE = 1e-5

TrendArtifact = Artifact[TrendManifest, TrendClassifier]


def open_trend_model(folder: Path, manifest: TrendManifest) -> TrendClassifier:
    """Return the model of a folder; `ArtifactError` unless it reproduces its golden outputs."""
    if manifest.features != INDICATOR_NAMES:
        raise ArtifactError(
            f"{manifest.name}@{manifest.version} reads other indicators than this version computes; "
            "train it again"
        )
    classifier = TrendClassifier(folder / MODEL_FILE)
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
    return classifier


TREND_ARTIFACT = ArtifactType(TrendManifest, open_trend_model)
