"""Results in words, for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from make_us_rich.desk.moments import format_moment


def fetch_line(record: Mapping[str, Any]) -> str:
    """Say what a fetch did."""
    said = f"{_series(record)} from {record['source']}{mark(record['market'])}:"
    if not record["total"]:
        return f"{said} no candles there in this span."
    extra = "".join(f", {record[key]} {key}" for key in ("revised", "repaired") if record[key])
    span = f"{format_moment(record['first'])} to {format_moment(record['end'])} UTC"
    return f"{said} {record['added']:,} candles added{extra}, {record['total']:,} stored, {span}."


def mark(market: str) -> str:
    """Return what stands behind the name of a source that is not a market."""
    return " (SIMULATED)" if market == "simulated" else ""


def quality_lines(record: Mapping[str, Any]) -> list[str]:
    """Say what was found in a series of candles."""
    found = f"{record['present']:,} of {record['expected']:,} candles"
    missing = f"{record['missing']} missing ({record['missing_share']:.2%}) in {len(record['gaps'])} gaps"
    lines = [f"{_series(record)} from {record['source']}{mark(record['market'])}: {found}, {missing}"]
    lines += [f"  gap: {gap['missing']} missing after {minute(gap['after'])}" for gap in record["gaps"][:5]]
    for kind in ("duplicate", "out_of_order", "off_grid", "impossible", "future", "zero_volume", "extreme"):
        finding = record[kind]
        where = f", first {minute(finding['open_times'][0])}" if finding["open_times"] else ""
        lines.append(f"  {kind.replace('_', ' ')}: {finding['count']}{where}")
    lines.append(f"  {record['verdict']}")
    return lines + table(_agreement_rows(record["indicators"])) if "indicators" in record else lines


def training_lines(record: Mapping[str, Any]) -> list[str]:
    """Say what one training came to, with its evidence."""
    fate = "promoted" if record["promoted"] else "kept on the shelf, not promoted"
    lines = [f"{record['name']} version {record['version']}: {fate} ({record['seconds']:.0f} s)"]
    lines += [f"  {reason}" for reason in record["reasons"]]
    return [*lines, *table(_evidence_rows(record["evidence"]))]


def round_lines(record: Mapping[str, Any]) -> list[str]:
    """Say what several trainings came to, and sum up."""
    models, failed = record["models"], record["failed"]
    lines = [line for model in models for line in training_lines(model)]
    lines += [f"{failure['name']}: FAILED, {failure['reason']}" for failure in failed]
    promoted = sum(model["promoted"] for model in models)
    return [*lines, f"{len(models)} trained, {promoted} promoted, {len(failed)} failed."]


def leakage_lines(record: Mapping[str, Any]) -> list[str]:
    """Say whether a column looks at the future, and which."""
    said = f"{len(record['columns'])} columns, {record['cuts']} cuts of {record['candles']} candles"
    if record["is_clean"]:
        return [f"No leak: {said}; every column stays the same when the future is cut off."]
    return [
        f"LEAK in {len(record['leaks'])} of {said}:",
        *(f"  {leak['advice']}" for leak in record["leaks"]),
    ]


def models_lines(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """List what stands on the shelf."""
    if not records:
        return [
            "No model stands on the shelf; `mur train SYMBOL` makes one. Until then baselines are served."
        ]
    rows = [["name", "served", "versions", "since", "reason"]]
    for record in records:
        champion = record["champion"]
        rows.append(
            [
                record["name"],
                str(champion["version"]) if champion else "baseline",
                ", ".join(str(version) for version in record["versions"]),
                minute(champion["at"]) if champion else "",
                champion["reason"] if champion else "",
            ]
        )
    return table(rows)


def model_lines(record: Mapping[str, Any]) -> list[str]:
    """Show one version: what it is, how it did, and what was decided about it."""
    manifest = record["manifest"]
    served = "served now" if record["is_champion"] else "not served"
    said = f"{manifest['name']} version {manifest['version']} ({manifest['model']}), {served}"
    data = f"{manifest['snapshot']['rows']:,} candles to {minute(manifest['data_end'])}"
    lines = [
        f"{said}{mark(manifest['market'])}",
        f"  trained {minute(manifest['trained_at'])} on {data} from {manifest['source']}",
    ]
    for decision in record["decisions"]:
        lines.append(f"  {minute(decision['at'])} {decision['kind']}:")
        lines += [f"    {reason}" for reason in decision["reasons"]]
    return [*lines, *table(_evidence_rows(record["evidence"]))]


def champion_line(record: Mapping[str, Any]) -> str:
    """Say which version is served now."""
    return f"{record['name']}: version {record['version']} is served now ({record['reason']})."


def reproduction_lines(record: Mapping[str, Any]) -> list[str]:
    """Say whether a model could be made again, and otherwise what differs."""
    said = f"{record['name']} version {record['version']}"
    if record["is_reproduced"]:
        same = "the same file" if record["is_same_file"] else "another file, with the same numbers"
        lines = [f"{said}: reproduced ({same}, {record['seconds']:.0f} s)"]
    else:
        lines = [f"{said}: NOT reproduced", *(f"  {text}" for text in record["differences"])]
    return [
        *lines,
        *(f"  {name} was {was}, is {now}" for name, (was, now) in record["libraries"].items()),
    ]


def export_lines(record: Mapping[str, Any]) -> list[str]:
    """Say what an exported folder holds and how to try it."""
    said = f"{record['name']} version {record['version']}{mark(record['market'])}"
    return [
        f"{said} is in {record['folder']}: {', '.join(record['files'])}.",
        f"Try it with: python {record['folder']}/predict.py",
    ]


def cleaning_lines(record: Mapping[str, Any]) -> list[str]:
    """List what left the shelf, or would."""
    word = "would be removed" if record["dry_run"] else "removed"
    lines = [
        f"{old['name']} version {old['version']}, trained {minute(old['trained_at'])}: {word}"
        for old in record["versions"]
    ]
    lines += [f"snapshot {old['content_hash'][:12]}…: {word}" for old in record["snapshots"]]
    if not lines:
        return ["Nothing to remove: every version is served, the way back, the newest, or under 30 days old."]
    return [*lines, f"{record['freed_bytes'] / 1e6:,.1f} MB {word}."]


def forecast_lines(record: Mapping[str, Any]) -> list[str]:
    """Show a forecast with its 90 % interval, and its skill or the admission that there is none."""
    known = f"cutoff {minute(record['cutoff'])} UTC, last close {record['last_close']:,.6g}"
    lines = [f"{_series(record)}{mark(record['market'])}, {known}"]
    rows = [["candles", "target", "5 %", "median", "95 %", "P(up)", "served by", "skill"]]
    for step in record["steps"]:
        evidence = step.get("evidence")
        skill = evidence["skill"]["persistence"] if evidence else None
        rows.append(
            [
                str(step["horizon"]),
                minute(step["target_time"]),
                *(f"{step['quantiles'][level]:,.6g}" for level in ("0.05", "0.5", "0.95")),
                f"{step['probability_up']:.2f}",
                step["served_by"],
                "baseline" if step["is_baseline"] else number(skill, "+.1%"),
            ]
        )
    return [*lines, *table(rows)]


def doctor_lines(checks: Iterable[Mapping[str, str]]) -> list[str]:
    """One line per check."""
    return [f"{check['verdict']:<8} {check['name']}: {check['says']}" for check in checks]


def tally_lines(record: Mapping[str, float | None]) -> list[str]:
    """Sum up what a desk has done."""
    counted = ("candles", "forecasts", "scored", "trainings", "promotions")
    lines = [f"{name}: {record[name]:,}" for name in counted]
    return [
        *lines,
        f"skill against persistence: {number(record['skill'], '+.2%')}",
        f"held by the 90 % interval: {number(record['coverage_90'], '.1%')}",
    ]


def feed_lines(record: Mapping[str, Any]) -> list[str]:
    """Sum up what one round has done."""
    return [
        f"{record['market']}, {record['source']}: {', '.join(record['symbols'])}",
        *(f"{name}: {record[name]:,}" for name in ("candles", "forecasts", "scored")),
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


def _evidence_rows(evidence: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    head = ["candles", "skill against persistence", "± over folds", "p", "90 % covers", "blocks", "served by"]
    rows = [
        [
            str(row["horizon"]),
            number(row["skill"].get("persistence"), "+.2%"),
            number(row["skill_sd"], ".2%"),
            p_value(row["p_value"].get("persistence")),
            number(row["coverage_90"], ".1%"),
            str(row["blocks"]),
            row["served_by"],
        ]
        for row in evidence
    ]
    return [head, *rows] if rows else []


def _series(record: Mapping[str, Any]) -> str:
    return f"{record['symbol']} {record['timeframe']}"


def number(value: float | None, spec: str) -> str:
    """Return a number in a form, or say that it is unknown."""
    return "unknown" if value is None else format(value, spec)


def p_value(value: float | None) -> str:
    """Return a p-value; the smallest are only said to be small."""
    return "<0.001" if value is not None and value < 0.001 else number(value, ".3f")


def minute(moment: str | datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return moment[:16].replace("T", " ") if isinstance(moment, str) else format_moment(moment)


def _agreement_rows(indicators: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    head = ["indicator", "days", "largest difference", "correlation"]
    return [
        head,
        *(
            [
                found["name"],
                f"{found['rows']:,}",
                f"{found['largest_difference']:.4g}",
                "-" if found["correlation"] is None else f"{found['correlation']:.4f}",
            ]
            for found in indicators
        ),
    ]
