"""Reports on small made-up backtests, for the tests of the report's parts."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.evidence import gather_evidence
from make_us_rich.evaluation.report import Report, ReportSubject, build_report

SCALES = {"persistence": 1.6, "ewma_persistence": 1.4, "volatility": 1.2, "lstm": 1.0}
SUBJECT = ReportSubject(
    name="price.BTC-USDT.1h",
    candidate="lstm",
    symbol="BTC/USDT",
    timeframe="1h",
    market="replay",
    source="replay:BINANCE",
    data_start=datetime(1969, 1, 1, tzinfo=UTC),
    data_end=datetime(1970, 3, 12, tzinfo=UTC),
    snapshot_hash="9f2c4e71",
    seed=7,
    code_version="0.1.0",
    command="mur backtest BTC/USDT",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    horizon: int
    served_by: str
    passed: bool
    reasons: tuple[str, ...] = ("because of a reason",)


def report_on(backtest: Backtest, verdicts: list[Verdict] | None = None, **changes: object) -> Report:
    """Return a report on all forecasters of a backtest; by default the candidate serves every horizon."""
    subject = replace(SUBJECT, **changes)
    evidence = {name: gather_evidence(backtest, name) for name in backtest.quantiles}
    default = [Verdict(horizon, subject.candidate, passed=True) for horizon in backtest.horizons]
    return build_report(subject, backtest, evidence, verdicts or default)
