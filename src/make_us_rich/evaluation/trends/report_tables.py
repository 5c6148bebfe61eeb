"""The tables of a trend report."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from make_us_rich.evaluation.reporting.numbers import UNDEFINED, bound, count, number, p_words, percent
from make_us_rich.evaluation.reporting.page_parts import head_cells
from make_us_rich.evaluation.trends.evidence import POOL, TrendEvidence
from make_us_rich.evaluation.trends.report_record import YARDSTICK, TrendReportRecord, fold_facts
from make_us_rich.evaluation.trends.report_words import interval_words
from make_us_rich.evaluation.trends.scores import PUBLISHED_THRESHOLDS
from make_us_rich.models.trend_baselines import TREND_BASELINES

_SIGNIFICANCE = 0.05
_PUBLISHED = ("accuracy", "precision", "positive_accuracy", "negative_accuracy", "overall_score")
_COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")

Cell = tuple[str, str]
"""Markup, and the class of its cell."""


def gate_table(record: TrendReportRecord) -> str:
    """Return the pool against each baseline: on this coin, and over all coins of the direction."""
    heads = ["Baseline", "Skill on this coin", "Its test", "Skill over all coins", "Its test"]
    rows = [(name, _gate_cells(record.own, name) + _pooled_cells(record, name)) for name in record.own.skill]
    caption = (
        "By how much the Brier score of the pool is lower than that of each baseline; every test needs "
        f"p < {_SIGNIFICANCE}."
    )
    return _stacked(caption, heads, rows)


def forecaster_table(record: TrendReportRecord) -> str:
    """Return the scores of every forecaster on outer folds, a row each."""
    heads = [
        "",
        "Brier score",
        *(f"Against {n}" for n in TREND_BASELINES),
        "Log loss",
        "ROC-AUC",
        "PR-AUC",
    ]
    order = [POOL, *record.candidates, *TREND_BASELINES]
    rows = [(_named(record, name), _score_cells(record.evidence[name])) for name in order]
    return _scores("Every forecaster", heads, rows)


def fold_table(record: TrendReportRecord) -> str:
    """Return which candidate spoke in which outer fold, and how it did."""
    heads = ["Days", "Candidate", f"Skill against {YARDSTICK}", "Brier score", "Event came", "n"]
    rows = [
        (
            f"{fold.first_cutoff:%Y-%m-%d} to {fold.last_cutoff:%Y-%m-%d}",
            [
                (escape(fold.candidate), "word"),
                (percent(fold.skill, signed=True), ""),
                (number(fold.brier), ""),
                (percent(fold.base_rate), ""),
                (count(fold.n), ""),
            ],
        )
        for fold in fold_facts(record)
    ]
    return _stacked("Chosen by the Brier score on the folds before; none had seen its days.", heads, rows, 2)


def published_table(record: TrendReportRecord) -> str:
    """Return the scores of the second published system beside its thresholds."""
    words = [name.replace("_", " ").capitalize() for name in _PUBLISHED]
    heads = ["", *words, "Alarms", "All-clears"]
    shown = [name for name in (POOL, *record.candidates) if name in record.published]
    rows = [
        ("Threshold", [(_threshold(name), "") for name in _PUBLISHED] + [("", ""), ("", "")]),
        *((_named(record, name), _published_cells(record.published[name])) for name in shown),
    ]
    return _scores("The published scores", heads, rows)


def _gate_cells(evidence: TrendEvidence, name: str) -> list[Cell]:
    p = evidence.p_value[name]
    return [
        (f"{_skill(evidence.skill[name], p)} <small>{interval_words(evidence, name)}</small>", ""),
        (f"{p_words(p)} <small>{evidence.blocks} blocks</small>", ""),
    ]


def _pooled_cells(record: TrendReportRecord, name: str) -> list[Cell]:
    test = record.pooled.get(name)
    if test is None:
        return [(UNDEFINED, ""), (UNDEFINED, "")]
    coins = "1 coin" if test.coins == 1 else f"{test.coins} coins"
    return [
        (f"{_skill(test.skill, test.p_value)} <small>{coins}</small>", ""),
        (f"{p_words(test.p_value)} <small>{test.blocks} blocks</small>", ""),
    ]


def _skill(value: float, p_value: float) -> str:
    css = "good" if p_value < _SIGNIFICANCE else "plain"
    return f'<span class="{css}">{percent(value, signed=True)}</span>'


def _score_cells(evidence: TrendEvidence) -> list[Cell]:
    skills = [
        UNDEFINED if name == evidence.forecaster else percent(evidence.skill[name], signed=True)
        for name in TREND_BASELINES
    ]
    rest = (evidence.log_loss, evidence.roc_auc, evidence.pr_auc)
    return [(words, "") for words in (number(evidence.brier), *skills, *map(number, rest))]


def _published_cells(scores: Mapping[str, float]) -> list[Cell]:
    cells = [_published_cell(name, scores[name]) for name in _PUBLISHED]
    alarms = [count(int(scores[name])) for name in _COUNTS]
    return [*cells, (f"{alarms[0]} / {alarms[1]}", ""), (f"{alarms[2]} / {alarms[3]}", "")]


def _published_cell(name: str, value: float) -> Cell:
    reached = name in PUBLISHED_THRESHOLDS and value >= PUBLISHED_THRESHOLDS[name]
    return f'<span class="{"good" if reached else "plain"}">{percent(value)}</span>', ""


def _threshold(name: str) -> str:
    return f"≥ {percent(PUBLISHED_THRESHOLDS[name], 0)}" if name in PUBLISHED_THRESHOLDS else UNDEFINED


def _named(record: TrendReportRecord, name: str) -> str:
    return f"{name} (winner)" if name == record.subject.candidate else name


def _stacked(
    caption: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell]]], n_words: int = 1
) -> str:
    drawn = "".join(
        f'<tr><th scope="row">{escape(head)}</th>'
        + "".join(
            f'<td class="{css}" data-label="{escape(bound(label))}"><span>{content}</span></td>'
            for label, (content, css) in zip(heads[1:], cells, strict=True)
        )
        + "</tr>"
        for head, cells in rows
    )
    return (
        f'<div class="scroll"><table class="stacked"><caption>{escape(bound(caption))}</caption><thead><tr>'
        f"{head_cells(heads, n_words)}</tr></thead><tbody>{drawn}</tbody></table></div>"
    )


def _scores(title: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell]]]) -> str:
    drawn = "".join(
        f'<tr><th scope="row">{escape(head)}</th>'
        + "".join(f'<td class="{css}">{content}</td>' for content, css in cells)
        + "</tr>"
        for head, cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}"><table class="scores">'
        f"<thead><tr>{head_cells(heads, n_words=1)}</tr></thead><tbody>{drawn}</tbody></table></div>"
    )
