"""A pool in training: coins side by side in processes, each with both directions, and what became of them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from make_us_rich.errors import ArtifactError, DataError
from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts, TrendEvidence
from make_us_rich.evaluation.trends.folds import FoldPlan, outer_rows
from make_us_rich.evaluation.trends.table import TrendTable, build_trend_table
from make_us_rich.features.trend_labels import Direction
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.snapshot import load_snapshot
from make_us_rich.registry.manifest import SnapshotReference
from make_us_rich.settings import Market
from make_us_rich.training.parallel import Failure, Work
from make_us_rich.training.trends.experiment import TrendExperiment
from make_us_rich.training.trends.finals import FinalModels, fit_finals
from make_us_rich.training.trends.trial import run_trend_trial


@dataclass(frozen=True, slots=True)
class TrendTask:
    """One coin as a worker gets it: where things lie, not the things themselves."""

    experiment: TrendExperiment
    market: Market
    snapshots: Path
    snapshot_hash: str
    plan: FoldPlan


@dataclass(frozen=True, slots=True)
class CandleSpan:
    """Which candles a result rests on."""

    market: Market
    source: str
    reference: SnapshotReference
    data_end: datetime


@dataclass(frozen=True, slots=True, eq=False)
class TrendResult:
    """One coin and direction, tried and fitted; whether it serves is decided where all coins are known."""

    experiment: TrendExperiment
    direction: Direction
    span: CandleSpan
    folds_end_ms: int
    outer: OuterForecasts
    outer_features: NDArray[np.float32]
    evidence: Mapping[str, TrendEvidence]
    published: Mapping[str, Mapping[str, float]]
    chosen: Mapping[int, str]
    winner: str
    dropped: Mapping[str, str]
    models: FinalModels
    seconds: float

    @property
    def name(self) -> str:
        """The name its model is shelved under."""
        return self.experiment.name(self.direction)


@dataclass(frozen=True, slots=True)
class TrendOutcome:
    """What became of a coin: a result per direction, and one line for every direction without."""

    symbol: str
    results: tuple[TrendResult, ...]
    failures: Mapping[str, str]
    is_lost: bool = False


def train_trend_task(task: TrendTask) -> TrendOutcome:
    """Try and fit every direction of a coin; this is what a worker runs."""
    import torch

    torch.set_num_threads(1)  # one thread per process: more collapse when the processor is shared
    experiment = task.experiment
    snapshot = load_snapshot(task.snapshots, task.snapshot_hash)
    span = CandleSpan(
        market=task.market,
        source=snapshot.source,
        reference=SnapshotReference(
            hash=snapshot.content_hash, first=snapshot.first, last=snapshot.last, rows=snapshot.rows
        ),
        data_end=snapshot.data_end,
    )
    candles = CandleArrays.from_frame(snapshot.candles)
    label = experiment.label.to_label()
    table = build_trend_table(snapshot.symbol, snapshot.timeframe, candles, label)
    results, failures = [], {}
    for direction in experiment.directions:
        try:
            results.append(_train_direction(task, table, direction, span))
        except (DataError, ArtifactError) as error:
            failures[experiment.name(direction)] = " ".join(str(error).split())
    return TrendOutcome(experiment.symbol, tuple(results), failures)


def _train_direction(
    task: TrendTask, table: TrendTable, direction: Direction, span: CandleSpan
) -> TrendResult:
    began = time.monotonic()
    budget = task.experiment.budget_seconds
    trial = run_trend_trial(
        task.experiment, table, direction, task.plan, lambda: time.monotonic() - began > budget
    )
    models = fit_finals(trial)
    return TrendResult(
        experiment=task.experiment,
        direction=direction,
        span=span,
        folds_end_ms=task.plan.end_ms,
        outer=trial.outer,
        outer_features=table.features[outer_rows(trial.walk.question.folds)],
        evidence=trial.evidence,
        published={name: trial.walk.published(name) for name in (*trial.candidates, POOL)},
        chosen=trial.walk.chosen,
        winner=trial.walk.winner,
        dropped=trial.walk.dropped,
        models=models,
        seconds=time.monotonic() - began,
    )


def _failed(task: TrendTask, failure: Failure) -> TrendOutcome:
    names = [task.experiment.name(direction) for direction in task.experiment.directions]
    return TrendOutcome(task.experiment.symbol, (), dict.fromkeys(names, failure.reason), failure.is_lost)


TREND_TRAINING = Work(train_trend_task, _failed)
"""What `run_tasks` and `run_in_processes` do with a coin."""
