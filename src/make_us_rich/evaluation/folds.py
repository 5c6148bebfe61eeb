"""Walk forward: where each fold is fitted and where it is tested."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.market.timeframe import Timeframe

OUTER_SHARE = 0.3
N_OUTER = 4
N_INNER = 3
_CALIBRATION_DAYS = 365
_FIRST_FIT_DAYS = 90
_SHORTEST_INNER_DAYS = 30


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows `test_start` to `test_end` (exclusive) are forecast by models that know rows before `test_start`.

    Inner folds are there to choose and to calibrate, outer folds to report on.
    """

    index: int
    is_outer: bool
    test_start: int
    test_end: int


@dataclass(frozen=True, slots=True)
class SeriesShape:
    """What the folds depend on: candles in the series, rows lost to warm-up, and the longest horizon."""

    n_rows: int
    warm_up: int
    longest_horizon: int
    timeframe: Timeframe


def walk_forward(
    series: SeriesShape, outer_share: float = OUTER_SHARE, n_outer: int = N_OUTER
) -> tuple[Fold, ...]:
    """Cut a series into inner folds over the year before the outer ones, and outer folds over the last share.

    The embargo between fit and test is not cut here: a fit takes only rows whose every target has closed
    before `test_start`. Raises `NotEnoughHistoryError` when nothing would be left to fit on.
    """
    day = series.timeframe.candles_per_day
    end = series.n_rows - series.longest_horizon
    outer_start = series.n_rows - round(series.n_rows * outer_share)
    first_fit = series.warm_up + _FIRST_FIT_DAYS * day + series.longest_horizon
    inner_start = max(first_fit, outer_start - _CALIBRATION_DAYS * day)
    if outer_start - inner_start < _SHORTEST_INNER_DAYS * day:
        needed = int(np.ceil((first_fit + _SHORTEST_INNER_DAYS * day) / (1 - outer_share))) + 1
        raise NotEnoughHistoryError(
            f"training needs {needed} {series.timeframe} candles ({needed / day:.0f} days), found "
            f"{series.n_rows}; fetch more with an earlier --since"
        )
    inner = _cut(inner_start, outer_start, N_INNER)
    outer = _cut(outer_start, end, n_outer)
    return tuple(
        Fold(i, is_outer, start, stop)
        for i, (is_outer, start, stop) in enumerate(
            [*((False, *edge) for edge in inner), *((True, *edge) for edge in outer)]
        )
    )


def _cut(start: int, end: int, n: int) -> list[tuple[int, int]]:
    edges = np.linspace(start, end, n + 1).round().astype(int).tolist()
    return list(pairwise(edges))
