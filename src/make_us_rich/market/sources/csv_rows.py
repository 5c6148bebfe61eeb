"""From the text of a row to a candle, or to the reason why it is none."""

from dataclasses import dataclass

import polars as pl

from make_us_rich.market.candle import CANDLE_SCHEMA, FULL_SCHEMA, TRADE_COLUMNS, VALUE_COLUMNS, is_impossible
from make_us_rich.market.sources.status import Remark

PRICE_TOLERANCE = 0.001
"""Two rows for one candle say the same if their values differ by no more than this share and a rounding."""

VOLUME_TOLERANCE = 0.01
"""How far quote volume over base volume may lie outside low to high; a rounding is allowed beside."""

_UNITS = ((1e9, 1e10, 1e3), (1e12, 1e13, 1.0), (1e15, 1e16, 1e-3), (1e18, 1e19, 1e-6))
_TIME_LAYOUTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
_UNSAID = ("", "null", "none", "nan", "n/a", "-")
_DIGITS = [f"{name}_digits" for name in VALUE_COLUMNS]


@dataclass(frozen=True, slots=True)
class ReadRows:
    """Rows that hold a candle each, with their `line` and digits, and what was found in the others."""

    rows: pl.DataFrame
    remarks: tuple[Remark, ...]


def read_rows(fields: pl.DataFrame) -> ReadRows:
    """Read times and values, and put exchanged volume columns right; a row that fails is left out."""
    rows = fields.with_columns(
        pl.lit(None, pl.String).alias(name) for name in TRADE_COLUMNS if name not in fields.columns
    )
    rows = _with_times(rows).with_columns(
        *(_number(name) for name in FULL_SCHEMA if name != "open_time"),
        *(_digits(name).alias(f"{name}_digits") for name in (*VALUE_COLUMNS, "quote_volume")),
    )
    rows = rows.with_columns(as_written=_volumes_fit("volume", "quote_volume"))
    rows = rows.with_columns(is_exchanged=~pl.col("as_written") & _volumes_fit("quote_volume", "volume"))
    faults = _faults()
    fault = pl.coalesce(pl.when(found).then(pl.lit(words)) for words, found in faults.items())
    rows = rows.with_columns(fault=fault)
    exchanged = rows.filter(pl.col("fault").is_null() & pl.col("is_exchanged"))["line"]
    remarks = [*_remarks(rows, faults), *_remark("volume columns exchanged, put right", exchanged)]
    good = rows.filter(pl.col("fault").is_null())
    return ReadRows(
        _put_right(good).select("line", *FULL_SCHEMA, *_DIGITS).cast({"trades": pl.Int64()}), tuple(remarks)
    )


def settle_repeated(rows: pl.DataFrame) -> ReadRows:
    """Keep one row per time.

    Rows that say the same within `PRICE_TOLERANCE` are settled for the one with the most digits, because
    the others are roundings of it. If they differ by more, or have as many digits, none of them is kept.
    """
    repeated = rows.filter(pl.col("open_time").is_duplicated())
    if repeated.is_empty():
        return ReadRows(rows, ())
    digits = pl.sum_horizontal(_DIGITS)
    ranked = repeated.with_columns(digits=digits).sort(
        "open_time", pl.col("digits"), "line", descending=[False, True, False]
    )
    finest = ranked.unique("open_time", keep="first", maintain_order=True)
    judged = ranked.join(finest, on="open_time", suffix="_finest", maintain_order="left").with_columns(
        is_finest=pl.col("line") == pl.col("line_finest"),
        is_same=pl.all_horizontal(pl.col(name) == pl.col(f"{name}_finest") for name in VALUE_COLUMNS),
        is_rounding=(pl.col("digits") < pl.col("digits_finest"))
        & pl.all_horizontal(_agrees(name) for name in VALUE_COLUMNS),
    )
    judged = judged.with_columns(
        is_settled=(pl.col("is_same") | pl.col("is_rounding")).all().over("open_time")
    )
    settled, open_ = judged.filter("is_settled"), judged.filter(~pl.col("is_settled"))
    dropped = settled.filter(~pl.col("is_finest"))
    remarks = (
        *_remark("written again with the same values, used once", dropped.filter("is_same")["line"]),
        *_remark("written again with fewer digits, not used", dropped.filter(~pl.col("is_same"))["line"]),
        *_remark("different values for the same time, none of them used", open_["line"]),
    )
    unused = pl.concat([dropped["line"], open_["line"]])
    return ReadRows(rows.filter(~pl.col("line").is_in(unused.implode())), remarks)


