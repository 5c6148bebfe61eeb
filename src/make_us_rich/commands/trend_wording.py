"""Trends in words, for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from make_us_rich.commands.wording import mark, minute, number, p_value, table
from make_us_rich.models.trend_baselines import TREND_BASELINES

_WORDS = {
    ("sma-change", "up"): "the {average}-candle average is {percent} higher or more in {horizon} candles",
    ("sma-change", "down"): "the {average}-candle average is {percent} lower or more in {horizon} candles",
    ("close-change", "up"): "the close is {percent} higher or more in {horizon} candles",
    ("close-change", "down"): "the close is {percent} lower or more in {horizon} candles",
    ("touch", "up"): "a high within {horizon} candles lies {percent} or more above the close",
    ("touch", "down"): "a low within {horizon} candles lies {percent} or more below the close",
}


def trends_lines(record: Mapping[str, Any]) -> list[str]:
    """Show the trends question by question, the most probable first, each beside its yardsticks."""
    lines: list[str] = []
    ordered = sorted(record["trends"], key=_question)
    for question, trends in groupby(ordered, key=_question):
        lines += [f"Probability that {question}{mark(record['market'])}:", *table(_rows(list(trends)))]
    reasons = dict.fromkeys(one["reason"] for one in record["unavailable"])
    return [*lines, *(f"no trend: {reason}" for reason in reasons)]


def trend_model_lines(record: Mapping[str, Any]) -> list[str]:
    """Show one version of a trend: what it is, how its forecasters did, and what was decided about it."""
    manifest = record["manifest"]
    served = f"served now by {manifest['served_by']}" if record["is_champion"] else "not served"
    said = f"{manifest['name']} version {manifest['version']} ({manifest['model']}), {served}"
    direction = manifest["kind"].removeprefix("trend-")
    data = f"{manifest['snapshot']['rows']:,} candles to {minute(manifest['data_end'])}"
    lines = [
        f"{said}{mark(manifest['market'])}",
        f"  says how probable it is that {label_words(manifest['label'], direction)}",
        f"  trained {minute(manifest['trained_at'])} on {data} from {manifest['source']}",
    ]
    for decision in record["decisions"]:
        lines.append(f"  {minute(decision['at'])} {decision['kind']}:")
        lines += [f"    {reason}" for reason in decision["reasons"]]
    return [*lines, *table(_evidence_rows(record["evidence"]))]


def label_words(label: Mapping[str, Any], direction: str) -> str:
    """Say which event a probability is of.

    >>> label_words({"kind": "touch", "average": 10, "horizon": 5, "threshold": 0.1}, "up")
    'a high within 5 candles lies 10 % or more above the close'
    """
    percent = f"{label['threshold'] * 100:g} %"
    return _WORDS[label["kind"], direction].format(
        percent=percent, average=label["average"], horizon=label["horizon"]
    )


def _question(trend: Mapping[str, Any]) -> str:
    known = f"{trend['timeframe']} candles to {minute(trend['cutoff'])} UTC"
    return f"{label_words(trend['label'], trend['direction'])} ({known})"


def _rows(trends: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    head = ["coin", "probability", *(name.replace("_", " ") for name in reversed(TREND_BASELINES))]
    head += ["served by", "not served", "recipe against random walk"]
    return [head, *map(_row, trends)]


def _row(trend: Mapping[str, Any]) -> list[str]:
    challenger, evidence = trend["challenger"], trend["evidence"]
    return [
        trend["symbol"],
        number(trend["probability"], ".3f"),
        *(number(trend["baselines"][name], ".3f") for name in reversed(TREND_BASELINES)),
        trend["served_by"] + (" (baseline)" if trend["is_baseline"] else ""),
        _challenger_words(challenger) if challenger else "",
        _skill_words(evidence) if evidence else "no model",
    ]


def _challenger_words(challenger: Mapping[str, Any]) -> str:
    doubt = "" if challenger["is_proven"] else ", not proven better"
    return f"{challenger['model']} {challenger['probability']:.3f}{doubt}"


def _skill_words(evidence: Mapping[str, Any]) -> str:
    skill, p = evidence["skill"].get("random_walk"), evidence["p_value"].get("random_walk")
    return f"{number(skill, '+.1%')} (p {p_value(p)}, {evidence['blocks']} blocks)"


def _evidence_rows(evidence: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    against = [f"against {name}" for name in TREND_BASELINES]
    head = ["forecaster", "n", "blocks", "AUC", "Brier", *against, "p against random_walk"]
    rows = [
        [
            one["forecaster"],
            f"{one['n']:,}",
            str(one["blocks"]),
            number(one["roc_auc"], ".2f"),
            number(one["brier"], ".4f"),
            *(number(one["skill"].get(name), "+.1%") for name in TREND_BASELINES),
            p_value(one["p_value"].get("random_walk")),
        ]
        for one in evidence
    ]
    return [head, *rows] if rows else []
