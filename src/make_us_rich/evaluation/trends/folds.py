"""Folds of a pool of coins: cut on the same days for all, so that no coin tells another its future."""

from dataclasses import dataclass

import numpy as np

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.evaluation.trends.table import Rows, TrendTable

WARM_UP_FOLDS = 2
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class FoldPlan:
    """How a pool is cut: folds of `days`, counted back from `end_ms`; of each coin the last `most` of them.

    `least_rows` is what a fit needs; a coin joins at the first fold that has them.
    """

    end_ms: int
    days: int = 120
    most: int = 8
    least_rows: int = 300


@dataclass(frozen=True, slots=True, eq=False)
class TrendFold:
    """Rows `test` are forecast by models fitted on rows `train`; `index` is the same for all coins.

    The first two folds of a coin are there to choose on, the outer ones to report on.
    """

    index: int
    is_outer: bool
    train: Rows
    test: Rows


def plan_folds(end_ms: int, label_horizon: int, candle_ms: int, **sizes: int) -> FoldPlan:
    """Return the plan of a pool whose newest candle closes at `end_ms`: folds end where labels do."""
    return FoldPlan(end_ms - label_horizon * candle_ms, **sizes)


def cut_folds(table: TrendTable, plan: FoldPlan) -> tuple[TrendFold, ...]:
    """Return the folds of one coin, oldest first.

    Raises `NotEnoughHistoryError` where not even one outer fold is left.
    """
    fold_ms = plan.days * DAY_MS
    found: list[tuple[int, Rows, Rows]] = []
    for end_ms in range(plan.end_ms, int(table.cutoff_ms[0]), -fold_ms):
        first, last = np.searchsorted(table.cutoff_ms, [end_ms - fold_ms, end_ms], side="right")
        train, test = table.training_rows(int(first)), table.known_rows(int(first), int(last))
        if len(train) < plan.least_rows or len(found) == plan.most:
            break
        if len(test):
            found.append((end_ms // fold_ms, train, test))
    if len(found) <= WARM_UP_FOLDS:
        raise NotEnoughHistoryError(_too_short(table, plan))
    return tuple(
        TrendFold(index, position >= WARM_UP_FOLDS, train, test)
        for position, (index, train, test) in enumerate(reversed(found))
    )


def outer_rows(folds: tuple[TrendFold, ...]) -> Rows:
    """Return the rows nobody chose on, in time order."""
    rows: Rows = np.concatenate([fold.test for fold in folds if fold.is_outer])
    return rows


def _too_short(table: TrendTable, plan: FoldPlan) -> str:
    first = int(np.argmax(np.isfinite(table.features).all(axis=1))) if len(table) else 0
    needed = max(first, 1) + plan.least_rows + table.label.horizon + (WARM_UP_FOLDS + 1) * plan.days
    return (
        f"{table.symbol} {table.timeframe}: {len(table)} candles, a trend model needs about {needed}; "
        "fetch more with an earlier --since"
    )
