"""`mur train` for several pairs at once; this needs the train extra."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from make_us_rich.commands.experiments import take_experiment_snapshot, training_moment
from make_us_rich.desk.history import resolve_origin
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import MakeUsRichError, UnknownNameError
from make_us_rich.market.snapshot import save_snapshot
from make_us_rich.market.sources import RecordedSource
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Settings
from make_us_rich.training.experiment import Experiment
from make_us_rich.training.parallel import run_in_processes
from make_us_rich.training.pool import TRAINING, TrainingOutcome, TrainingTask
from make_us_rich.training.tracking import open_tracker, tell_training


@dataclass(frozen=True, slots=True)
class TrainingRound:
    """Several trainings of one command: where, when, and in how many processes."""

    settings: Settings
    market: str | None
    now: datetime
    workers: int


def all_pairs(settings: Settings, market: str | None, source: str | None, timeframe: str) -> list[str]:
    """Return every pair a recording holds, or whose candles are stored in the market that is meant."""
    place, origin = resolve_origin(settings, market, source)
    wanted = Timeframe.parse(timeframe)
    if isinstance(origin, RecordedSource):
        return [str(symbol) for symbol in origin.symbols(wanted)]
    found = {str(symbol) for _, symbol, length in place.store().series() if length == wanted}
    if not found:
        raise UnknownNameError(
            f"no {wanted} candles are stored in the {place.market} market; `mur fetch SYMBOL…` gets some"
        )
    return sorted(found)


def train_several(
    experiments: Sequence[Experiment], plan: TrainingRound, progress: ProgressReport
) -> dict[str, Any]:
    """Train every experiment; return the models that came of it, and the failures, which stop nobody else."""
    outcomes: list[TrainingOutcome] = []
    tasks: list[TrainingTask] = []
    done = 0

    def on_outcome(outcome: TrainingOutcome) -> None:
        nonlocal done
        done += 1
        outcomes.append(outcome)
        progress.say(_fate(outcome))
        progress.report(f"Training {len(experiments)} models", done, len(experiments))

    for experiment in experiments:
        try:
            tasks.append(_prepare(experiment, plan, progress))
        except MakeUsRichError as error:
            on_outcome(TrainingOutcome(experiment.name, None, " ".join(str(error).split())))
    if tasks:
        progress.report(f"Training {len(experiments)} models", done, len(experiments))
        run_in_processes(TRAINING, tasks, plan.workers, on_outcome)
        _tell(tasks, outcomes, plan, progress)
    return _record(outcomes)


def _prepare(experiment: Experiment, plan: TrainingRound, progress: ProgressReport) -> TrainingTask:
    place, snapshot = take_experiment_snapshot(plan.settings, plan.market, experiment, plan.now, progress)
    save_snapshot(snapshot, place.snapshots)
    return TrainingTask(
        experiment=experiment,
        market=place.market,
        snapshots=place.snapshots,
        snapshot_hash=snapshot.content_hash,
        shelf_root=place.shelf().root,
        now=training_moment(place, experiment.until, plan.now),
    )


def _tell(
    tasks: Sequence[TrainingTask],
    outcomes: Sequence[TrainingOutcome],
    plan: TrainingRound,
    progress: ProgressReport,
) -> None:
    # here and not in the workers: one process creates the tracker's store and writes to it
    place = Workplace(plan.settings, tasks[0].market)
    tracker = open_tracker(plan.settings.tracking, place.home)
    for outcome in outcomes:
        if outcome.result is not None:
            tell_training(tracker, place.shelf(), outcome.name, outcome.result.version, progress.say)


def _fate(outcome: TrainingOutcome) -> str:
    if outcome.result is None:
        return f"{outcome.name}: failed ({outcome.failure})"
    word = "promoted" if outcome.result.promoted else "not promoted"
    return f"{outcome.name}: version {outcome.result.version}, {word} ({outcome.result.seconds:.0f} s)"


def _record(outcomes: Sequence[TrainingOutcome]) -> dict[str, Any]:
    ordered = sorted(outcomes, key=lambda outcome: outcome.name)
    return {
        "models": [outcome.result.to_dict() for outcome in ordered if outcome.result is not None],
        "failed": [
            {"name": outcome.name, "reason": outcome.failure} for outcome in ordered if outcome.result is None
        ],
    }
