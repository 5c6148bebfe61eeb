"""Tables of indicators in the layout of Alpha Vantage, to hold beside our own.

The published recipe read its indicators there, in JSON (`"Technical Analysis: ADX": {day: {"ADX": "…"}}`) or
in CSV (`time,ADX`). A period is known from the JSON alone; in CSV the one of the recipe is taken to be meant,
and an average, of which it has three, is named with its period (`10_day_SMA`).
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from make_us_rich.errors import DataError, UnknownNameError
from make_us_rich.features.indicators import INDICATOR_NAMES, LARGEST_PERCENTAGE

_DAYS = 7
_HEADING = "Technical Analysis: "
_INTERVAL = "4: Interval"
_PERIOD = "5: Time Period"
_RENAMED = {
    f"{_DAYS}_day_Aroon Down": "AroonDown",
    f"{_DAYS}_day_Aroon Up": "AroonUp",
}
_WITH_PERIOD = (
    "ADX",
    "Aroon Down",
    "Aroon Up",
    "RSI",
    "MFI",
    "DX",
    "TRIX",
    "Real Upper Band",
    "Real Lower Band",
)
_AVERAGES = ((2, 10), (2, 20), (10, 20))


@dataclass(frozen=True, slots=True)
class IndicatorAgreement:
    """How far two tables agree on one indicator; `correlation` is None where one of them is constant."""

    name: str
    rows: int
    largest_difference: float
    correlation: float | None


def read_indicator_tables(paths: Sequence[Path]) -> pl.DataFrame:
    """Return `open_time` and those of the nineteen indicators that the files hold, oldest day first.

    Raises `UnknownNameError` for a file that is not there and `DataError` for one laid out otherwise.
    """
    frames = [_read_table(path) for path in paths]
    whole = frames[0]
    for frame in frames[1:]:
        told_twice = [name for name in frame.columns if name in whole.columns and name != "open_time"]
        whole = whole.join(frame.drop(told_twice), on="open_time", how="full", coalesce=True)
    return _recipe_columns(whole.sort("open_time"))


def compare_indicators(ours: pl.DataFrame, theirs: pl.DataFrame) -> list[IndicatorAgreement]:
    """Compare the columns that both frames have, on the days that both tell."""
    both = ours.join(theirs, on="open_time", suffix=" theirs")
    names = [name for name in INDICATOR_NAMES if name in ours.columns and name in theirs.columns]
    found = [(name, both.select(name, f"{name} theirs").drop_nulls().to_numpy()) for name in names]
    return [_agreement(name, values) for name, values in found if len(values)]


def _agreement(name: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> IndicatorAgreement:
    ours, theirs = values[:, 0], values[:, 1]
    varies = np.ptp(ours) > 0 and np.ptp(theirs) > 0
    correlation = float(np.corrcoef(ours, theirs)[0, 1]) if varies else None
    return IndicatorAgreement(name, len(values), float(np.abs(ours - theirs).max()), correlation)


def _read_table(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise UnknownNameError(f"indicator table {path} does not exist; name a CSV or JSON file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _json_rows(json.loads(text)) if text.lstrip().startswith("{") else _csv_rows(text)
        return _typed(rows)
    except (ValueError, TypeError, AttributeError, csv.Error, pl.exceptions.PolarsError) as error:
        found = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise DataError(
            f"{path}: not a daily indicator table of Alpha Vantage ({found}); download it again"
        ) from error


def _json_rows(answer: dict[str, Any]) -> list[dict[str, str]]:
    heading = next((name for name in answer if name.startswith(_HEADING)), None)
    if heading is None:
        told = " ".join(str(text) for text in answer.values())
        raise ValueError(f"no {_HEADING!r}, it says {told[:100]!r}")
    about = answer.get("Meta Data", {})
    interval, period = about.get(_INTERVAL, "daily"), about.get(_PERIOD)
    if interval != "daily":
        raise ValueError(f"its interval is {interval!r}")
    return [
        {"time": day} | {_with_period(name, period): value for name, value in values.items()}
        for day, values in answer[heading].items()
    ]


def _csv_rows(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(text.splitlines(), strict=True))
    if rows and "time" not in rows[0]:
        raise ValueError("its first column is not 'time'")
    return [{_with_period(name, None): value for name, value in row.items()} for row in rows]


def _with_period(name: str, period: int | None) -> str:
    if name == "SMA":
        return name if period is None else f"{period}_day_SMA"
    return f"{period or _DAYS}_day_{name}" if name in _WITH_PERIOD else name


def _typed(rows: list[dict[str, str]]) -> pl.DataFrame:
    if not rows:
        raise ValueError("it has no rows")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String()), strict=False)
    day = pl.col("time").str.to_date("%Y-%m-%d").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    return frame.select(day.alias("open_time"), pl.exclude("time").cast(pl.Float64)).unique(
        "open_time", keep="last"
    )


def _recipe_columns(table: pl.DataFrame) -> pl.DataFrame:
    derived = {
        "7_day_TRIX": (["7_day_TRIX"], pl.col("7_day_TRIX") * 100),
        "OBV_pct_change": (["OBV"], _percentage_change("OBV")),
        "AD_pct_change": (["Chaikin A/D"], _percentage_change("Chaikin A/D")),
        "BBANDS_distance_pct": (list(_bands()), _percentage(*_bands())),
    }
    for fast, slow in ((f"{a}_day_SMA", f"{b}_day_SMA") for a, b in _AVERAGES):
        derived[f"{fast}_{slow}_pct_diff"] = ([fast, slow], _percentage(fast, slow))
    renamed = table.rename(_RENAMED, strict=False)
    told = [value.alias(name) for name, (needs, value) in derived.items() if set(needs) <= set(table.columns)]
    found = renamed.with_columns(told)
    return found.select("open_time", *(name for name in INDICATOR_NAMES if name in found.columns))


def _bands() -> tuple[str, str]:
    return f"{_DAYS}_day_Real Upper Band", f"{_DAYS}_day_Real Lower Band"


def _percentage(value: str, base: str) -> pl.Expr:
    return (pl.col(value) / pl.col(base) - 1) * 100


def _percentage_change(name: str) -> pl.Expr:
    follows = pl.col("open_time").diff() == pl.duration(days=1)  # else the change is of several days
    change = (pl.col(name) / pl.col(name).shift(1) - 1) * 100
    return pl.when(follows).then(change.clip(-LARGEST_PERCENTAGE, LARGEST_PERCENTAGE))