def _with_times(rows: pl.DataFrame) -> pl.DataFrame:
    rows = _with_time(rows, "open_time")
    if "date" not in rows.columns:
        return rows.with_columns(is_other_date=pl.lit(value=False))
    dated = _with_time(rows, "date")
    return dated.with_columns(is_other_date=pl.col("date").ne(pl.col("open_time")).fill_null(value=True))


def _with_time(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    times = rows.select(_counted_time(name)).to_series()
    for layout in _TIME_LAYOUTS:
        is_open = times.is_null()
        if not is_open.any():
            break
        # only what no layout before could read, because reading a million dates takes seconds
        times = times.scatter(is_open.arg_true(), _written_times(rows.filter(is_open)[name], layout))
    return rows.with_columns(times.alias(name))


def _counted_time(name: str) -> pl.Expr:
    number = pl.col(name).cast(pl.Float64, strict=False)
    milliseconds = pl.coalesce(
        pl.when(number.is_between(least, most)).then(number * factor) for least, most, factor in _UNITS
    )
    return milliseconds.round().cast(pl.Int64).cast(CANDLE_SCHEMA["open_time"])


def _written_times(written: pl.Series, layout: str) -> pl.Series:
    text = written.str.replace(r"(Z|[+-]00:?00| UTC)$", "").str.replace("T", " ", literal=True)
    text = text.str.replace(r"-([AP]M)$", ":00 $1").str.replace(r"^(\d{4}-\d\d-\d\d)$", "$1 00:00:00")
    return text.str.to_datetime(layout, strict=False, time_unit="ms").dt.replace_time_zone("UTC")


def _number(name: str) -> pl.Expr:
    text = pl.col(name)
    is_unsaid = text.str.to_lowercase().is_in(_UNSAID)
    number = text.cast(pl.Float64, strict=False)
    # a value that is there and cannot be read is marked by NaN, one that is not there is null
    return (
        pl.when(text.is_null() | is_unsaid).then(None).otherwise(number.fill_null(float("nan"))).alias(name)
    )


def _digits(name: str) -> pl.Expr:
    decimals = pl.col(name).str.len_bytes() - pl.col(name).str.find(".", literal=True) - 1
    is_scientific = pl.col(name).str.contains("(?i)e")
    return pl.when(is_scientific).then(16).otherwise(decimals.cast(pl.Int32).fill_null(0))


def _rounding(name: str) -> pl.Expr:
    return 0.5 * pl.lit(10.0).pow(-pl.col(f"{name}_digits"))


def _volumes_fit(base: str, quote: str) -> pl.Expr:
    low, high = pl.col("low") * (1 - VOLUME_TOLERANCE), pl.col("high") * (1 + VOLUME_TOLERANCE)
    least_base, most_base = pl.col(base) - _rounding(base), pl.col(base) + _rounding(base)
    least_quote, most_quote = pl.col(quote) - _rounding(quote), pl.col(quote) + _rounding(quote)
    return ((most_quote >= low * least_base) & (least_quote <= high * most_base)).fill_null(value=True)


def _put_right(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        pl.when("is_exchanged").then(other).otherwise(name).alias(name)
        for name, other in (
            ("volume", "quote_volume"),
            ("quote_volume", "volume"),
            ("volume_digits", "quote_volume_digits"),
        )
    )


def _faults() -> dict[str, pl.Expr]:
    told = pl.any_horizontal(pl.col(name).is_nan().fill_null(value=False) for name in TRADE_COLUMNS)
    number = pl.any_horizontal(pl.col(name).is_null() | pl.col(name).is_nan() for name in VALUE_COLUMNS)
    return {
        "time that cannot be read, left out": pl.col("open_time").is_null(),
        "date and time that contradict each other, left out": pl.col("is_other_date"),
        "number that is missing or cannot be read, left out": number | told,
        "values no market can have (not positive, or outside low to high), left out": is_impossible(),
        "volumes that fit the price in neither order, left out": ~pl.col("as_written")
        & ~pl.col("is_exchanged"),
    }


def _agrees(name: str) -> pl.Expr:
    difference = (pl.col(name) - pl.col(f"{name}_finest")).abs()
    return difference <= PRICE_TOLERANCE * pl.col(f"{name}_finest").abs() + _rounding(name)


def _remarks(rows: pl.DataFrame, faults: dict[str, pl.Expr]) -> list[Remark]:
    return [
        remark for words in faults for remark in _remark(words, rows.filter(pl.col("fault") == words)["line"])
    ]


def _remark(words: str, lines: pl.Series) -> tuple[Remark, ...]:
    return (Remark(words, tuple(lines.sort().to_list())),) if len(lines) else ()
