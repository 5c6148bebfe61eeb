"""A shelved model made again from its own candles and seed. Heavy: it loads torch."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from make_us_rich.operations.progress import Progress, Step
from make_us_rich.operations.shelf import resolve_version
from make_us_rich.operations.workplace import Workplace
from make_us_rich.registry.artifact import AnyArtifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.training.reproduced import Reproduction, stored_snapshot
from make_us_rich.training.trainers import resolve_trainer, trainer_text_of


@dataclass(frozen=True, slots=True)
class Reproduced:
    """Whether a version could be made again, and what differs; see `Reproduction`."""

    name: str
    version: int
    is_reproduced: bool
    is_same_file: bool
    largest_difference: float | None
    differences: tuple[str, ...]
    libraries: Mapping[str, tuple[str, str]]
    seconds: float


def reproduce(place: Workplace, text: str, progress: Progress) -> Reproduced:
    """Make NAME[@VERSION] again and compare; nothing is shelved."""
    shelf = place.shelf()
    name, version = resolve_version(shelf, text)
    artifact = shelf.load(name, version)
    began = time.monotonic()
    made = _make_again(place, artifact, progress)
    return Reproduced(
        name=name,
        version=version,
        is_reproduced=made.is_reproduced,
        is_same_file=made.is_same_file,
        largest_difference=made.largest_difference,
        differences=made.differences,
        libraries=made.libraries,
        seconds=time.monotonic() - began,
    )


def _make_again(place: Workplace, artifact: AnyArtifact, progress: Progress) -> Reproduction:
    manifest = artifact.manifest
    snapshot = stored_snapshot(place.snapshots, manifest)
    trainer = resolve_trainer(trainer_text_of(ModelName.parse(manifest.name)))
    task = f"Reproducing {manifest.name}@{manifest.version}"
    progress(Step(task, 0.0, 1.0))
    return trainer.reproduce(artifact, snapshot, lambda line, share: progress(Step(task, share, 1.0, line)))
