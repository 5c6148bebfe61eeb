"""Who is told about trainings, for people to compare runs; nothing depends on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from make_us_rich.registry.run_record import RunRecord, read_run
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Tracking


class Tracker(Protocol):
    """Keeps one record per training: the experiment is the name, the run the version."""

    name: str
    extra: str

    def record(self, run: RunRecord) -> None:
        """Store parameters, metrics, tags and documents of one training."""

    def point(self, name: str, champion: RunRecord | None) -> None:
        """Show which version is served, where the tracker can show that."""


def open_tracker(tracking: Tracking, home: Path) -> Tracker | None:
    """Return the tracker a desk uses, its files under `home`; None where none is wanted."""
    if tracking == "mlflow":
        from make_us_rich.registry.mlflow import MlflowMirror

        return MlflowMirror(home / "mlflow")
    if tracking == "wandb":
        from make_us_rich.training.weights_and_biases import WandbRuns

        return WandbRuns(home / "wandb")
    return None


def tell_training(
    tracker: Tracker | None, shelf: Shelf, name: str, version: int, warn: Callable[[str], None]
) -> None:
    """Tell a tracker about a version and who is served; whatever goes wrong is one line of warning."""
    if tracker is None:
        return
    try:
        tracker.record(read_run(shelf, name, version))
    except Exception as error:  # a tracker that fails, in whatever way, must not fail the training
        warn(_warning(tracker, f"{name}@{version}", error))
    tell_champion(tracker, shelf, name, warn)


def tell_champion(tracker: Tracker | None, shelf: Shelf, name: str, warn: Callable[[str], None]) -> None:
    """Tell a tracker which version of a name is served; whatever goes wrong is one line of warning."""
    if tracker is None:
        return
    try:
        champion = shelf.champion(name)
        tracker.point(name, read_run(shelf, name, champion.version) if champion else None)
    except Exception as error:
        warn(_warning(tracker, f"the champion of {name}", error))


def _warning(tracker: Tracker, about: str, error: Exception) -> str:
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        reason = f"{error.name} is not installed; pip install 'make-us-rich[{tracker.extra}]'"
    return f"Warning: {tracker.name} was not told about {about} ({reason}); the shelf is not affected."
