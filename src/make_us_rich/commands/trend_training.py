"""`mur train --preset trend`: a pool of coins trained side by side, judged together, and shelved."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from make_us_rich.commands.experiments import training_moment
from make_us_rich.commands.many_trainings import TrainingRound
from make_us_rich.desk.history import SpanQuery, resolve_origin, snapshot_series
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import MakeUsRichError, UsageError
from make_us_rich.evaluation.trends.folds import FoldPlan, plan_folds
from make_us_rich.market.snapshot import Snapshot, save_snapshot
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.training.parallel import run_in_processes
from make_us_rich.training.tracking import Trained, open_tracker, tell_trained
from make_us_rich.training.trends.experiment import TrendExperiment, load_trend, preset_trend
from make_us_rich.training.trends.judgement import JudgedTrend, Pooled, judge_pool
from make_us_rich.training.trends.pool import TREND_TRAINING, TrendOutcome, TrendTask
from make_us_rich.training.trends.shelving import TrendTrainingResult, shelve_trend


def read_trend_experiments(targets: Sequence[str], changes: Mapping[str, Any]) -> list[TrendExperiment]:
    """Return one experiment per coin, or the one of a file; options given on the command line win over it."""
    files = [text for text in targets if text.endswith((".yaml", ".yml"))]
    if not files:
        return [preset_trend(text, **changes) for text in targets]
    if len(targets) > 1:
        raise UsageError(f"train either pairs or one experiment file, not {' and '.join(targets)}")
    experiment = load_trend(Path(files[0]))
    given = {key: value for key, value in changes.items() if value is not None}
    return [TrendExperiment.model_validate(experiment.model_dump() | given)]


def train_trends(
    experiments: Sequence[TrendExperiment], plan: TrainingRound, progress: ProgressReport
) -> dict[str, Any]:
    """Train every coin; return the models, the pooled tests and the failures, which stop nobody else."""
    began = time.monotonic()
    prepared, failed = _prepare(experiments, plan, progress)
    if not prepared:
        return _record([], {}, failed, began)
    place = prepared[0][1]
    tasks = _tasks(prepared)
    outcomes = _train(tasks, plan.workers, progress)
    for outcome in outcomes:
        failed |= outcome.failures
    judged, pooled = judge_pool([result for outcome in outcomes for result in outcome.results])
    models, unshelved = _shelve(judged, pooled, place, plan, progress)
    return _record(models, pooled, failed | unshelved, began)


def _prepare(
    experiments: Sequence[TrendExperiment], plan: TrainingRound, progress: ProgressReport
) -> tuple[list[tuple[TrendExperiment, Workplace, Snapshot]], dict[str, str]]:
    prepared: list[tuple[TrendExperiment, Workplace, Snapshot]] = []
    failed: dict[str, str] = {}
    for experiment in experiments:
        try:
            place, source = resolve_origin(plan.settings, plan.market, experiment.source)
            series = (Symbol.parse(experiment.symbol), Timeframe.parse(experiment.timeframe))
            query = SpanQuery(experiment.since, experiment.until, plan.now)
            snapshot = snapshot_series(place, source, series, query, progress)
            save_snapshot(snapshot, place.snapshots)
            prepared.append((experiment, place, snapshot))
        except MakeUsRichError as error:
            reason = " ".join(str(error).split())
            progress.say(f"{experiment.symbol}: failed ({reason})")
            failed |= {experiment.name(direction): reason for direction in experiment.directions}
    return prepared, failed


def _tasks(prepared: Sequence[tuple[TrendExperiment, Workplace, Snapshot]]) -> list[TrendTask]:
    newest = max(snapshot.data_end for _, _, snapshot in prepared)
    end_ms = round(newest.timestamp() * 1000)
    return [
        TrendTask(
            experiment=experiment,
            market=place.market,
            snapshots=place.snapshots,
            snapshot_hash=snapshot.content_hash,
            plan=_fold_plan(experiment, end_ms, snapshot.timeframe),
        )
        for experiment, place, snapshot in prepared
    ]


def _fold_plan(experiment: TrendExperiment, end_ms: int, timeframe: Timeframe) -> FoldPlan:
    return plan_folds(
        end_ms, experiment.label.horizon, timeframe.milliseconds, **experiment.folds.model_dump()
    )


def _train(tasks: Sequence[TrendTask], workers: int, progress: ProgressReport) -> list[TrendOutcome]:
    done = 0

    def on_outcome(outcome: TrendOutcome) -> None:
        nonlocal done
        done += 1
        progress.say(_fate(outcome))
        progress.report(f"Training {len(tasks)} coins", done, len(tasks))

    progress.report(f"Training {len(tasks)} coins", done, len(tasks))
    return run_in_processes(TREND_TRAINING, tasks, workers, on_outcome)


def _fate(outcome: TrendOutcome) -> str:
    said = [f"{result.direction} {result.winner} ({result.seconds:.0f} s)" for result in outcome.results]
    said += [f"{name} failed ({reason})" for name, reason in outcome.failures.items()]
    return f"{outcome.symbol}: {', '.join(said)}"


def _shelve(
    judged: Sequence[JudgedTrend],
    pooled: Pooled,
    place: Workplace,
    plan: TrainingRound,
    progress: ProgressReport,
) -> tuple[list[TrendTrainingResult], dict[str, str]]:
    shelf, tracker = place.shelf(), open_tracker(plan.settings.tracking, place.home)
    models, failed = [], {}
    for one in judged:
        moment = training_moment(place, one.result.experiment.until, plan.now)
        try:
            model = shelve_trend(one, pooled[one.result.direction], shelf, moment)
        except MakeUsRichError as error:
            failed[one.result.name] = " ".join(str(error).split())
            continue
        trained = Trained(model.name, model.version, one.result.models)
        tell_trained(tracker, shelf, trained, progress.say)
        models.append(model)
        progress.report(f"Shelving {len(judged)} models", len(models), len(judged))
    return models, failed


def _record(
    models: Sequence[TrendTrainingResult], pooled: Pooled, failed: Mapping[str, str], began: float
) -> dict[str, Any]:
    return {
        "models": [model.to_dict() for model in sorted(models, key=lambda model: model.name)],
        "pooled": {
            direction: {baseline: asdict(test) for baseline, test in tests.items()}
            for direction, tests in pooled.items()
        },
        "failed": [{"name": name, "reason": reason} for name, reason in sorted(failed.items())],
        "seconds": time.monotonic() - began,
    }
