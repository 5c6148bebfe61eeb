"""The tables of the report's page."""

from collections.abc import Sequence
from html import escape

from make_us_rich.evaluation.reporting.facts import HorizonRecord, ReportFacts
from make_us_rich.evaluation.reporting.numbers import (
    UNDEFINED,
    ahead,
    bound,
    count,
    number,
    p_words,
    percent,
    with_spread,
)
from make_us_rich.evaluation.reporting.page_parts import fact_strip, head_cells
from make_us_rich.evaluation.reporting.sentences import served_words, whole_blocks_words
from make_us_rich.evaluation.scores import SHARES

_SIGNIFICANCE = 0.05
_YARDSTICK = "persistence"


def facts_strip(facts: ReportFacts) -> str:
    """Return the four figures that sum the report up, each with its yardstick."""
    first, candidate = facts.candidate_records[0], facts.subject.candidate
    evidence, yardstick = first.evidence, facts.yardsticks[0]
    horizon = ahead(evidence.horizon, facts.backtest.timeframe)
    passed = sum(verdict.passed for verdict in facts.verdicts)
    weeks = whole_blocks_words(first, facts.backtest.timeframe)
    entries = [
        (
            f"Skill of {candidate}, {horizon} ahead",
            with_spread(evidence.skill[yardstick], first.skill_spread[yardstick]),
            f"against {yardstick}, {p_words(evidence.p_value[yardstick])}",
        ),
        (
            f"Closes in its 90 % interval, {horizon}",
            with_spread(evidence.coverage_90, evidence.coverage_se, signed=False),
            "± standard error; 90 % is right",
        ),
        ("Forecasts", count(evidence.n), f"at each horizon, {evidence.folds} folds, {weeks}"),
        (
            "Horizons a model serves",
            f"{passed} of {len(facts.verdicts)}",
            "elsewhere a naive baseline stands in",
        ),
    ]
    return fact_strip(entries)


def horizon_table(facts: ReportFacts) -> str:
    """Return the candidate's evidence, one row per horizon."""
    labels = [
        "Served by",
        *(f"Against {name}" for name in facts.yardsticks),
        "In its 90 % interval",
        "Blocks",
    ]
    first = facts.candidate_records[0]
    rows = "".join(_horizon_row(facts, j, labels) for j in range(len(facts.verdicts)))
    caption = (
        f"By how much the quantile loss of {facts.subject.candidate} is lower than that of each yardstick, "
        f"± the spread over {first.evidence.folds} folds; n = {count(first.evidence.n)} forecasts at each "
        "horizon."
    )
    return (
        f'<div class="scroll"><table class="stacked"><caption>{escape(bound(caption))}</caption>'
        f"<thead><tr>{head_cells(['Ahead', *labels], n_words=2)}</tr></thead><tbody>{rows}</tbody>"
        "</table></div>"
    )


def score_tables(facts: ReportFacts) -> str:
    """Return one table per horizon: a column per forecaster, a row per score."""
    heads = head_cells(["", *facts.records], n_words=1)
    tables = []
    for j, verdict in enumerate(facts.verdicts):
        title = f"{ahead(verdict.horizon, facts.backtest.timeframe)} ahead, n = {count(len(facts.backtest))}"
        columns = [_scores(name, rows[j]) for name, rows in facts.records.items()]
        rows = "".join(_score_row(label, [column[label] for column in columns]) for label in columns[0])
        tables.append(
            f"<details{' open' if j == 0 else ''}><summary>{escape(title)}</summary>"
            f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
            f'<table class="scores"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
            "</div></details>"
        )
    return "".join(tables)


def _horizon_row(facts: ReportFacts, position: int, labels: Sequence[str]) -> str:
    row, verdict = facts.candidate_records[position], facts.verdicts[position]
    evidence = row.evidence
    cells = [
        (escape(served_words(verdict.served_by)), "word" if verdict.passed else "word soft"),
        *((_skill_cell(row, name), "") for name in facts.yardsticks),
        (escape(with_spread(evidence.coverage_90, evidence.coverage_se, signed=False)), ""),
        (count(evidence.blocks), ""),
    ]
    drawn = "".join(
        f'<td class="{css}" data-label="{escape(bound(label))}"><span>{content}</span></td>'
        for label, (content, css) in zip(labels, cells, strict=True)
    )
    return f'<tr><th scope="row">{escape(ahead(evidence.horizon, facts.backtest.timeframe))}</th>{drawn}</tr>'


def _skill_cell(row: HorizonRecord, name: str) -> str:
    p = row.evidence.p_value[name]
    css = "good" if p < _SIGNIFICANCE else "plain"
    words = with_spread(row.evidence.skill[name], row.skill_spread[name])
    return f'<span class="{css}">{escape(words)}</span> <small>{escape(p_words(p))}</small>'


def _scores(name: str, row: HorizonRecord) -> dict[str, str]:
    scores, is_yardstick = row.scores, name == _YARDSTICK
    skill = with_spread(row.evidence.skill[_YARDSTICK], row.skill_spread[_YARDSTICK])
    return {
        f"Skill against {_YARDSTICK}, ± spread over folds": UNDEFINED if is_yardstick else skill,
        "Its p-value, by blocks": UNDEFINED if is_yardstick else p_words(row.evidence.p_value[_YARDSTICK]),
        "Its p-value, Diebold–Mariano": UNDEFINED
        if is_yardstick
        else p_words(row.diebold_mariano[_YARDSTICK]),
        "Quantile loss": percent(scores.quantile_loss, 4),
        "CRPS": percent(scores.crps, 4),
        **{
            f"Closes in the {percent(share, 0)} interval": percent(scores.coverage[share]) for share in SHARES
        },
        **{f"Width of the {percent(share, 0)} interval": percent(scores.width[share], 2) for share in SHARES},
        "MAE of the median": number(scores.mae, 4),
        "RMSE of the median": number(scores.rmse, 4),
        "MAPE of the median": percent(scores.mape, 3),
        "MASE of the median": number(scores.mase, 4),
        "Direction of the median": percent(scores.direction),
    }


def _score_row(label: str, cells: Sequence[str]) -> str:
    drawn = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(label)}</th>{drawn}</tr>'
