"""The report as one HTML page: nothing is loaded from outside, no script, readable without colour."""

from collections.abc import Callable
from html import escape

from make_us_rich.evaluation.reporting.facts import ReportFacts
from make_us_rich.evaluation.reporting.figures.fan import NARROW_FAN, WIDE_FAN, fan_figure
from make_us_rich.evaluation.reporting.figures.hours import hours_figure
from make_us_rich.evaluation.reporting.figures.layout import FigureSize
from make_us_rich.evaluation.reporting.figures.reliability import reliability_figure
from make_us_rich.evaluation.reporting.figures.skill import skill_figure
from make_us_rich.evaluation.reporting.figures.widths import widths_figure
from make_us_rich.evaluation.reporting.glossary import CAPTIONS, GLOSSARY, YARDSTICKS
from make_us_rich.evaluation.reporting.numbers import date
from make_us_rich.evaluation.reporting.page_parts import definitions, document, figure, notice_box
from make_us_rich.evaluation.reporting.page_tables import facts_strip, horizon_table, score_tables
from make_us_rich.evaluation.reporting.sentences import headline, question, remake, verdict

_NARROW_WIDTH = 350.0


def build_page(facts: ReportFacts) -> str:
    """Return the whole page."""
    subject = facts.subject
    title = f"{subject.name}: {subject.candidate}, walk-forward report"
    if facts.notice:
        title = f"SIMULATED — {title}"
    parts = [
        notice_box([*([facts.notice] if facts.notice else []), *facts.warnings]),
        _head(facts),
        _table(facts),
        _figures(facts),
        _scores(facts),
        _foot(facts),
    ]
    return document(title, parts)


def _head(facts: ReportFacts) -> str:
    subject, folds = facts.subject, facts.folds
    market = f"{subject.market} market, {subject.source}"
    title = escape(f"What {subject.candidate} is worth on {subject.symbol}, {subject.timeframe}")
    sentences = "".join(
        f'<li class="{"proven" if passed else "stand-in"}">{escape(words)}</li>'
        for words, passed in verdict(facts)
    )
    return (
        f'<header><p class="eyebrow">Walk-forward report · {escape(market)} · forecasts from '
        f"{date(folds[0].first_cutoff)} to {date(folds[-1].last_cutoff)}</p>"
        f"<h1>{title}</h1>"
        f'<p>{escape(question(facts))}</p><ul class="verdict">{sentences}</ul>'
        f"<p>{escape(headline(facts))}</p>{facts_strip(facts)}</header>"
    )


def _table(facts: ReportFacts) -> str:
    reasons = "".join(f"<li>{escape(reason)}</li>" for row in facts.verdicts for reason in row.reasons)
    return (
        f"<section><h2>Horizon by horizon</h2>{horizon_table(facts)}<details>"
        f"<summary>Why each horizon is served as it is</summary><ul>{reasons}</ul></details></section>"
    )


def _figures(facts: ReportFacts) -> str:
    fan = _figure("fan", fan_figure(facts, WIDE_FAN), fan_figure(facts, NARROW_FAN), facts)
    pairs = _both(hours_figure, facts, "hours"), _both(widths_figure, facts, "widths")
    return (
        f"<section>{fan}</section>"
        f"<section>{_both(skill_figure, facts, 'skill', columns=3)}</section>"
        f"<section>{_both(reliability_figure, facts, 'reliability', columns=6, narrow_columns=2)}</section>"
        f'<section class="pair">{"".join(pairs)}</section>'
    )


def _both(
    draw: Callable[[ReportFacts, FigureSize], str],
    facts: ReportFacts,
    key: str,
    columns: int = 1,
    narrow_columns: int = 1,
) -> str:
    wide = FigureSize(1002.0, 220.0, columns) if columns > 1 else FigureSize(470.0, 250.0, 1)
    narrow = FigureSize(_NARROW_WIDTH, 150.0 if columns > 1 else 220.0, narrow_columns)
    return _figure(key, draw(facts, wide), draw(facts, narrow), facts)


def _figure(key: str, wide: str, narrow: str, facts: ReportFacts) -> str:
    title, caption = CAPTIONS[key]
    return figure(title, caption.format(candidate=facts.subject.candidate), wide, narrow)


def _scores(facts: ReportFacts) -> str:
    return (
        "<section><h2>Every score</h2><p>Plain means over all forecasts; the spread of the skill is over the "
        "folds. Losses and widths are in % of the price (log return), absolute errors in prices.</p>"
        f"{score_tables(facts)}</section>"
    )


def _foot(facts: ReportFacts) -> str:
    words = {f"{name} (yardstick)": YARDSTICKS[name] for name in facts.yardsticks} | GLOSSARY
    return (
        f"<footer><h2>What the words mean</h2>{definitions(words.items())}<h2>Make it again</h2>"
        f"<pre><code>{escape(facts.subject.command)}</code></pre>"
        f"{definitions(remake(facts.subject))}"
        '<p class="soft">A forecast is not advice: past skill is a measurement, not a promise.</p></footer>'
    )
