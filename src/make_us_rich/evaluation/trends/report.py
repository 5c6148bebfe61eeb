"""The report of a trend model: one coin and direction as one page, for light and dark, wide and narrow."""

from collections.abc import Callable
from html import escape

from make_us_rich.evaluation.reporting.facts import ReportSubject
from make_us_rich.evaluation.reporting.figures.importance import beeswarm_figure, importance_figure
from make_us_rich.evaluation.reporting.figures.layout import FigureSize
from make_us_rich.evaluation.reporting.numbers import bound, count, date, number, p_words, percent
from make_us_rich.evaluation.reporting.page_parts import (
    definitions,
    document,
    fact_strip,
    figure,
    notice_box,
)
from make_us_rich.evaluation.reporting.sentences import remake
from make_us_rich.evaluation.trends.explain import TrendExplanation
from make_us_rich.evaluation.trends.report_figures import (
    calibration_figure,
    days_figure,
    forecasters_figure,
    stamped,
)
from make_us_rich.evaluation.trends.report_record import (
    YARDSTICK,
    PooledRuling,
    TrendReportRecord,
    fold_facts,
)
from make_us_rich.evaluation.trends.report_tables import (
    fold_table,
    forecaster_table,
    gate_table,
    published_table,
)
from make_us_rich.evaluation.trends.report_words import (
    CAPTIONS,
    GLOSSARY,
    YARDSTICKS,
    candidate_words,
    event,
    headline,
    question,
    ruling,
)

__all__ = ["PooledRuling", "ReportSubject", "TrendReportRecord", "trend_report_html"]

_WIDE, _HALF, _NARROW = 1002.0, 470.0, 350.0


def trend_report_html(record: TrendReportRecord) -> bytes:
    """Return the page, self-contained, UTF-8."""
    title = f"{record.subject.name}: trend report"
    parts = [
        notice_box([record.notice] if record.notice else []),
        _head(record),
        _gate(record),
        _figures(record),
        _forecasters(record),
        _folds(record),
        _explanation(record),
        _published(record),
        _foot(record),
    ]
    return document(f"SIMULATED — {title}" if record.notice else title, parts).encode()


def _head(record: TrendReportRecord) -> str:
    subject, folds = record.subject, fold_facts(record)
    css = "proven" if record.verdict.passed else "stand-in"
    market = f"{subject.market} market, {subject.source}"
    return (
        f'<header><p class="eyebrow">Trend report · {escape(market)} · '
        f"forecasts from {date(folds[0].first_cutoff)} to {date(folds[-1].last_cutoff)}</p>"
        f"<h1>{escape(f'{subject.symbol}: {event(record)}')}</h1><p>{escape(bound(question(record)))}</p>"
        f'<ul class="verdict"><li class="{css}">{escape(ruling(record))}</li></ul>'
        f"<p>{escape(bound(headline(record)))}</p>{_facts(record)}</header>"
    )


def _facts(record: TrendReportRecord) -> str:
    own, naive = record.own, record.evidence[YARDSTICK]
    return fact_strip(
        [
            (
                "Brier skill of the pool",
                percent(own.skill[YARDSTICK], signed=True),
                f"against {YARDSTICK}, {p_words(own.p_value[YARDSTICK])}",
            ),
            ("ROC-AUC of the pool", number(own.roc_auc), f"{YARDSTICK} has {number(naive.roc_auc)}"),
            ("Days with the event", percent(own.base_rate, 0), "of the days that were forecast"),
            ("Forecasts", count(own.n), f"{own.folds} folds, {own.blocks} whole blocks"),
        ]
    )


def _gate(record: TrendReportRecord) -> str:
    reasons = "".join(f"<li>{escape(bound(reason))}</li>" for reason in record.verdict.reasons)
    summary = f"<summary>Why {escape(record.verdict.served_by)} serves</summary>"
    why = f"<details>{summary}<ul>{reasons}</ul></details>"
    return f"<section><h2>The pool against each baseline</h2>{gate_table(record)}{why}</section>"


def _figures(record: TrendReportRecord) -> str:
    days = _drawn(
        record,
        "days",
        days_figure(record, FigureSize(_WIDE, 240.0, 1)),
        days_figure(record, FigureSize(_NARROW, 170.0, 1)),
    )
    pair = _pair(record, "forecasters", forecasters_figure) + _pair(record, "calibration", calibration_figure)
    return f'<section>{days}</section><section class="pair">{pair}</section>'


def _pair(record: TrendReportRecord, key: str, draw: Callable[[TrendReportRecord, FigureSize], str]) -> str:
    wide, narrow = (draw(record, FigureSize(width, 230.0, 1)) for width in (_HALF, _NARROW))
    return _drawn(record, key, wide, narrow)


def _drawn(record: TrendReportRecord, key: str, wide: str, narrow: str) -> str:
    title, caption = CAPTIONS[key]
    return figure(title.format(candidate=record.subject.candidate), caption, wide, narrow)


def _forecasters(record: TrendReportRecord) -> str:
    return (
        "<section><h2>Every forecaster</h2><p>On the same outer folds; candidates in the order of their "
        "Brier score. Skill is that score against the one of each baseline; "
        f"{bound(f'n = {count(record.own.n)}')}.</p>{forecaster_table(record)}</section>"
    )


def _folds(record: TrendReportRecord) -> str:
    dropped = definitions(record.dropped.items()) if record.dropped else ""
    left_out = f"<p>Left out on the way:</p>{dropped}" if dropped else ""
    return (
        f"<section><h2>Who spoke in which fold</h2><p>{escape(candidate_words(record))} The winner, which is "
        f"in this artifact, is {escape(record.subject.candidate)}: the one all folds together speak for.</p>"
        f"{fold_table(record)}{left_out}</section>"
    )


def _explanation(record: TrendReportRecord) -> str:
    drawings: list[tuple[str, Callable[[TrendExplanation, float], str]]] = [
        ("importance", importance_figure),
        ("beeswarm", beeswarm_figure),
    ]
    sections = [
        _drawn(
            record,
            key,
            *(stamped(record, draw(record.explanation, width)) for width in (_WIDE, _NARROW)),
        )
        for key, draw in drawings
    ]
    return "".join(f"<section>{one}</section>" for one in sections)


def _published(record: TrendReportRecord) -> str:
    return (
        "<section><h2>The published scores</h2><p>As the second published system measures itself, here on "
        "the same outer folds and with an alarm wherever the probability reaches the training base rate. Its "
        "thresholds are shown and decide nothing: they know no baseline, and most random walks pass them. "
        "Alarms and all-clears are counted right / wrong.</p>"
        f"{published_table(record)}</section>"
    )


def _foot(record: TrendReportRecord) -> str:
    words = {f"{name} (baseline)": text for name, text in YARDSTICKS.items()} | GLOSSARY
    return (
        f"<footer><h2>What the words mean</h2>{definitions(words.items())}<h2>Make it again</h2>"
        f"<pre><code>{escape(record.subject.command)}</code></pre>{definitions(remake(record.subject))}"
        '<p class="soft">A forecast is not advice: past skill is a measurement, not a promise.</p></footer>'
    )
