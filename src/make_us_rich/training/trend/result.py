"""One coin and direction in training: tried, fitted, and what came of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts, TrendEvidence
from make_us_rich.evaluation.trends.folds import FoldPlan, plan_folds
from make_us_rich.evaluation.trends.table import TrendTable, build_trend_table
from make_us_rich.features.trend_labels import Direction
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.training.fits import CandleSpan, Occasion
from make_us_rich.training.trend.experiment import TrendExperiment
from make_us_rich.training.trend.finals import FinalModels, fit_finals
from make_us_rich.training.trend.trial import run_trend_trial


@dataclass(frozen=True, slots=True, eq=False)
class TrendResult:
    """One coin and direction, tried and fitted; whether it serves is decided where all coins are known."""

    experiment: TrendExperiment
    direction: Direction
    span: CandleSpan
    folds_end_ms: int
    outer: OuterForecasts
    evidence: Mapping[str, TrendEvidence]
    published: Mapping[str, Mapping[str, float]]
    chosen: Mapping[int, str]
    winner: str
    dropped: Mapping[str, str]
    models: FinalModels

    @property
    def name(self) -> str:
        """The name its model is shelved under."""
        return self.experiment.name(self.direction)


def train_direction(experiment: TrendExperiment, direction: Direction, occasion: Occasion) -> TrendResult:
    """Try and fit one direction of a coin, within the budget of the experiment."""
    began, budget = time.monotonic(), experiment.budget_seconds
    plan, table = plan_of(experiment, occasion), table_of(experiment, occasion.snapshot)
    trial = run_trend_trial(experiment, table, direction, plan, lambda: time.monotonic() - began > budget)
    models = fit_finals(trial)
    return TrendResult(
        experiment=experiment,
        direction=direction,
        span=CandleSpan.of(occasion.snapshot),
        folds_end_ms=plan.end_ms,
        outer=trial.outer,
        evidence=trial.evidence,
        published={name: trial.walk.published(name) for name in (*trial.candidates, POOL)},
        chosen=trial.walk.chosen,
        winner=trial.walk.winner,
        dropped=trial.walk.dropped,
        models=models,
    )


def table_of(experiment: TrendExperiment, snapshot: Snapshot) -> TrendTable:
    """Return the coin as the candidates see it."""
    candles = CandleArrays.from_frame(snapshot.candles)
    return build_trend_table(snapshot.symbol, snapshot.timeframe, candles, experiment.label)


def plan_of(experiment: TrendExperiment, occasion: Occasion) -> FoldPlan:
    """Return how the days are cut: on the same days for all coins that are trained together."""
    return plan_folds(
        round(occasion.end.timestamp() * 1000),
        experiment.label.horizon,
        occasion.snapshot.timeframe.milliseconds,
        **experiment.folds.model_dump(),
    )
