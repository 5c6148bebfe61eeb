"""The report's sentences, in plain words: no number without its yardstick, count and spread."""

from collections.abc import Sequence
from itertools import groupby

from make_us_rich.evaluation.blocks import block_milliseconds
from make_us_rich.evaluation.reporting.facts import HorizonRecord, ReportFacts, ReportSubject, Verdict
from make_us_rich.evaluation.reporting.numbers import (
    SPACE,
    ahead,
    count,
    joined,
    p_words,
    percent,
    plus_minus,
)
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import NAIVE_BASELINES

_DAY_MS = 86_400_000


def question(facts: ReportFacts) -> str:
    """Return what was asked."""
    horizons = joined([ahead(h, facts.backtest.timeframe) for h in facts.backtest.horizons])
    return (
        f"How far may {facts.subject.symbol} move in the next {horizons}? Each answer is 13 quantiles of the "
        f"close, made from closed {facts.subject.timeframe} candles and nothing later."
    )


def verdict(facts: ReportFacts) -> list[tuple[str, bool]]:
    """Return one sentence per forecaster that serves, and whether it is proven; the candidate comes first."""
    candidate = facts.subject.candidate
    ordered = sorted(facts.verdicts, key=lambda v: (not v.passed, v.served_by != candidate, v.served_by))
    return [
        (_ruling(facts, list(rows)), passed)
        for (_, passed), rows in groupby(ordered, key=lambda v: (v.served_by, v.passed))
    ]


def whole_blocks_words(record: HorizonRecord, timeframe: Timeframe) -> str:
    """Return how many whole blocks a test rests on, and how long they are."""
    days = block_milliseconds(record.evidence.horizon, timeframe) / _DAY_MS
    length = "weeks" if days == 7 else f"blocks of {days:g} days"
    return f"{count(record.evidence.blocks)} whole {length}"


def headline(facts: ReportFacts) -> str:
    """Return the first horizon's skill with its yardstick, spread and count."""
    first = facts.candidate_records[0]
    yardstick = facts.yardsticks[0]
    skill = first.evidence.skill[yardstick]
    amount = (
        "the same as"
        if round(100 * skill, 1) == 0
        else (f"{percent(abs(skill))} {'lower' if skill > 0 else 'higher'} than")
    )
    return (
        f"{ahead(first.evidence.horizon, facts.backtest.timeframe)} ahead, the quantile loss of "
        f"{facts.subject.candidate} is {amount} that of {yardstick} "
        f"({basis(first, yardstick, facts.backtest.timeframe)})."
    )


def basis(record: HorizonRecord, baseline: str, timeframe: Timeframe) -> str:
    """Return the spread, the folds, the p-value and the counts behind a skill."""
    evidence = record.evidence
    spread = plus_minus(record.skill_spread[baseline])
    folds = f"{spread} over {evidence.folds} folds" if spread else "one fold, so no spread"
    return (
        f"{folds}; {p_words(evidence.p_value[baseline])} on {whole_blocks_words(record, timeframe)}; "
        f"n{SPACE}={SPACE}{count(evidence.n)}"
    )


def served_words(served_by: str) -> str:
    """Return who serves, and that it is a baseline where it is a naive one."""
    return f"{served_by} (baseline)" if served_by in NAIVE_BASELINES else served_by


def remake(subject: ReportSubject) -> list[tuple[str, str]]:
    """Return what is needed beside the command to make the report again."""
    return [
        ("Snapshot (SHA-256)", subject.snapshot_hash),
        ("Candles", f"{subject.data_start:%Y-%m-%d %H:%M} to {subject.data_end:%Y-%m-%d %H:%M} UTC"),
        ("Source", f"{subject.source}, {subject.market} market"),
        ("Seed", str(subject.seed)),
        ("Version", f"Make Us Rich {subject.code_version}"),
    ]


def _ruling(facts: ReportFacts, rows: Sequence[Verdict]) -> str:
    candidate, served_by = facts.subject.candidate, rows[0].served_by
    horizons = joined([ahead(v.horizon, facts.backtest.timeframe) for v in rows])
    where = "every horizon" if len(rows) == len(facts.verdicts) > 1 else horizons
    if not rows[0].passed:
        return f"{served_by} stands in at {where}: no model passed the rule."
    if served_by == candidate:
        return (
            f"{served_by} serves at {where}: it is proven better than its yardsticks, with an interval that "
            "holds what it states."
        )
    return (
        f"{served_by} serves at {where}: it is proven better than the naive baselines; {candidate} did not "
        "pass the rule."
    )
