"""One version on the shelf in words, for the terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from make_us_rich.commands.wording import evidence_rows, mark, minute, number, p_value, table
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.trends.evidence import TrendEvidence
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.operations.shelf import ShownVersion


def model_lines(shown: ShownVersion) -> list[str]:
    """Show what a version is, how it did, and what was decided about it."""
    manifest = shown.manifest
    said = f"{manifest.name} version {manifest.version} ({manifest.model}), {_served(shown)}"
    data = f"{manifest.snapshot.rows:,} candles to {minute(manifest.data_end)}"
    lines = [
        f"{said}{mark(manifest.market)}",
        *_question(shown),
        f"  trained {minute(manifest.trained_at)} on {data} from {manifest.source}",
    ]
    for decision in shown.decisions:
        lines.append(f"  {minute(decision.at)} {decision.kind}:")
        lines += [f"    {reason}" for reason in decision.reasons]
    return [*lines, *table(_evidence_rows(shown.evidence))]


def _served(shown: ShownVersion) -> str:
    if not shown.is_champion:
        return "not served"
    by = shown.manifest.who_serves()
    return f"served now by {by}" if by else "served now"


def _question(shown: ShownVersion) -> list[str]:
    event = shown.manifest.event_words()
    return [f"  says how probable it is that {event}"] if event else []


def _evidence_rows(evidence: Sequence[object]) -> list[list[str]]:
    rows = _ROWS.get(type(evidence[0])) if evidence else None
    return rows(evidence) if rows else []


def _trend_rows(evidence: Sequence[TrendEvidence]) -> list[list[str]]:
    against = [f"against {name}" for name in TREND_BASELINES]
    head = ["forecaster", "n", "blocks", "AUC", "Brier", *against, "p against random_walk"]
    rows = [
        [
            one.forecaster,
            f"{one.n:,}",
            str(one.blocks),
            number(one.roc_auc, ".2f"),
            number(one.brier, ".4f"),
            *(number(one.skill.get(name), "+.1%") for name in TREND_BASELINES),
            p_value(one.p_value.get("random_walk")),
        ]
        for one in evidence
    ]
    return [head, *rows] if rows else []


_ROWS: Mapping[type, Callable[[Sequence[Any]], list[list[str]]]] = {
    HorizonEvidence: evidence_rows,
    TrendEvidence: _trend_rows,
}
"""How evidence is set in columns; that of other kinds is read with `--json`."""
