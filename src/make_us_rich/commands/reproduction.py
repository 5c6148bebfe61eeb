"""Make a shelved model again; this needs the train extra."""

import time
from dataclasses import asdict
from typing import Any

from make_us_rich.commands.shelf_records import resolve_version
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace


def reproduction_record(place: Workplace, text: str, progress: ProgressReport) -> dict[str, Any]:
    """Return whether a version could be made again, and what differs."""
    from make_us_rich.training.reproduction import reproduce, stored_snapshot

    shelf = place.shelf()
    name, version = resolve_version(shelf, text)
    artifact = shelf.load(name, version)
    snapshot = stored_snapshot(place.snapshots, artifact.manifest)
    began = time.monotonic()
    made = reproduce(
        artifact,
        snapshot,
        lambda line, share: progress.report(f"Reproducing {name}@{version}", share, 1.0, line),
    )
    return {
        "name": name,
        "version": version,
        "is_reproduced": made.is_reproduced,
        **asdict(made),
        "seconds": time.monotonic() - began,
    }
