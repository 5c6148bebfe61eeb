"""Trends in words, for the terminal."""

from collections.abc import Sequence
from itertools import groupby

from make_us_rich.commands.wording import mark, minute, number, p_value, table
from make_us_rich.features.trend_labels import TrendLabel, label_words
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.serving.trend_schemas import (
    ChallengerAnswer,
    TrendAnswer,
    TrendEvidenceAnswer,
    TrendListAnswer,
)


def trends_lines(found: TrendListAnswer) -> list[str]:
    """Show the trends question by question, the most probable first, each beside its yardsticks."""
    lines: list[str] = []
    ordered = sorted(found.trends, key=_question)
    for question, trends in groupby(ordered, key=_question):
        lines += [f"Probability that {question}{mark(found.market)}:", *table(_rows(list(trends)))]
    reasons = dict.fromkeys(one.reason for one in found.unavailable)
    return [*lines, *(f"no trend: {reason}" for reason in reasons)]


def _question(trend: TrendAnswer) -> str:
    known = f"{trend.timeframe} candles to {minute(trend.cutoff)} UTC"
    return f"{label_words(TrendLabel(**trend.label.model_dump()), trend.direction)} ({known})"


def _rows(trends: Sequence[TrendAnswer]) -> list[list[str]]:
    head = ["coin", "probability", *(name.replace("_", " ") for name in reversed(TREND_BASELINES))]
    head += ["served by", "not served", "recipe against random walk"]
    return [head, *map(_row, trends)]


def _row(trend: TrendAnswer) -> list[str]:
    challenger, evidence = trend.challenger, trend.evidence
    said = dict(trend.baselines)
    return [
        trend.symbol,
        number(trend.probability, ".3f"),
        *(number(said[name], ".3f") for name in reversed(TREND_BASELINES)),
        trend.served_by + (" (baseline)" if trend.is_baseline else ""),
        _challenger_words(challenger) if challenger else "",
        _skill_words(evidence) if evidence else "no model",
    ]


def _challenger_words(challenger: ChallengerAnswer) -> str:
    doubt = "" if challenger.is_proven else ", not proven better"
    return f"{challenger.model} {challenger.probability:.3f}{doubt}"


def _skill_words(evidence: TrendEvidenceAnswer) -> str:
    skill, p = evidence.skill.get("random_walk"), evidence.p_value.get("random_walk")
    return f"{number(skill, '+.1%')} (p {p_value(p)}, {evidence.blocks} blocks)"
