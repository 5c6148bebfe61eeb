"""One candidate of a training as trackers are told about it, beside the training it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from make_us_rich.registry.shelf import Shelf

ONNX_DIFFERENCE = "onnx_difference"


@dataclass(frozen=True, slots=True)
class CandidateRun:
    """A candidate: its settings, its scores on outer folds, and the exported model fitted on all days."""

    name: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    onnx: bytes


class ExportedCandidates(Protocol):
    """Candidates fitted on all days, by name: model files, settings, and how far a file is from its fit."""

    @property
    def onnx(self) -> Mapping[str, bytes]:
        """The exported models."""

    @property
    def parameters(self) -> Mapping[str, Mapping[str, str | int | float | bool]]:
        """The settings of each."""

    @property
    def parity(self) -> Mapping[str, float]:
        """The largest difference in probability between a model and its export."""


def read_candidate_runs(
    shelf: Shelf, name: str, version: int, exported: ExportedCandidates
) -> tuple[CandidateRun, ...]:
    """Return a run per exported candidate, with its scores as the manifest of the version has them."""
    manifest = shelf.manifest(name, version)
    return tuple(
        CandidateRun(
            name=candidate,
            parameters={key: str(value) for key, value in exported.parameters[candidate].items()},
            metrics=dict(manifest.metrics(candidate)) | {ONNX_DIFFERENCE: exported.parity[candidate]},
            onnx=content,
        )
        for candidate, content in exported.onnx.items()
    )
