"""A new version against the champion: both judged on candles the champion had not seen."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import numpy as np
from pydantic import ValidationError

from make_us_rich.errors import ArtifactError, UnknownNameError
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.blocks import BlockMeans, block_milliseconds, whole_blocks
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.forecast import NAIVE_BASELINES, FloatArray
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.promotion import (
    Succession,
    SuccessionVerdict,
    decided_this_week,
    judge_succession,
)
from make_us_rich.registry.shelf import Decision, Shelf
from make_us_rich.training.experiment import Experiment
from make_us_rich.training.trial import Trial

_WINDOWS_AT_ONCE = 256

DecisionKind = Literal["first", "refresh", "challenge"]


def decide(trial: Trial, snapshot: Snapshot, shelf: Shelf, version: int, now: datetime) -> Decision:
    """Return the decision on a freshly shelved version; nothing is written here."""
    kind, accepted, reason = _against_champion(trial, snapshot, shelf, now)
    reasons = [text for verdict in trial.verdicts for text in verdict.reasons]
    first = trial.verdicts[0]
    if not first.passed:
        accepted = False
        reason = f"kept back: {first.served_by} serves the first horizon, so nothing is promoted"
    return Decision(at=now, version=version, kind=kind, promoted=accepted, reasons=(reason, *reasons))


def _against_champion(
    trial: Trial, snapshot: Snapshot, shelf: Shelf, now: datetime
) -> tuple[DecisionKind, bool, str]:
    name = trial.experiment.name
    pointer = shelf.champion(name)
    if pointer is None:
        return "first", True, "promoted: no champion stands before it"
    try:
        champion = shelf.load(name, pointer.version)
    except (ArtifactError, UnknownNameError) as error:
        return "first", True, f"promoted: the champion, version {pointer.version}, cannot be used ({error})"
    kind = succession_kind(champion.manifest, trial.experiment)
    if kind == "refresh" and champion.manifest.snapshot.hash == snapshot.content_hash:
        return kind, False, f"kept back: version {pointer.version} is this experiment on these candles"
    if earlier := decided_this_week(kind, shelf.decisions(name), now):
        day = f"{earlier.at:%Y-%m-%d %H:%M}"
        return kind, False, f"kept back: a {kind} was decided on {day}; at most one a week is judged"
    if lacking := unread_columns(champion.manifest, trial, snapshot):
        reason = f"the champion reads {', '.join(lacking)}, which these candles do not have"
        return kind, False, f"kept back: {reason}; train with its inputs, or `mur models promote` by hand"
    candles = CandleArrays.from_frame(snapshot.candles, champion.manifest.activity_columns)
    verdict = compare(champion, trial, candles, kind)
    return kind, verdict.accepted, f"{'promoted' if verdict.accepted else 'kept back'}: {verdict.reason}"


def succession_kind(champion: Manifest, experiment: Experiment) -> Succession:
    """Say whether the experiment is the champion's with newer data, or another."""
    try:
        same = Experiment.model_validate(champion.experiment).recipe() == experiment.recipe()
    except ValidationError:
        return "challenge"
    return "refresh" if same else "challenge"


def unread_columns(champion: Manifest, trial: Trial, snapshot: Snapshot) -> list[str]:
    """Return what the champion reads and a snapshot lacks; the variance of another market is not its own."""
    is_same_market = champion.market_symbols == trial.experiment.market
    there = [name for name in snapshot.candles.columns if name != MARKET_VARIANCE or is_same_market]
    return [name for name in champion.activity_columns if name not in there]


def compare(champion: Artifact, trial: Trial, candles: CandleArrays, kind: Succession) -> SuccessionVerdict:
    """Judge the trial's fold models against the champion on outer cutoffs it had not seen.

    `candles` are those of the trial, with the activity the champion reads.
    """
    data_end_ms = round(champion.manifest.data_end.timestamp() * 1000)
    unseen = trial.walk.backtest.since(data_end_ms)
    horizons = [h for h in unseen.horizons if h in champion.manifest.horizons]
    own = {v.horizon: unseen.quantiles[v.served_by] for v in trial.verdicts}
    challenger = _served_loss(unseen, [own[h][:, unseen.horizons.index(h)] for h in horizons], horizons)
    theirs = champion_quantiles(champion, candles, unseen, horizons)
    champion_loss = _served_loss(unseen, theirs, horizons)
    return judge_succession(
        kind, _weekly(unseen, champion_loss, horizons), _weekly(unseen, champion_loss - challenger, horizons)
    )


def champion_quantiles(
    champion: Artifact, candles: CandleArrays, unseen: Backtest, horizons: Sequence[int]
) -> list[FloatArray]:
    """Return what the champion serves at each horizon: log-return quantiles (n, level)."""
    lookback = champion.manifest.lookback
    ends = np.searchsorted(candles.open_time_ms, unseen.cutoff_ms)  # one past the last known candle
    parts = [np.empty((0, len(champion.manifest.horizons), len(champion.manifest.quantile_levels)))]
    for start in range(0, len(ends), _WINDOWS_AT_ONCE):
        index = ends[start : start + _WINDOWS_AT_ONCE, None] + np.arange(-lookback, 0)
        parts.append(champion.forecaster.quantiles(*candles.at(index)))
    log_returns = np.log(np.concatenate(parts) / unseen.last_close[:, None, None])
    served: list[FloatArray] = []
    for h in horizons:
        name = champion.manifest.served_by[str(h)]
        position = champion.manifest.horizons.index(h)
        naive = name in NAIVE_BASELINES
        served.append(
            unseen.quantiles[name][:, unseen.horizons.index(h)] if naive else log_returns[:, position]
        )
    return served


def _served_loss(unseen: Backtest, quantiles: Sequence[FloatArray], horizons: Sequence[int]) -> FloatArray:
    """Mean over horizons of the loss (n,) in units of the past week's volatility over that horizon."""
    losses = [
        quantile_loss(q, unseen.returns[:, unseen.horizons.index(h)]) / (unseen.week_volatility * np.sqrt(h))
        for q, h in zip(quantiles, horizons, strict=True)
    ]
    mean: FloatArray = np.mean(losses, axis=0)
    return mean


def _weekly(unseen: Backtest, values: FloatArray, horizons: Sequence[int]) -> BlockMeans:
    block_ms = block_milliseconds(max(horizons), unseen.timeframe)
    return whole_blocks(values, unseen.cutoff_ms, block_ms, unseen.timeframe)
