"""The training of a pool in words, for the terminal."""

from collections.abc import Mapping
from typing import Any

from make_us_rich.commands.wording import table
from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.models.trend_baselines import TREND_BASELINES


def trend_round_lines(record: Mapping[str, Any]) -> list[str]:
    """Say per coin and direction who won, how that did against each baseline, and who serves."""
    models, failed = record["models"], record["failed"]
    head = ["model", "version", "winner", "n", "AUC", "Brier", *TREND_BASELINES, "p", "serves"]
    lines = table([head, *(_row(model) for model in models)]) if models else []
    lines += [f"{model['name']}: {_why(model)}" for model in sorted(models, key=lambda one: one["name"])]
    lines += [
        f"All {test['coins']} coins {direction}: skill {test['skill']:+.2%} against {baseline}, "
        f"p = {test['p_value']:.3g}"
        for direction, tests in record["pooled"].items()
        for baseline, test in tests.items()
        if test["coins"] > 1
    ]
    lines += [f"{failure['name']}: FAILED, {failure['reason']}" for failure in failed]
    promoted = sum(model["promoted"] for model in models)
    seconds = f"{record['seconds']:.0f} s"
    return [*lines, f"{len(models)} trained, {promoted} promoted, {len(failed)} failed ({seconds})."]


def _why(model: Mapping[str, Any]) -> str:
    reason, *further = model["reasons"]
    said = f"{reason}; {further[0]}" if further and not model["promoted"] else reason
    if model["dropped"]:
        said += f"; left out: {', '.join(model['dropped'])}"
    return str(said)


def _row(model: Mapping[str, Any]) -> list[str]:
    evidence = next(one for one in model["evidence"] if one["forecaster"] == POOL)
    return [
        model["name"],
        str(model["version"]),
        model["winner"],
        str(evidence["n"]),
        f"{evidence['roc_auc']:.2f}",
        f"{evidence['brier']:.3f}",
        *(f"{evidence['skill'][baseline]:+.1%}" for baseline in TREND_BASELINES),
        f"{evidence['p_value']['random_walk']:.2g}",
        model["served_by"] + ("" if model["promoted"] else " (baseline)"),
    ]
