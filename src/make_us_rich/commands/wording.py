"""Results in words, for the terminal."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.statistic import defined
from make_us_rich.features.indicator_table import IndicatorAgreement
from make_us_rich.market.dates import format_moment
from make_us_rich.market.quality import Finding
from make_us_rich.operations.clean import Cleaned
from make_us_rich.operations.doctor import Check
from make_us_rich.operations.export import Exported
from make_us_rich.operations.fetch import FetchedSeries
from make_us_rich.operations.quality import StoredQuality
from make_us_rich.operations.shelf import ListedModel, Pointed

if TYPE_CHECKING:
    from make_us_rich.desk.feeding import FeedResult
    from make_us_rich.desk.summary import DeskSummary
    from make_us_rich.operations.leaks import LeakCheck
    from make_us_rich.operations.reproduce import Reproduced
    from make_us_rich.serving.schemas import ForecastAnswer


def fetch_line(fetched: FetchedSeries) -> str:
    """Say what a fetch did."""
    where = f"{fetched.source}{mark(fetched.market)}"
    said = f"{fetched.symbol} {fetched.timeframe} from {where}:"
    if fetched.first is None or fetched.end is None:
        return f"{said} no candles there in this span."
    counted = (("revised", fetched.revised), ("repaired", fetched.repaired))
    extra = "".join(f", {count} {word}" for word, count in counted if count)
    span = f"{format_moment(fetched.first)} to {format_moment(fetched.end)} UTC"
    return f"{said} {fetched.added:,} candles added{extra}, {fetched.total:,} stored, {span}."


def mark(market: str) -> str:
    """Return what stands behind the name of a source that is not a market."""
    return " (SIMULATED)" if market == "simulated" else ""


def quality_lines(quality: StoredQuality) -> list[str]:
    """Say what was found in a series of candles."""
    report = quality.report
    found = f"{report.present:,} of {report.expected:,} candles"
    missing = f"{report.missing} missing ({report.missing_share:.2%}) in {len(report.gaps)} gaps"
    series = f"{report.symbol} {report.timeframe} from {quality.source}{mark(quality.market)}"
    lines = [f"{series}: {found}, {missing}"]
    lines += [f"  gap: {gap.missing} missing after {minute(gap.after)}" for gap in report.gaps[:5]]
    for kind in ("duplicate", "out_of_order", "off_grid", "impossible", "future", "zero_volume", "extreme"):
        finding: Finding = getattr(report, kind)
        where = f", first {minute(finding.open_times[0])}" if finding.open_times else ""
        lines.append(f"  {kind.replace('_', ' ')}: {finding.count}{where}")
    lines.append(f"  {quality.verdict}")
    return lines if quality.indicators is None else lines + table(_agreement_rows(quality.indicators))


def leakage_lines(check: "LeakCheck") -> list[str]:
    """Say whether a column looks at the future, and which."""
    report = check.report
    said = f"{len(report.columns)} columns, {report.cuts} cuts of {check.candles} candles"
    if report.is_clean:
        return [f"No leak: {said}; every column stays the same when the future is cut off."]
    return [f"LEAK in {len(report.leaks)} of {said}:", *(f"  {leak.advice}" for leak in report.leaks)]


def models_lines(models: Sequence[ListedModel]) -> list[str]:
    """List what stands on the shelf."""
    if not models:
        return [
            "No model stands on the shelf; `mur train SYMBOL` makes one. Until then baselines are served."
        ]
    rows = [["name", "served", "versions", "since", "reason"]]
    for model in models:
        champion = model.champion
        rows.append(
            [
                model.name,
                str(champion.version) if champion else "baseline",
                ", ".join(str(version) for version in model.versions),
                minute(champion.at) if champion else "",
                champion.reason if champion else "",
            ]
        )
    return table(rows)


def champion_line(pointed: Pointed) -> str:
    """Say which version is served now."""
    return f"{pointed.name}: version {pointed.version} is served now ({pointed.reason})."


def reproduction_lines(made: "Reproduced") -> list[str]:
    """Say whether a model could be made again, and otherwise what differs."""
    said = f"{made.name} version {made.version}"
    if made.is_reproduced:
        same = "the same file" if made.is_same_file else "another file, with the same numbers"
        lines = [f"{said}: reproduced ({same}, {made.seconds:.0f} s)"]
    else:
        lines = [f"{said}: NOT reproduced", *(f"  {text}" for text in made.differences)]
    return [*lines, *(f"  {name} was {was}, is {now}" for name, (was, now) in made.libraries.items())]


def export_lines(exported: Exported) -> list[str]:
    """Say what an exported folder holds and how to try it."""
    said = f"{exported.name} version {exported.version}{mark(exported.market)}"
    return [
        f"{said} is in {exported.folder}: {', '.join(exported.files)}.",
        f"Try it with: python {exported.folder}/predict.py",
    ]


def cleaning_lines(cleaned: Cleaned) -> list[str]:
    """List what left the shelf, or would."""
    word = "would be removed" if cleaned.dry_run else "removed"
    lines = [
        f"{old.name} version {old.version}, trained {minute(old.trained_at)}: {word}"
        for old in cleaned.versions
    ]
    lines += [f"snapshot {old.content_hash[:12]}…: {word}" for old in cleaned.snapshots]
    lines += [
        f"history {old.number} of the {cleaned.market} market, begun {minute(old.began_at)}, "
        f"{old.forecasts:,} forecasts: {word}"
        for old in cleaned.histories
    ]
    if not lines:
        return ["Nothing to remove: every version is served, the way back, the newest, or under 30 days old."]
    return [*lines, f"{cleaned.freed_bytes / 1e6:,.1f} MB {word}."]


def forecast_lines(forecast: "ForecastAnswer") -> list[str]:
    """Show a forecast with its 90 % interval, and its skill or the admission that there is none."""
    known = f"cutoff {minute(forecast.cutoff)} UTC, last close {forecast.last_close:,.6g}"
    lines = [f"{forecast.symbol} {forecast.timeframe}{mark(forecast.market)}, {known}"]
    rows = [["candles", "target", "5 %", "median", "95 %", "P(up)", "served by", "skill"]]
    for step in forecast.steps:
        skill = step.evidence.skill["persistence"] if step.evidence else None
        rows.append(
            [
                str(step.horizon),
                minute(step.target_time),
                *(f"{step.quantiles[level]:,.6g}" for level in ("0.05", "0.5", "0.95")),
                f"{step.probability_up:.2f}",
                step.served_by,
                "baseline" if step.is_baseline else number(skill, "+.1%"),
            ]
        )
    return [*lines, *table(rows)]


def doctor_lines(checks: Iterable[Check]) -> list[str]:
    """One line per check."""
    return [f"{check.verdict:<8} {check.name}: {check.says}" for check in checks]


def tally_lines(summary: "DeskSummary") -> list[str]:
    """Sum up what a desk has done."""
    counts = {
        "candles": summary.candles,
        "forecasts": summary.forecasts,
        "scored": summary.scored,
        "trainings": summary.trainings,
        "promotions": summary.promotions,
    }
    return [
        *(f"{name}: {count:,}" for name, count in counts.items()),
        f"skill against persistence: {number(summary.skill, '+.2%')}",
        f"held by the 90 % interval: {number(summary.coverage_90, '.1%')}",
    ]


def feed_lines(done: "FeedResult") -> list[str]:
    """Sum up what one round has done."""
    counts = {"candles": done.candles, "forecasts": done.forecasts, "scored": done.scored}
    return [
        f"{done.market}, {done.source}: {', '.join(done.symbols)}",
        *(f"{name}: {count:,}" for name, count in counts.items()),
    ]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Set rows in columns, the first row being the head.

    >>> table([["a", "bb"], ["ccc", "d"]])
    ['  a    bb', '  ccc  d']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def evidence_rows(evidence: Sequence[HorizonEvidence]) -> list[list[str]]:
    """Return a table of the evidence per horizon, with its head; nothing without any."""
    head = ["candles", "skill against persistence", "± over folds", "p", "90 % covers", "blocks", "served by"]
    rows = [
        [
            str(one.horizon),
            number(one.skill.get("persistence"), "+.2%"),
            number(one.skill_sd, ".2%"),
            p_value(one.p_value.get("persistence")),
            number(one.coverage_90, ".1%"),
            str(one.blocks),
            one.served_by,
        ]
        for one in evidence
    ]
    return [head, *rows] if rows else []


def number(value: float | None, spec: str) -> str:
    """Return a number in a form, or say that it is unknown."""
    known = defined(value)
    return "unknown" if known is None else format(known, spec)


def p_value(value: float | None) -> str:
    """Return a p-value; the smallest are only said to be small."""
    return "<0.001" if value is not None and value < 0.001 else number(value, ".3f")


def minute(moment: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return format_moment(moment)


def _agreement_rows(indicators: Sequence[IndicatorAgreement]) -> list[list[str]]:
    head = ["indicator", "days", "largest difference", "correlation"]
    return [
        head,
        *(
            [
                found.name,
                f"{found.rows:,}",
                f"{found.largest_difference:.4g}",
                "-" if found.correlation is None else f"{found.correlation:.4f}",
            ]
            for found in indicators
        ),
    ]
