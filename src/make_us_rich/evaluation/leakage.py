"""The leak check: computed on a series that was cut, the last row must be what it was on the whole.

A column that changes when the future is taken away has looked at it, whether through a shift in the wrong
direction, a centred window, or a scaler fitted on all rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.market.timeframe import Timeframe

RELATIVE_TOLERANCE = 1e-8  # sums taken in another order differ by 1e-12; a leak moves a value by more
_N_CUTS = 8

Columns = Callable[[pl.DataFrame], pl.DataFrame]
"""Candles to named columns, row for row."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A column whose value at `open_time` depends on candles that had not closed."""

    column: str
    open_time: datetime
    whole: float | None
    cut: float | None

    @property
    def advice(self) -> str:
        """What to do about it, in one line."""
        return (
            f"{self.column} at {self.open_time:%Y-%m-%d %H:%M} is {_shown(self.whole)} on the whole series "
            f"and {_shown(self.cut)} when the future is cut off: it reads later candles; use no negative "
            "shift, no centred window, and fit what it scales with on earlier rows only"
        )


@dataclass(frozen=True, slots=True)
class LeakReport:
    """The verdict on a set of columns: every column checked, at how many cuts, and the first leak of each."""

    columns: tuple[str, ...]
    cuts: int
    leaks: tuple[Leak, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no column changed."""
        return not self.leaks


def check_leakage(
    columns: Columns, candles: pl.DataFrame, timeframe: Timeframe, warm_up: int, n_cuts: int = _N_CUTS
) -> LeakReport:
    """Compare the row before each cut with the same row of the whole series.

    Cuts lie after `warm_up` rows, spread to the end, on different hours. Raises `NotEnoughHistoryError` when
    there is nothing after the warm-up.
    """
    if len(candles) < warm_up + n_cuts + 1:
        raise NotEnoughHistoryError(
            f"the leak check needs {warm_up + n_cuts + 1} {timeframe} candles, found {len(candles)}; "
            "fetch more"
        )
    whole = columns(candles)
    cuts = np.linspace(warm_up + 1, len(candles) - 1, n_cuts).round().astype(int).tolist()
    leaks: dict[str, Leak] = {}
    for cut in cuts:
        before = columns(candles.head(cut))
        for column in whole.columns:
            there, here = _number(whole[column].item(cut - 1)), _number(before[column].item(cut - 1))
            if column not in leaks and not _same(there, here):
                leaks[column] = Leak(column, candles["open_time"].item(cut - 1), there, here)
    return LeakReport(tuple(whole.columns), len(cuts), tuple(leaks.values()))


def merge_reports(reports: Sequence[LeakReport]) -> LeakReport:
    """Return one verdict over several sets of columns."""
    return LeakReport(
        columns=tuple(name for report in reports for name in report.columns),
        cuts=min(report.cuts for report in reports),
        leaks=tuple(leak for report in reports for leak in report.leaks),
    )


def _number(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    if np.isnan(one) or np.isnan(other):
        return bool(np.isnan(one) and np.isnan(other))
    return abs(one - other) <= RELATIVE_TOLERANCE * max(1.0, abs(one), abs(other))


def _shown(value: float | None) -> str:
    return "missing" if value is None else f"{value:.6g}"
