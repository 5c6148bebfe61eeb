"""Who is told about trainings, for people to compare runs; nothing depends on it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from make_us_rich.registry.candidate_run import CandidateRun, ExportedCandidates, read_candidate_runs
from make_us_rich.registry.run_record import RunRecord, read_run
from make_us_rich.registry.shelf import Shelf
from make_us_rich.settings import Tracking


class Tracker(Protocol):
    """Keeps one record per training: the experiment is the name, the run the version."""

    name: str
    extra: str

    def record(self, run: RunRecord, candidates: Sequence[CandidateRun] = ()) -> None:
        """Store parameters, metrics, tags and documents of one training, and of each of its candidates."""

    def point(self, name: str, champion: RunRecord | None) -> None:
        """Show which version is served, where the tracker can show that."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A new version on the shelf, and where it was chosen from candidates, these."""

    name: str
    version: int
    exported: ExportedCandidates | None = None


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
    tell_trained(tracker, shelf, Trained(name, version), warn)


def tell_trained(
    tracker: Tracker | None, shelf: Shelf, trained: Trained, warn: Callable[[str], None]
) -> None:
    """Tell it about a version with the candidates it was chosen from, in the same way."""
    if tracker is None:
        return
    name, version, exported = trained.name, trained.version, trained.exported
    try:
        candidates = read_candidate_runs(shelf, name, version, exported) if exported else ()
        tracker.record(read_run(shelf, name, version), candidates)
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
