"""What is wrong with a series of candles, and whether it may still be used."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from make_us_rich.errors import DataError, GapError, NotEnoughHistoryError
from make_us_rich.market.candle import TRADE_COLUMNS, VALUE_COLUMNS, is_impossible
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

EXTREME_MULTIPLE = 30.0
"""A return or a range this many times the median range of the series is called extreme."""

_EXAMPLES = 5
_LONGEST_GAP_CANDLES, _LONGEST_GAP = 48, timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Gap:
    """An interruption: `missing` candles after the one that opened at `after`."""

    after: datetime
    missing: int


@dataclass(frozen=True, slots=True)
class Finding:
    """How many candles have one defect, and the open times of the first few."""

    count: int
    open_times: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was found in one series.

    `first` and `last` are open times, None where there are no candles. `expected` counts the grid from
    first to last, `present` the different candles on it. `future` candles had not closed at the time of
    the check. `zero_volume` and `extreme` are reported and never refused: markets do both.
    """

    symbol: Symbol
    timeframe: Timeframe
    first: datetime | None
    last: datetime | None
    expected: int
    present: int
    missing: int
    gaps: tuple[Gap, ...]
    duplicate: Finding
    out_of_order: Finding
    off_grid: Finding
    impossible: Finding
    zero_volume: Finding
    extreme: Finding
    future: Finding

    @property
    def missing_share(self) -> float:
        """Missing candles as a share of the expected ones."""
        return self.missing / self.expected if self.expected else 0.0

    @property
    def largest_gap(self) -> Gap | None:
        """The gap with the most missing candles."""
        return max(self.gaps, key=lambda gap: gap.missing, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in JSON types, times as ISO 8601 in UTC."""
        plain = asdict(self) | {"symbol": str(self.symbol), "timeframe": str(self.timeframe)}
        plain["missing_share"] = self.missing_share
        return {name: _as_json(value) for name, value in plain.items()}


def check_quality(
    candles: pl.DataFrame, symbol: Symbol, timeframe: Timeframe, now: datetime
) -> QualityReport:
    """Count and locate the defects of candles in the order they were received; nothing is changed."""
    time = pl.col("open_time")
    on_grid = time.dt.epoch("ms") % timeframe.milliseconds == 0
    times = candles.filter(on_grid)["open_time"].unique().sort()
    gaps = _gaps(times, timeframe)
    missing = sum(gap.missing for gap in gaps)
    return QualityReport(
        symbol=symbol,
        timeframe=timeframe,
        first=_as_moment(candles["open_time"].min()),
        last=_as_moment(candles["open_time"].max()),
        expected=len(times) + missing,
        present=len(times),
        missing=missing,
        gaps=gaps,
        duplicate=_find(candles, ~time.is_first_distinct()),
        out_of_order=_find(candles, time < time.cum_max()),
        off_grid=_find(candles, ~on_grid),
        impossible=_find(candles, is_impossible()),
        zero_volume=_find(candles, pl.col("volume") == 0),
        extreme=_find(candles, _is_extreme()),
        future=_find(candles, time > now - timeframe.duration),
    )


def require_fit(report: QualityReport, *, max_missing_share: float = 0.01) -> None:
    """Raise a `DataError` that says what makes a series unfit to learn from; return if nothing does.

    Missing candles are tolerated up to a share of the series and a gap of 48 candles or three days, whichever
    is shorter, and then filled; a candle that is double, out of order, off the grid, impossible or not yet
    closed is not tolerated.
    """
    name = f"{report.symbol} {report.timeframe}"
    if report.present == 0:
        raise NotEnoughHistoryError(f"{name}: no candles; run `mur fetch {report.symbol}` first")
    for finding, words in _refused(report):
        if finding.count:
            found = (
                f"{finding.count} {_plural(finding.count)} {words}, first {_minute(finding.open_times[0])}"
            )
            raise DataError(f"{name}: {found}; {_repair(report)}, or leave it out with --since or --until")
    max_gap = min(_LONGEST_GAP_CANDLES, _LONGEST_GAP // report.timeframe.duration)
    _require_few_missing(report, name, max_missing_share, max_gap)


def require_fit_candles(
    candles: pl.DataFrame, series: Series, now: datetime, *, max_missing_share: float
) -> None:
    """Raise what `require_fit` raises about these candles; where nothing is wrong, which is quickly seen."""
    if not _is_plainly_fit(candles, series.timeframe, now):
        report = check_quality(candles, series.symbol, series.timeframe, now)
        require_fit(report, max_missing_share=max_missing_share)


def _is_plainly_fit(candles: pl.DataFrame, timeframe: Timeframe, now: datetime) -> bool:
    if candles.is_empty():
        return False
    times = candles["open_time"].dt.epoch("ms").to_numpy()
    step = timeframe.milliseconds
    is_regular = times[0] % step == 0 and bool((np.diff(times) == step).all())
    is_closed = candles["open_time"].item(-1) + timeframe.duration <= now
    return is_regular and is_closed and not candles.select(is_impossible().any()).item()


def fill_gaps(candles: pl.DataFrame, timeframe: Timeframe) -> pl.DataFrame:
    """Return candles on every step of the grid, with a column `filled` that marks the invented ones.

    The fill rule: a missing candle is flat at the previous close with volume 0, and trade columns are 0
    where the candle before has them. An impossible candle counts as missing, so that no NaN can reach a
    model. `candles` must be in order and on the grid;
    nothing is added before the first possible candle or after the last.
    """
    real = candles.filter(~is_impossible())
    if real.is_empty():
        return real.with_columns(filled=pl.lit(value=False))
    first, last = real["open_time"][0], real["open_time"][-1]
    if len(real) == len(candles) == (last - first) // timeframe.duration + 1:
        return candles.with_columns(filled=pl.lit(value=False))  # no gap to fill, as nearly always
    grid = pl.datetime_range(first, last, interval=timeframe.duration, time_unit="ms", eager=True)
    series = grid.alias("open_time").to_frame().join(real, on="open_time", how="left", maintain_order="left")
    previous_close = pl.col("close").forward_fill()
    return series.with_columns(
        *(pl.col(name).fill_null(previous_close) for name in VALUE_COLUMNS if name != "volume"),
        pl.col("volume").fill_null(0.0),
        *(_filled_trades(name) for name in TRADE_COLUMNS if name in series.columns),
        filled=pl.col("close").is_null(),
    )


def _filled_trades(name: str) -> pl.Expr:
    is_filled = pl.col("close").is_null()
    was_told = pl.when(~is_filled).then(pl.col(name).is_not_null()).forward_fill()
    return pl.when(is_filled & was_told).then(0).otherwise(name).alias(name)


def _gaps(times: pl.Series, timeframe: Timeframe) -> tuple[Gap, ...]:
    step = timeframe.duration
    frame = pl.DataFrame({"after": times, "next": times.shift(-1)})
    interrupted = frame.filter(pl.col("next") - pl.col("after") > step)
    return tuple(Gap(after, (following - after) // step - 1) for after, following in interrupted.iter_rows())


def _find(candles: pl.DataFrame, defect: pl.Expr) -> Finding:
    times = candles.filter(defect)["open_time"]
    return Finding(len(times), tuple(times.head(_EXAMPLES)))


def _is_extreme() -> pl.Expr:
    # the median range stands for the usual size: unlike a standard deviation, extremes hardly move it
    spread = (pl.col("high") / pl.col("low")).log().abs()
    jump = (pl.col("close") / pl.col("close").shift()).log().abs()
    usual = spread.filter(spread.is_finite() & (spread > 0)).median()
    largest = pl.max_horizontal(spread, jump)
    return (largest.is_finite() & (largest > EXTREME_MULTIPLE * usual)).fill_null(value=False)


def _refused(report: QualityReport) -> tuple[tuple[Finding, str], ...]:
    return (
        (report.future, "not closed yet, or with a time in the future"),
        (report.duplicate, "more than once"),
        (report.out_of_order, "out of order"),
        (report.off_grid, f"off the {report.timeframe} grid"),
        (report.impossible, "with impossible values (NaN, not positive, or outside low to high)"),
    )


def _require_few_missing(report: QualityReport, name: str, max_share: float, max_gap: int) -> None:
    largest = report.largest_gap
    if largest is not None and largest.missing > max_gap:
        found = f"{largest.missing} candles missing after {_minute(largest.after)}"
        raise GapError(
            f"{name}: {found}, more than the {max_gap} that may be filled; "
            f"{_repair(report)}, or start after it with --since"
        )
    if report.missing_share > max_share:
        found = f"{report.missing} of {report.expected} candles missing ({report.missing_share:.1%})"
        raise GapError(f"{name}: {found}, more than {max_share:.1%}; {_repair(report)}")


def _repair(report: QualityReport) -> str:
    return f"run `mur fetch {report.symbol} --timeframe {report.timeframe} --repair`"


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_as_json(item) for item in value]
    return value


def _as_moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _plural(count: int) -> str:
    return "candle" if count == 1 else "candles"
