"""From what `mur train` was given to trained models; this needs the train extra."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from make_us_rich.desk.history import SpanQuery, resolve_origin, snapshot_series
from make_us_rich.desk.market_candles import add_market
from make_us_rich.desk.moments import parse_moment
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import UsageError
from make_us_rich.evaluation.report import Report
from make_us_rich.market.files import disk_errors_named, write_atomically
from make_us_rich.market.snapshot import Snapshot, save_snapshot
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Settings
from make_us_rich.training.experiment import Experiment, load_experiment, preset_experiment
from make_us_rich.training.tracking import open_tracker, tell_training


def read_experiments(
    targets: Sequence[str], preset: str, changes: Mapping[str, str | None]
) -> list[Experiment]:
    """Return one experiment per pair, or the one of a file; options given on the command line win over it."""
    files = [text for text in targets if text.endswith((".yaml", ".yml"))]
    if not files:
        return [preset_experiment(preset, text, **changes) for text in targets]
    if len(targets) > 1:
        raise UsageError(f"train either pairs or one experiment file, not {' and '.join(targets)}")
    experiment = load_experiment(Path(files[0]))
    given = {key: value for key, value in changes.items() if value is not None}
    return [Experiment.model_validate(experiment.model_dump() | given)]


def take_experiment_snapshot(
    settings: Settings, market: str | None, experiment: Experiment, now: datetime, progress: ProgressReport
) -> tuple[Workplace, Snapshot]:
    """Return the checked candles an experiment asks about, fetched first where it names a source."""
    place, source = resolve_origin(settings, market, experiment.source)
    series = (Symbol.parse(experiment.symbol), Timeframe.parse(experiment.timeframe))
    query = SpanQuery(experiment.since, experiment.until, now)
    snapshot = snapshot_series(place, source, series, query, progress)
    if experiment.market:
        snapshot = add_market(place, source, snapshot, experiment.market, progress)
    return place, snapshot


def train_experiment(
    settings: Settings, market: str | None, experiment: Experiment, now: datetime, progress: ProgressReport
) -> dict[str, Any]:
    """Train, shelve and decide; return the answer of `mur train --json`."""
    place, snapshot = take_experiment_snapshot(settings, market, experiment, now, progress)
    save_snapshot(snapshot, place.snapshots)
    from make_us_rich.training.train import train_price_model

    moment, shelf = training_moment(place, experiment.until, now), place.shelf()
    on_progress = _on_progress(f"Training {experiment.name}", progress)
    result = train_price_model(experiment, snapshot, shelf, moment, on_progress)
    tell_training(
        open_tracker(settings.tracking, place.home), shelf, result.name, result.version, progress.say
    )
    return result.to_dict()


def backtest_experiment(
    settings: Settings, market: str | None, experiment: Experiment, now: datetime, progress: ProgressReport
) -> tuple[Workplace, Report]:
    """Walk forward and report; nothing is fitted on all data, exported or shelved."""
    place, snapshot = take_experiment_snapshot(settings, market, experiment, now, progress)
    from make_us_rich.training.trial import run_trial
    from make_us_rich.training.trial_report import report_trial

    trial = run_trial(experiment, snapshot, _on_progress(f"Backtesting {experiment.name}", progress))
    return place, report_trial(trial, snapshot)


def write_report(report: Report, folder: Path) -> None:
    """Write `report.json`, `report.md` and `report.html`, each in one step."""
    with disk_errors_named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in report.to_files().items():
            write_atomically(folder / name, content)


def training_moment(place: Workplace, until: str | None, now: datetime) -> datetime:
    """Return when a training takes place: in a past that is played, that is where its candles end."""
    if place.market == "live" or until is None:
        return now
    return min(now, parse_moment(until))


def _on_progress(task: str, progress: ProgressReport) -> Callable[[str, float], None]:
    return lambda line, share: progress.report(task, share, 1.0, line)
