"""From what each control found to one table: the claim, the count, its bound, and whether it held."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from make_us_rich.evaluation.controls.findings import LeakFinding, WalkFinding
from make_us_rich.evaluation.controls.size import SIGNIFICANCE, SizeCount

LEAST_SIZE, LARGEST_SIZE = 0.02, 0.08
FALSE_SHARE = 4 / 40
TRUE_SHARE = 32 / 40


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table; `kept` is None where something is told, not judged."""

    control: str
    claim: str
    found: str
    bound: str = ""
    kept: bool | None = None


def size_line(count: SizeCount, about: str, *, judged: bool) -> Line:
    """Tell the size of the block test, and judge it against 2-8 % if it is the one in question."""
    share, plain = count.block / count.tests, count.diebold_mariano / count.tests
    error = math.sqrt(share * (1 - share) / count.tests)
    found = f"{share:.1%} ± {error:.1%} of {count.tests} (Diebold-Mariano {plain:.1%})"
    if not judged:
        return Line("i", f"size: {about}", found)
    bound = f"{LEAST_SIZE:.0%} to {LARGEST_SIZE:.0%}"
    return Line("i", f"size: {about}", found, bound, LEAST_SIZE <= share <= LARGEST_SIZE)


def still_lines(findings: Sequence[WalkFinding]) -> list[Line]:
    """Judge walks on which nothing can be forecast."""
    n = len(findings)
    first = [f.served_by[0] for f in findings if f.passed[0]]
    shares = ", ".join(f"{first.count(name)} as {name}" for name in ("lstm", "volatility"))
    later = sum(sum(f.passed[1:]) for f in findings)
    return [
        at_most("ii", "promoted, constant volatility", len(first), n),
        Line("ii", "… of these", shares),
        Line("ii", "later horizons that passed", f"{later} of {n * (len(findings[0].passed) - 1)}"),
        Line(
            "ii",
            "ewma_persistence preferred to persistence",
            _count(f.served_by[0] == "ewma_persistence" for f in findings),
        ),
    ]


def lively_lines(findings: Sequence[WalkFinding]) -> list[Line]:
    """Judge walks whose width can be forecast, but not their direction."""
    n = len(findings)
    better = sum(min(f.against_persistence.values()) < SIGNIFICANCE for f in findings)
    promoted = sum(f.passed[0] for f in findings)
    beyond = sum(min(f.against_oracle.values()) < SIGNIFICANCE for f in findings)
    claims = sum(bool(f.claims) for f in findings)
    located = sum(f.location < SIGNIFICANCE for f in findings)
    least = math.ceil(TRUE_SHARE * n)
    skill, best = (np.mean([getattr(f, key) for f in findings]) for key in ("skill", "oracle_skill"))
    return [
        Line("iii", "better than persistence", f"{better} of {n}", f"≥ {least}", better >= least),
        Line("iii", "promoted, by the whole rule", f"{promoted} of {n}", f"≥ {least}", promoted >= least),
        Line("iii", "… of these as lstm", _count(f.served_by[0] == "lstm" for f in findings)),
        at_most("iii", "better than the oracle", beyond, n),
        Line("iii", "claim a direction", f"{claims} of {n}", "0", claims == 0),
        at_most("iii", "a fitted location passes", located, n),
        Line("iii", "mean skill at one hour: lstm, oracle", f"{skill:+.2%}, {best:+.2%}"),
    ]


def error_lines(findings: Sequence[WalkFinding]) -> list[Line]:
    """Tell how far the fitted models' scales are from the oracle's, and how long they stay there."""
    lines = []
    for name in findings[0].scale_error:
        spread, *memory = np.mean([f.scale_error[name] for f in findings], axis=0)
        found = f"{spread:.2f}; " + ", ".join(f"{value:.2f}" for value in memory)
        lines.append(Line("iii", f"scale error of {name}: sd; correlation after 1, 24, 72, 168 h", found))
    memory = np.mean([f.week_memory for f in findings])
    return [*lines, Line("iii", "correlation of neighbouring weeks' loss differences", f"{memory:+.2f}")]


def leak_lines(findings: Sequence[LeakFinding]) -> list[Line]:
    """Judge the leak check; what the gate would have said is told below each leak."""
    lines = []
    for finding in findings:
        planted = bool(finding.what.startswith("planted"))
        named = f"{len(finding.refused)} columns refused" if finding.refused else "clean"
        bound = "refused" if planted else "clean"
        lines.append(Line("v", finding.what, named, bound, planted != finding.is_clean))
        lines += [Line("v", "… the gate alone", text) for text in finding.gate]
        lines += [Line("v", "… the scores warn", text) for text in finding.warnings]
    return lines


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a Markdown table."""
    words = {True: "kept", False: "**BROKEN**", None: ""}
    rows = [
        f"| {line.control} | {line.claim} | {line.found} | {line.bound} | {words[line.kept]} |"
        for line in lines
    ]
    return "\n".join(["| control | claim | found | bound | |", "|---|---|---|---|---|", *rows])


def at_most(control: str, claim: str, found: int, n: int) -> Line:
    """Judge a count of false passes: at most a tenth of `n`."""
    most = math.floor(FALSE_SHARE * n)
    return Line(control, claim, f"{found} of {n}", f"≤ {most}", found <= most)


def _count(cases: Iterable[bool]) -> str:
    found = list(cases)
    return f"{sum(found)} of {len(found)}"
