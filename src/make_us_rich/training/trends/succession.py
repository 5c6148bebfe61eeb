"""A new trend model against the champion: both judged on days the champion had not seen."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from make_us_rich.errors import ArtifactError, ExperimentError, UnknownNameError
from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts
from make_us_rich.evaluation.trends.scores import brier_losses
from make_us_rich.models.forecast import FloatArray
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.artifact import TrendArtifact
from make_us_rich.registry.promotion import (
    Succession,
    SuccessionVerdict,
    decided_this_week,
    judge_succession,
)
from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.trends.experiment import TrendExperiment, build_trend
from make_us_rich.training.trends.pool import TrendResult

_FIRST = "promoted: no champion stands before it"


def against_champion(result: TrendResult, shelf: Shelf, now: datetime) -> tuple[Succession | str, bool, str]:
    """Return the kind of the decision, whether the rule of succession lets the result through, and why."""
    pointer = shelf.champion(result.name)
    if pointer is None:
        return "first", True, _FIRST
    try:
        champion = shelf.load_trend(result.name, pointer.version)
    except (ArtifactError, UnknownNameError) as error:
        return "first", True, f"promoted: the champion, version {pointer.version}, cannot be used ({error})"
    kind: Succession = "refresh" if _same_recipe(champion, result.experiment) else "challenge"
    if kind == "refresh" and champion.manifest.snapshot.hash == result.span.reference.hash:
        return kind, False, f"kept back: version {pointer.version} is this experiment on these candles"
    if earlier := decided_this_week(kind, shelf.decisions(result.name), now):
        day = f"{earlier.at:%Y-%m-%d %H:%M}"
        return kind, False, f"kept back: a {kind} was decided on {day}; at most one a week is judged"
    verdict = compare(champion, result, kind)
    return kind, verdict.accepted, f"{'promoted' if verdict.accepted else 'kept back'}: {verdict.reason}"


def compare(champion: TrendArtifact, result: TrendResult, kind: Succession) -> SuccessionVerdict:
    """Judge the fold models of a result against the champion on outer days after the champion's data."""
    outer = result.outer
    unseen = outer.cutoff_ms > round(champion.manifest.data_end.timestamp() * 1000)
    theirs = brier_losses(outer.outcome[unseen], _served(champion, result, unseen))
    own = brier_losses(outer.outcome[unseen], outer.probability[POOL][unseen])
    days = OuterForecasts(
        outer.timeframe, outer.cutoff_ms[unseen], outer.fold[unseen], outer.outcome[unseen], {}
    )
    return judge_succession(kind, days.blocks(theirs), days.blocks(theirs - own))


def _served(champion: TrendArtifact, result: TrendResult, rows: NDArray[np.bool_]) -> FloatArray:
    name = champion.manifest.served_by
    if name in TREND_BASELINES:
        return result.outer.probability[name][rows]
    said: FloatArray = champion.classifier.probability(result.outer_features[rows])
    return said


def _same_recipe(champion: TrendArtifact, experiment: TrendExperiment) -> bool:
    try:
        return build_trend(champion.manifest.experiment, "champion").recipe() == experiment.recipe()
    except (ExperimentError, ValidationError):
        return False
