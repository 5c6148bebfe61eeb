"""What a report tells, before it is put into words: computed once, shown as JSON, Markdown and a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.blocks import diebold_mariano_p_value
from make_us_rich.evaluation.diagnostics import (
    Estimate,
    WidthBin,
    move_by_width,
    relative_loss_by_hour,
    reliability,
)
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.scores import (
    HorizonScores,
    fold_skill,
    horizon_scores,
    implausible,
)
from make_us_rich.models.quantiles import BASELINES

SIMULATED = "simulated"
SIMULATED_NOTICE = "SIMULATED market: these candles were generated, no price in this report was ever paid."


@dataclass(frozen=True, slots=True)
class ReportSubject:
    """What was tried, on which candles, and how to try it again.

    `data_start` is the open time of the first candle, `data_end` the close time of the last one, both UTC.
    """

    name: str
    candidate: str
    symbol: str
    timeframe: str
    market: str
    source: str
    data_start: datetime
    data_end: datetime
    snapshot_hash: str
    seed: int
    code_version: str
    command: str


class Ruling(Protocol):
    """Who serves and why, as the promotion rules of the registry decide it."""

    @property
    def served_by(self) -> str:
        """The forecaster that serves."""

    @property
    def passed(self) -> bool:
        """Whether a model serves, not a naive baseline."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The grounds, one sentence each."""


class Verdict(Ruling, Protocol):
    """The ruling on one horizon."""

    @property
    def horizon(self) -> int:
        """The horizon, in candles."""


@dataclass(frozen=True, slots=True)
class HorizonRecord:
    """One forecaster at one horizon; mappings go from baseline, `skill_spread` is over the folds."""

    evidence: HorizonEvidence
    fold_skill: dict[str, tuple[float, ...]]
    skill_spread: dict[str, float]
    diebold_mariano: dict[str, float]
    scores: HorizonScores
    reliability: tuple[Estimate, ...]
    loss_by_hour: dict[int, Estimate]
    move_by_width: tuple[WidthBin, ...]


@dataclass(frozen=True, slots=True)
class FoldSpan:
    """Where an outer fold lies; `index` counts inner folds too, as in the backtest."""

    index: int
    n: int
    first_cutoff: datetime
    last_cutoff: datetime


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything a report shows; `records[forecaster]` and `verdicts` are in the order of the horizons."""

    subject: ReportSubject
    backtest: Backtest
    records: dict[str, tuple[HorizonRecord, ...]]
    verdicts: tuple[Verdict, ...]
    folds: tuple[FoldSpan, ...]
    warnings: tuple[str, ...]

    @property
    def candidate_records(self) -> tuple[HorizonRecord, ...]:
        """The records of the model the report is about."""
        return self.records[self.subject.candidate]

    @property
    def yardsticks(self) -> tuple[str, ...]:
        """The baselines the candidate is held against: all but itself."""
        return tuple(name for name in BASELINES if name != self.subject.candidate)

    @property
    def notice(self) -> str | None:
        """What must be said before anything else, if anything."""
        return SIMULATED_NOTICE if self.subject.market == SIMULATED else None


def gather_facts(
    subject: ReportSubject,
    backtest: Backtest,
    evidence: Mapping[str, tuple[HorizonEvidence, ...]],
    verdicts: Sequence[Verdict],
) -> ReportFacts:
    """Compute what the report shows of every forecaster that has evidence.

    Raises `ValueError` if anything a report needs is missing or does not match the horizons.
    """
    if len(backtest) == 0:
        raise ValueError("the backtest holds no forecast, so there is nothing to report")
    for needed in (subject.candidate, "persistence"):
        if needed not in evidence:
            raise ValueError(f"no evidence for {needed!r}, only for {list(evidence)}")
    horizons = list(backtest.horizons)
    by_horizon = {verdict.horizon: verdict for verdict in verdicts}
    for what, found in [
        ("verdicts", sorted(by_horizon)),
        *((f"evidence of {name}", [e.horizon for e in rows]) for name, rows in evidence.items()),
    ]:
        if found != horizons:
            raise ValueError(f"{what} cover horizons {found}, the backtest {horizons}")
    ordered = tuple(by_horizon[h] for h in horizons)
    losses = {name: backtest.loss(name) for name in dict.fromkeys((*BASELINES, *evidence))}
    records = {
        name: tuple(
            _record(
                backtest,
                name,
                row.with_served_by(ordered[j].served_by),
                {other: loss[:, j] for other, loss in losses.items()},
            )
            for j, row in enumerate(rows)
        )
        for name, rows in evidence.items()
    }
    return ReportFacts(subject, backtest, records, ordered, _folds(backtest), _warnings(records))


def moment(milliseconds: int) -> datetime:
    """Return the UTC moment of a stored time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _record(
    backtest: Backtest, name: str, evidence: HorizonEvidence, losses: Mapping[str, FloatArray]
) -> HorizonRecord:
    position = backtest.horizons.index(evidence.horizon)
    per_fold = {other: fold_skill(losses[name], losses[other], backtest.fold) for other in BASELINES}
    return HorizonRecord(
        evidence=evidence,
        fold_skill=per_fold,
        skill_spread={baseline: _spread(values) for baseline, values in per_fold.items()},
        diebold_mariano={
            other: _diebold_mariano(backtest, losses[name], losses[other], evidence.horizon)
            for other in BASELINES
        },
        scores=horizon_scores(backtest, name, position),
        reliability=reliability(backtest, name, position),
        loss_by_hour=relative_loss_by_hour(backtest, losses[name], losses["persistence"], position),
        move_by_width=move_by_width(backtest, name, position),
    )


def _diebold_mariano(backtest: Backtest, loss: FloatArray, baseline_loss: FloatArray, horizon: int) -> float:
    # scaled as in the block test, so that both judge the same difference; 1 against itself
    return diebold_mariano_p_value((baseline_loss - loss) / backtest.week_volatility, horizon)


def _spread(values: tuple[float, ...]) -> float:
    finite = np.isfinite(values).all()
    return float(np.std(values, ddof=1)) if finite and len(values) > 1 else float("nan")


def _folds(backtest: Backtest) -> tuple[FoldSpan, ...]:
    spans = []
    for index in np.unique(backtest.fold):
        cutoffs = backtest.cutoff_ms[backtest.fold == index]
        spans.append(FoldSpan(int(index), len(cutoffs), moment(int(cutoffs[0])), moment(int(cutoffs[-1]))))
    return tuple(spans)


def _warnings(records: Mapping[str, tuple[HorizonRecord, ...]]) -> tuple[str, ...]:
    return tuple(
        f"{name} at {text}; treat it as a leak until `mur leakage` says otherwise"
        for name, rows in records.items()
        for row in rows
        for text in implausible(row.scores, row.evidence)
    )
