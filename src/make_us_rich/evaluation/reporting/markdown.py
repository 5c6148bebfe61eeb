"""The report as Markdown, for terminals, pull requests and notes; no figures."""

import re
from collections.abc import Iterable, Sequence

from make_us_rich.evaluation.reporting.facts import HorizonRecord, ReportFacts
from make_us_rich.evaluation.reporting.glossary import GLOSSARY, YARDSTICKS
from make_us_rich.evaluation.reporting.numbers import (
    ahead,
    count,
    date,
    number,
    p_words,
    percent,
    with_spread,
)
from make_us_rich.evaluation.reporting.sentences import headline, question, remake, served_words, verdict

_SPECIAL = re.compile(r"([\\`*\[\]|]|(?<!\w)_|_(?!\w)|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|^[#>+-])")


def build_markdown(facts: ReportFacts) -> str:
    """Return the whole report."""
    subject, folds = facts.subject, facts.folds
    parts = [
        f"# {marked(subject.name)}: {marked(subject.candidate)}, walk-forward report",
        *(
            f"> **{marked(notice)}**"
            for notice in ([facts.notice] if facts.notice else []) + list(facts.warnings)
        ),
        marked(question(facts)),
        f"Forecasts from {date(folds[0].first_cutoff)} to {date(folds[-1].last_cutoff)}.",
        "\n".join(f"- **{marked(sentence)}**" for sentence, _ in verdict(facts)),
        marked(headline(facts)),
        "## Horizon by horizon",
        _horizons(facts),
        "\n".join(f"- {marked(reason)}" for row in facts.verdicts for reason in row.reasons),
        "## Skill in every fold",
        _folds(facts),
        "## Every score",
        "Losses and widths are in % of the price (log return), absolute errors in prices.",
        *(_scores(facts, j) for j in range(len(facts.verdicts))),
        "## What the words mean",
        _definitions([*((name, YARDSTICKS[name]) for name in facts.yardsticks), *GLOSSARY.items()]),
        "## Make it again",
        _fenced(subject.command),
        _definitions(remake(facts.subject)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def marked(words: str) -> str:
    r"""Return text in which nothing is taken for Markdown or HTML, on one line.

    >>> marked("a|b <c> p < 0.05 two_words")
    'a\\|b \\<c> p < 0.05 two_words'
    """
    return _SPECIAL.sub(r"\\\1", words.replace("\r", " ").replace("\n", " "))


def _horizons(facts: ReportFacts) -> str:
    heads = [
        "ahead",
        "served by",
        *(f"skill against {n}" for n in facts.yardsticks),
        "in 90 % interval",
        "n",
        "blocks",
    ]
    rows = [
        [
            ahead(row.evidence.horizon, facts.backtest.timeframe),
            served_words(ruling.served_by),
            *(_skill(row, name) for name in facts.yardsticks),
            with_spread(row.evidence.coverage_90, row.evidence.coverage_se, signed=False),
            count(row.evidence.n),
            count(row.evidence.blocks),
        ]
        for row, ruling in zip(facts.candidate_records, facts.verdicts, strict=True)
    ]
    return _table(heads, rows)


def _skill(row: HorizonRecord, name: str) -> str:
    skill = with_spread(row.evidence.skill[name], row.skill_spread[name])
    return f"{skill}, {p_words(row.evidence.p_value[name])}"


def _folds(facts: ReportFacts) -> str:
    heads = [
        "ahead",
        "against",
        *(
            f"{fold.first_cutoff:%Y-%m-%d} to {fold.last_cutoff:%Y-%m-%d}, n = {count(fold.n)}"
            for fold in facts.folds
        ),
    ]
    rows = [
        [
            ahead(row.evidence.horizon, facts.backtest.timeframe),
            name,
            *(percent(value, signed=True) for value in row.fold_skill[name]),
        ]
        for row in facts.candidate_records
        for name in facts.yardsticks
    ]
    return _table(heads, rows)


def _scores(facts: ReportFacts, position: int) -> str:
    horizon = ahead(facts.backtest.horizons[position], facts.backtest.timeframe)
    heads = [
        "forecaster",
        "quantile loss",
        "CRPS",
        "in 50 / 80 / 90 / 95 %",
        "width of 90 %",
        "MAE",
        "RMSE",
        "MAPE",
        "MASE",
        "direction",
    ]
    rows = [[name, *_score_cells(rows[position])] for name, rows in facts.records.items()]
    return f"### {horizon} ahead, n = {count(len(facts.backtest))}\n\n{_table(heads, rows)}"


def _score_cells(row: HorizonRecord) -> list[str]:
    scores = row.scores
    return [
        percent(scores.quantile_loss, 4),
        percent(scores.crps, 4),
        " / ".join(percent(share) for share in scores.coverage.values()),
        percent(scores.width[0.9], 2),
        number(scores.mae, 4),
        number(scores.rmse, 4),
        percent(scores.mape, 3),
        number(scores.mase, 4),
        percent(scores.direction),
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([marked(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- **{marked(term)}**: {marked(words)}" for term, words in pairs)


def _fenced(command: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}bash\n{command}\n{fence}"
