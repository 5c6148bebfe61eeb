"""What the report of a trend model shows: plain values, gathered where the training is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from make_us_rich.evaluation.evidence import skill
from make_us_rich.evaluation.reporting.facts import SIMULATED, SIMULATED_NOTICE, ReportSubject, Ruling, moment
from make_us_rich.evaluation.trends.evidence import POOL, OuterForecasts, TrendEvidence
from make_us_rich.evaluation.trends.explain import TrendExplanation
from make_us_rich.features.trend_labels import Direction, TrendLabel
from make_us_rich.models.trend_baselines import TREND_BASELINES

YARDSTICK = "random_walk"
"""The baseline to beat: it has no fitted parameter and no view on direction."""


class PooledRuling(Protocol):
    """All coins of the direction against one baseline."""

    @property
    def coins(self) -> int:
        """How many coins there are."""

    @property
    def blocks(self) -> int:
        """How many whole blocks the test rests on."""

    @property
    def skill(self) -> float:
        """The skill over all coins and days."""

    @property
    def p_value(self) -> float:
        """The one-sided p-value, every day counted once."""


@dataclass(frozen=True, slots=True, eq=False)
class TrendReportRecord:
    """One coin and direction.

    `subject.candidate` is the winner, whose Shapley values are in `explanation`. `evidence` is by forecaster
    and holds `pool`, the candidates and the baselines; `published` is by candidate and `pool`; `chosen` goes
    from outer fold to candidate, `dropped` from candidate to reason, `pooled` from baseline.
    """

    subject: ReportSubject
    direction: Direction
    label: TrendLabel
    outer: OuterForecasts
    evidence: Mapping[str, TrendEvidence]
    published: Mapping[str, Mapping[str, float]]
    chosen: Mapping[int, str]
    dropped: Mapping[str, str]
    explanation: TrendExplanation
    verdict: Ruling
    pooled: Mapping[str, PooledRuling]

    @property
    def own(self) -> TrendEvidence:
        """The evidence of the recipe that is judged."""
        return self.evidence[POOL]

    @property
    def candidates(self) -> tuple[str, ...]:
        """The candidates that have evidence, the one with the lowest Brier score first."""
        names = [name for name in self.evidence if name not in (*TREND_BASELINES, POOL)]
        return tuple(sorted(names, key=lambda name: self.evidence[name].brier))

    @property
    def notice(self) -> str | None:
        """What must be said before anything else, if anything."""
        return SIMULATED_NOTICE if self.subject.market == SIMULATED else None


@dataclass(frozen=True, slots=True)
class FoldFacts:
    """One outer fold: its days, the candidate that spoke in it, its Brier score and its skill."""

    first_cutoff: datetime
    last_cutoff: datetime
    n: int
    base_rate: float
    candidate: str
    brier: float
    skill: float


def fold_facts(record: TrendReportRecord) -> list[FoldFacts]:
    """Return the outer folds, oldest first; the skill is against `random_walk`."""
    outer = record.outer
    own, naive = outer.loss(POOL), outer.loss(YARDSTICK)
    found = []
    for index in np.unique(outer.fold):
        inside = outer.fold == index
        cutoffs = outer.cutoff_ms[inside]
        found.append(
            FoldFacts(
                first_cutoff=moment(int(cutoffs[0])),
                last_cutoff=moment(int(cutoffs[-1])),
                n=len(cutoffs),
                base_rate=float(outer.outcome[inside].mean()),
                candidate=record.chosen[int(index)],
                brier=float(own[inside].mean()),
                skill=skill(own[inside], naive[inside]),
            )
        )
    return found
