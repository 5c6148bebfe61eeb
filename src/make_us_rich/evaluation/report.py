"""The walk-forward report: one set of facts, told as JSON, as Markdown and as a page with plots."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.reporting.facts import (
    HorizonRecord,
    ReportFacts,
    ReportSubject,
    Verdict,
    gather_facts,
)
from make_us_rich.evaluation.reporting.markdown import build_markdown
from make_us_rich.evaluation.reporting.page import build_page
from make_us_rich.models.quantiles import LEVEL_KEYS, QUANTILE_LEVELS

__all__ = ["Report", "ReportSubject", "Verdict", "build_report"]

FORMAT = 1
_UNITS = {
    "quantile_loss": "log return of the close, mean over the levels",
    "crps": "log return of the close",
    "width": "log return of the close",
    "mae": "price",
    "rmse": "price",
    "mape": "share of the close",
    "mase": "over the absolute error of the last close repeated",
    "direction": "share of forecasts that claim a direction; null where the median is the last close",
    "skill_spread": "standard deviation over the folds",
    "half_width": "of the 95 % interval from whole blocks",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A walk-forward run, ready to be told."""

    facts: ReportFacts

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values; what is undefined or infinite is null."""
        facts, backtest = self.facts, self.facts.backtest
        content = {
            "format": FORMAT,
            "notice": facts.notice,
            "warnings": facts.warnings,
            "subject": asdict(facts.subject),
            "horizons": backtest.horizons,
            "quantile_levels": QUANTILE_LEVELS,
            "n": len(backtest),
            "units": _UNITS,
            "folds": [asdict(fold) for fold in facts.folds],
            "verdicts": [
                {"horizon": v.horizon, "served_by": v.served_by, "passed": v.passed, "reasons": v.reasons}
                for v in facts.verdicts
            ],
            "forecasters": {name: [_record(row) for row in rows] for name, rows in facts.records.items()},
        }
        plain: dict[str, Any] = _plain(content)
        return plain

    def to_markdown(self) -> str:
        """Return the report without figures."""
        return build_markdown(self.facts)

    def to_html(self) -> str:
        """Return one self-contained page with figures, for light and dark, wide and narrow."""
        return build_page(self.facts)

    def to_files(self) -> dict[str, bytes]:
        """Return `report.json`, `report.md` and `report.html`."""
        return {
            "report.json": orjson.dumps(self.to_json(), option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2),
            "report.md": self.to_markdown().encode(),
            "report.html": self.to_html().encode(),
        }


def build_report(
    subject: ReportSubject,
    backtest: Backtest,
    evidence: Mapping[str, tuple[HorizonEvidence, ...]],
    verdicts: Sequence[Verdict],
) -> Report:
    """Return the report on one candidate beside every forecaster that has evidence.

    Raises `ValueError` if there is no forecast, if the candidate or `persistence` has no evidence, or if
    evidence or verdicts do not match the horizons of the backtest.
    """
    return Report(gather_facts(subject, backtest, evidence, verdicts))


def _record(row: HorizonRecord) -> dict[str, Any]:
    return {
        **asdict(row.evidence),
        "fold_skill": row.fold_skill,
        "skill_spread": row.skill_spread,
        "diebold_mariano": row.diebold_mariano,
        "scores": asdict(row.scores),
        "reliability": {key: asdict(e) for key, e in zip(LEVEL_KEYS, row.reliability, strict=True)},
        "loss_by_hour": {hour: asdict(e) for hour, e in row.loss_by_hour.items()},
        "move_by_width": [asdict(b) for b in row.move_by_width],
    }


def _plain(value: object) -> Any:
    match value:
        case dict():
            return {f"{key:g}" if isinstance(key, float) else str(key): _plain(v) for key, v in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case _:
            return value
