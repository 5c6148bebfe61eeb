"""A recipe walked forward and reported on; nothing is fitted on all data, exported or shelved."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from make_us_rich.errors import ExperimentError
from make_us_rich.evaluation.report import Report
from make_us_rich.market.files import disk_errors_named, write_atomically
from make_us_rich.operations.experiments import Origin, read_experiments, take_experiment_snapshot
from make_us_rich.operations.progress import Progress, Step
from make_us_rich.operations.requests import TrainRequest
from make_us_rich.settings import Settings
from make_us_rich.training.trainers import resolve_trainer


@dataclass(frozen=True, slots=True, eq=False)
class Backtested:
    """A report, and the folder it is in."""

    report: Report
    folder: Path


def backtest(
    request: TrainRequest, output: Path | None, settings: Settings, now: datetime, progress: Progress
) -> Backtested:
    """Walk the one experiment of a request forward, and write its report into a folder.

    `output` None is the one under the home of the market.
    """
    asked = read_experiments(request, settings)
    (experiment,) = asked.experiments
    trainer = resolve_trainer(asked.trainer)
    if not trainer.is_backtested:
        preset = next(iter(trainer.presets), trainer.kind)
        raise ExperimentError(
            f"preset {preset} is walked forward where it is trained; run `mur train --preset {preset}`"
        )
    place, snapshot = take_experiment_snapshot(
        asked, experiment, Origin(settings, request.market, now), progress
    )
    (name,) = trainer.names(experiment)
    title = f"Backtesting {name}"
    report = trainer.backtest(
        experiment, snapshot, lambda line, share: progress(Step(title, share, 1.0, line))
    )
    folder = output or place.home / "reports" / name
    write_report(report, folder)
    return Backtested(report, folder)


def write_report(report: Report, folder: Path) -> None:
    """Write `report.json`, `report.md` and `report.html`, each in one step."""
    with disk_errors_named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in report.to_files().items():
            write_atomically(folder / name, content)
