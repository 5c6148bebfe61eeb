"""A trial: one experiment run through its folds, judged per horizon, and nothing written yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from make_us_rich.evaluation.evidence import HorizonEvidence, gather_evidence
from make_us_rich.evaluation.folds import Fold, SeriesShape, walk_forward
from make_us_rich.evaluation.walk_forward import OnProgress, PriceCandidate, WalkForward, run_walk_forward
from make_us_rich.features.inputs import read_inputs, require_told
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.price_features import WARM_UP
from make_us_rich.models.price_table import PriceTable, build_price_table
from make_us_rich.models.quantiles import BASELINES
from make_us_rich.registry.promotion import HorizonVerdict, judge_horizon
from make_us_rich.training.price.candidates import price_candidates
from make_us_rich.training.price.experiment import PriceExperiment

Evidence = Mapping[str, tuple[HorizonEvidence, ...]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a decision rests on: folds, forecasts, evidence per forecaster, and a verdict per horizon."""

    experiment: PriceExperiment
    candles: CandleArrays
    table: PriceTable
    candidates: tuple[PriceCandidate, ...]
    folds: tuple[Fold, ...]
    walk: WalkForward
    evidence: Evidence
    verdicts: tuple[HorizonVerdict, ...]

    @property
    def subject_evidence(self) -> tuple[HorizonEvidence, ...]:
        """The evidence of the experiment's own model, naming who serves each horizon."""
        own = self.evidence[self.experiment.model]
        return tuple(e.with_served_by(v.served_by) for e, v in zip(own, self.verdicts, strict=True))


@dataclass(frozen=True, slots=True)
class RecipeInputs:
    """The candles of a snapshot as the recipe of an experiment reads them."""

    candles: CandleArrays
    table: PriceTable


def read_recipe(experiment: PriceExperiment, snapshot: Snapshot) -> RecipeInputs:
    """Return what an experiment reads; `DataError` where the candles do not tell it."""
    inputs, timeframe = experiment.inputs, snapshot.timeframe
    subject = f"{snapshot.symbol} {timeframe} from {snapshot.source}"
    require_told(snapshot.candles, timeframe, inputs, subject)
    candles = read_inputs(snapshot.candles, timeframe, inputs)
    table = build_price_table(
        candles.open_time_ms, candles.ohlcv, timeframe, experiment.horizons, candles.columns
    )
    return RecipeInputs(candles, table)


def run_trial(
    experiment: PriceExperiment, snapshot: Snapshot, on_progress: OnProgress | None = None
) -> Trial:
    """Run an experiment on a snapshot; a `DataError` that forbids it is raised before any fit begins."""
    candidates = price_candidates(experiment)
    read = read_recipe(experiment, snapshot)
    folds = walk_forward(
        SeriesShape(
            n_rows=snapshot.rows,
            warm_up=WARM_UP + max(candidate.window for candidate in candidates),
            longest_horizon=max(experiment.horizons),
            timeframe=snapshot.timeframe,
        )
    )
    walk = run_walk_forward(read.table, candidates, folds, on_progress)
    names = dict.fromkeys((*BASELINES, experiment.model))
    evidence = {name: gather_evidence(walk.backtest, name) for name in names}
    verdicts = tuple(
        judge_horizon({name: records[j] for name, records in evidence.items()}, experiment.model)
        for j in range(len(experiment.horizons))
    )
    return Trial(experiment, read.candles, read.table, candidates, folds, walk, evidence, verdicts)
