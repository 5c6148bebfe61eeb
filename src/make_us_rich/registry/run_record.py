"""One training as trackers are told about it: plain values, all of them read off the shelf."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from make_us_rich.registry.artifact import MANIFEST_FILE
from make_us_rich.registry.manifest import TensorSpec
from make_us_rich.registry.shelf import Shelf

_DOCUMENTS = (MANIFEST_FILE, "report.html", "report.md", "report.json", "explain.json")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A shelved version: the name is the experiment, the version the run.

    Metrics are those of the experiment's own model, for a price model one set per horizon:
    `skill_persistence_h1`, `p_value_persistence_h1`, `coverage_90_h1` …; what is undefined is left out.
    """

    name: str
    version: int
    trained_at: datetime
    folder: Path
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    documents: tuple[Path, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def read_run(shelf: Shelf, name: str, version: int) -> RunRecord:
    """Return what there is to tell about a version on the shelf."""
    folder = shelf.folder(name, version)
    manifest = shelf.manifest(name, version)
    return RunRecord(
        name=name,
        version=version,
        trained_at=manifest.trained_at,
        folder=folder,
        parameters=dict(manifest.parameters()),
        metrics=dict(manifest.metrics()),
        tags=manifest.tracker_tags() | _decision_tags(shelf, name, version),
        documents=tuple(folder / file for file in _DOCUMENTS if (folder / file).is_file()),
        inputs=manifest.inputs,
        outputs=manifest.outputs,
    )


def _decision_tags(shelf: Shelf, name: str, version: int) -> dict[str, str]:
    for decision in shelf.decisions(name):
        if decision.version == version:
            promoted = str(decision.promoted).lower()
            return {"decision": decision.kind, "promoted": promoted, "reason": decision.reasons[0]}
    return {}
