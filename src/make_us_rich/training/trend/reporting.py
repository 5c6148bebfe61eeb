"""The report page of a trained trend model, filled from what was judged."""

from collections.abc import Mapping

from make_us_rich.evaluation.reporting.facts import ReportSubject
from make_us_rich.evaluation.trends.report import TrendReportRecord, trend_report_html
from make_us_rich.registry.trend_promotion import PooledTest
from make_us_rich.training.fits import Verdict
from make_us_rich.training.trend.experiment import preset_trend
from make_us_rich.training.trend.result import TrendResult
from make_us_rich.version import __version__


def report_trend(result: TrendResult, verdict: Verdict, pooled: Mapping[str, PooledTest]) -> bytes:
    """Return the page of one coin and direction; `pooled` are the tests of its direction by baseline."""
    record = TrendReportRecord(
        subject=_subject(result),
        direction=result.direction,
        label=result.experiment.label,
        outer=result.outer,
        evidence=result.evidence,
        published=result.published,
        chosen=result.chosen,
        dropped=result.dropped,
        explanation=result.models.explanation,
        verdict=verdict,
        pooled=pooled,
    )
    return trend_report_html(record)


def _subject(result: TrendResult) -> ReportSubject:
    experiment, span = result.experiment, result.span
    return ReportSubject(
        name=result.name,
        candidate=result.winner,
        symbol=experiment.symbol,
        timeframe=experiment.timeframe,
        market=span.market,
        source=span.source,
        data_start=span.reference.first,
        data_end=span.data_end,
        snapshot_hash=span.reference.hash,
        seed=experiment.seed,
        code_version=__version__,
        command=_repeat_command(result),
    )


def _repeat_command(result: TrendResult) -> str:
    experiment, span = result.experiment, result.span
    origin = f"--source {experiment.source}" if experiment.source else f"--market {span.market}"
    days = f"--since {span.reference.first:%Y-%m-%d} --until {span.data_end:%Y-%m-%d}"
    preset = preset_trend(experiment.symbol, timeframe=experiment.timeframe)
    if preset.recipe() != experiment.recipe():
        return f"mur train EXPERIMENT.yaml {origin} {days}"
    return f"mur train {experiment.symbol} --preset trend {origin} {days}"
