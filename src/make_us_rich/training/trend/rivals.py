"""A trend recipe beside the champion's, both fitted in the same folds."""

from make_us_rich.errors import MakeUsRichError
from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts
from make_us_rich.evaluation.trends.folds import FoldPlan
from make_us_rich.features.trend_labels import Direction
from make_us_rich.forecasting.trend.manifest import TrendManifest
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.training.fits import Comparison, Occasion
from make_us_rich.training.trend.experiment import TrendExperiment, build_trend
from make_us_rich.training.trend.result import TrendResult, plan_of, table_of
from make_us_rich.training.trend.trial import run_trend_trial


def compare(result: TrendResult, occasion: Occasion, champion: TrendManifest) -> Comparison:
    """Fit the champion's recipe in the folds of a result, and return the losses of what each serves."""
    version = champion.version
    try:
        experiment = build_trend(champion.experiment, f"{champion.name}@{version}")
        if experiment.label != result.experiment.label:
            return Comparison(version, refusal=_another_event(champion))
        plan = plan_of(result.experiment, occasion)
        theirs = champion_blocks(champion, experiment, occasion.snapshot, result.direction, plan)
    except MakeUsRichError as error:
        reason = " ".join(str(error).split())
        return Comparison(version, refusal=f"the champion's recipe cannot be fitted here ({reason})")
    return Comparison(version, own=loss_blocks(result.outer, POOL), theirs=theirs)


def champion_blocks(
    champion: TrendManifest,
    experiment: TrendExperiment,
    snapshot: Snapshot,
    direction: Direction,
    plan: FoldPlan,
) -> BlockMeans:
    """Return the loss per block of the champion's recipe, or of the baseline that serves in its place."""
    outer = run_trend_trial(experiment, table_of(experiment, snapshot), direction, plan).outer
    return loss_blocks(outer, champion.served_by if champion.served_by in TREND_BASELINES else POOL)


def loss_blocks(outer: OuterForecasts, name: str) -> BlockMeans:
    """Return the Brier loss of a forecaster per whole block."""
    return outer.blocks(outer.loss(name))


def _another_event(champion: TrendManifest) -> str:
    label = champion.label
    asked = f"{label.kind} by {label.threshold:.3g} in {label.horizon} candles"
    return f"the champion answers another question ({asked}); `mur models promote` by hand"
