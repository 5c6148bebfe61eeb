"""Trends on walks that have none: what the gate lets through, and what the published one did."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.controls.size import SIGNIFICANCE
from make_us_rich.evaluation.controls.tally import Line, at_most
from make_us_rich.evaluation.trends.evidence import TrendEvidence
from make_us_rich.evaluation.trends.scores import PUBLISHED_THRESHOLDS, PublishedScores, published_scores
from make_us_rich.evaluation.trends.table import TrendTable, build_trend_table
from make_us_rich.features.trend_labels import Direction, TrendLabel
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.sources.walk import EPOCH, Climate, Walk, resample
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

DAILY = Timeframe("1d")
Announce = Callable[[NDArray[np.float32], FloatArray, NDArray[np.float32]], NDArray[np.bool_]]

_TEST_SHARE = 0.2
_EPOCH_MS = round(EPOCH.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class TrendFinding:
    """One walk and direction: the p-values of the pool, and whether the published gate opened."""

    direction: str
    p_value: Mapping[str, float]
    skill: Mapping[str, float]
    blocks: int
    published: bool
    refused: str = ""


def simulate_days(climate: Climate, seed: int, weeks: int) -> TrendTable:
    """Return daily candles of a walk; `EPOCH` is a midnight, so whole weeks are whole days."""
    walk = Walk(Symbol("BTC", "USDT"), 46_216.0, seed, climate)
    state, days = walk.start, []
    for week in range(weeks):
        minutes, state = walk.simulate_week(week, state)
        days.append(resample(minutes, 1440))
    ohlcv = np.concatenate(days)
    times = _EPOCH_MS + np.arange(len(ohlcv)) * DAILY.milliseconds
    return build_trend_table(walk.symbol, DAILY, CandleArrays(times, ohlcv), TrendLabel())


def published_gate_opens(
    table: TrendTable,
    direction: Direction,
    announce: Mapping[str, Announce],
) -> bool:
    """Imitate the gate of the second published system: is any candidate good enough on the last fifth?

    Each of `announce` fits on features and labels and calls the events of further features. The candidate is
    chosen on the rows it is judged on, once, with a cut at one half and no baseline, as published.
    """
    rows = table.known_rows(0, len(table))
    start = len(rows) - round(len(rows) * _TEST_SHARE)
    known, test = rows[:start], rows[start:]
    labels = table.labels[direction]
    return any(
        passes_published(
            published_scores(labels[test], call(table.features[known], labels[known], table.features[test]))
        )
        for call in announce.values()
    )


def passes_published(scores: PublishedScores) -> bool:
    """Say whether scores reach the published thresholds."""
    return all(getattr(scores, name) >= least for name, least in PUBLISHED_THRESHOLDS.items())


def trend_finding(direction: str, evidence: TrendEvidence, *, published: bool) -> TrendFinding:
    """Return what a pool came to on one walk."""
    return TrendFinding(direction, evidence.p_value, evidence.skill, evidence.blocks, published)


def trend_lines(findings: Sequence[TrendFinding], walks: str) -> list[Line]:
    """Judge the trends of one kind of walk, by direction."""
    lines = []
    for direction in ("up", "down"):
        found = [f for f in findings if f.direction == direction]
        tried = [f for f in found if not f.refused]
        passed = sum(f.p_value["random_walk"] < SIGNIFICANCE for f in tried)
        whole = sum(max(f.p_value.values()) < SIGNIFICANCE for f in tried)
        skill = np.mean([f.skill["random_walk"] for f in tried]) if tried else np.nan
        opened = sum(f.published for f in tried)
        about = f"{walks}, {direction}"
        lines += [
            at_most("iv", f"{about}: pass against random_walk", passed, len(found)),
            Line("iv", f"{about}: pass against all three baselines", f"{whole} of {len(found)}"),
            Line("iv", f"{about}: mean skill against random_walk", f"{skill:+.1%}"),
            Line("iv", f"{about}: the published gate opens", f"{opened} of {len(found)}"),
        ]
        if len(tried) < len(found):
            lines.append(Line("iv", f"{about}: could not be tried", f"{len(found) - len(tried)}"))
    return lines
