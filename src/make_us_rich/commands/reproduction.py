"""Make a shelved model again; this needs the train extra."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from make_us_rich.commands.shelf_records import resolve_version
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace
from make_us_rich.registry.artifact import Artifact, TrendArtifact

if TYPE_CHECKING:
    from make_us_rich.training.reproduction import Reproduction


def reproduction_record(place: Workplace, text: str, progress: ProgressReport) -> dict[str, Any]:
    """Return whether a version could be made again, and what differs."""
    shelf = place.shelf()
    name, version = resolve_version(shelf, text)
    artifact = shelf.load_any(name, version)
    began = time.monotonic()
    made = _reproduce(place, artifact, progress)
    return {
        "name": name,
        "version": version,
        "is_reproduced": made.is_reproduced,
        **asdict(made),
        "seconds": time.monotonic() - began,
    }


def _reproduce(
    place: Workplace, artifact: Artifact | TrendArtifact, progress: ProgressReport
) -> "Reproduction":
    from make_us_rich.training.reproduction import reproduce, stored_snapshot

    manifest = artifact.manifest
    snapshot = stored_snapshot(place.snapshots, manifest)
    task = f"Reproducing {manifest.name}@{manifest.version}"
    if isinstance(artifact, TrendArtifact):
        from make_us_rich.training.trends.reproduction import reproduce_trend

        progress.say(task)
        return reproduce_trend(artifact, snapshot)
    return reproduce(artifact, snapshot, lambda line, share: progress.report(task, share, 1.0, line))
