"""Trainings in words, for the terminal, and the answer of `mur train --json`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

from make_us_rich.commands.wording import evidence_rows, table
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.operations.requests import TrainResult
from make_us_rich.registry.trend_promotion import PooledTest
from make_us_rich.training.trained import FailedTraining, TrainedModel, TriedForecaster


def train_answer(result: TrainResult) -> Mapping[str, object]:
    """Return what `--json` tells: of one model that is judged alone that model, otherwise all of them."""
    models = [_model(model) for model in result.models]
    if result.pooled is not None:
        return {
            "models": models,
            "pooled": result.pooled,
            "failed": result.failed,
            "seconds": result.seconds,
        }
    if is_of_one(result):
        return models[0]
    return {"models": models, "failed": result.failed}


def train_lines(result: TrainResult) -> list[str]:
    """Say what a training came to, with its evidence."""
    if result.pooled is not None:
        return pool_lines(result, result.pooled)
    if is_of_one(result):
        return training_lines(result.models[0])
    lines = [line for model in result.models for line in training_lines(model)]
    lines += _failure_lines(result.failed)
    return [*lines, f"{_counts(result)}."]


def is_of_one(result: TrainResult) -> bool:
    """Say whether there was one experiment, and it was trained."""
    return len(result.models) == 1 and not result.failed


def training_lines(model: TrainedModel) -> list[str]:
    """Say what one training came to, with its evidence."""
    fate = "promoted" if model.promoted else "kept on the shelf, not promoted"
    lines = [f"{model.name} version {model.version}: {fate} ({model.seconds:.0f} s)"]
    lines += [f"  {reason}" for reason in model.reasons]
    horizons = [one for one in model.evidence if isinstance(one, HorizonEvidence)]
    return [*lines, *table(evidence_rows(horizons))]


def pool_lines(result: TrainResult, pooled: Mapping[str, Mapping[str, PooledTest]]) -> list[str]:
    """Say per coin and direction who won, how that did against each baseline, and who serves."""
    models = result.models
    head = ["model", "version", "winner", "n", "AUC", "Brier", *TREND_BASELINES, "p", "serves"]
    lines = table([head, *(_pool_row(model) for model in models)]) if models else []
    lines += [f"{model.name}: {_why(model)}" for model in models]
    lines += [
        f"All {test.coins} coins {group}: skill {test.skill:+.2%} against {baseline}, p = {test.p_value:.3g}"
        for group, tests in pooled.items()
        for baseline, test in tests.items()
        if test.coins > 1
    ]
    return [*lines, *_failure_lines(result.failed), f"{_counts(result)} ({result.seconds:.0f} s)."]


def _model(model: TrainedModel) -> dict[str, object]:
    told = {one.name: getattr(model, one.name) for one in fields(model) if one.name != "choice"}
    return told if model.choice is None else told | asdict(model.choice)


def _counts(result: TrainResult) -> str:
    promoted = sum(model.promoted for model in result.models)
    return f"{len(result.models)} trained, {promoted} promoted, {len(result.failed)} failed"


def _failure_lines(failed: Sequence[FailedTraining]) -> list[str]:
    return [f"{failure.name}: FAILED, {failure.reason}" for failure in failed]


def _why(model: TrainedModel) -> str:
    reason, *further = model.reasons
    said = f"{reason}; {further[0]}" if further and not model.promoted else reason
    if model.choice is not None and model.choice.dropped:
        said += f"; left out: {', '.join(model.choice.dropped)}"
    return said


def _pool_row(model: TrainedModel) -> list[str]:
    tried = [one for one in model.evidence if isinstance(one, TriedForecaster)]
    evidence = next(one for one in tried if one.forecaster == POOL)
    winner, served_by = (model.choice.winner, model.choice.served_by) if model.choice else ("", "")
    return [
        model.name,
        str(model.version),
        winner,
        str(evidence.n),
        f"{evidence.roc_auc:.2f}",
        f"{evidence.brier:.3f}",
        *(f"{evidence.skill[baseline]:+.1%}" for baseline in TREND_BASELINES),
        f"{evidence.p_value['random_walk']:.2g}",
        served_by + ("" if model.promoted else " (baseline)"),
    ]
