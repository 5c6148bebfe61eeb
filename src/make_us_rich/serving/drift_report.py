"""One page on whether a price model is still true."""

from dataclasses import asdict
from datetime import timedelta

from make_us_rich.errors import MakeUsRichError
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.price.kind import price_name
from make_us_rich.journal.drift import newest_verdicts, read_verdicts
from make_us_rich.journal.input_drift import InputDrift, input_drift
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.notes import read_notes
from make_us_rich.market.series import Series
from make_us_rich.registry.manifest import Manifest
from make_us_rich.serving.journal_schemas import (
    CandleNoteAnswer,
    DriftAnswer,
    DriftReportAnswer,
    InputDriftAnswer,
)

RECENT = timedelta(days=56)


def drift_report(view: MarketView, journal: Journal, series: Series) -> DriftReportAnswer:
    """Return the newest verdicts on the model of a series, its inputs, and notes on its candles."""
    name = str(price_name(series))
    manifest = _manifest(view, name)
    verdicts = newest_verdicts(read_verdicts(journal, name))
    notes = read_notes(journal, f"{series.source} {series}")
    return DriftReportAnswer(
        market=view.market,
        notice=view.notice,
        name=name,
        version=manifest.version if manifest else None,
        verdicts=tuple(
            DriftAnswer(**{key: getattr(one, key) for key in DriftAnswer.model_fields})
            for _, one in sorted(verdicts.items())
        ),
        inputs=tuple(InputDriftAnswer(**asdict(one)) for one in _inputs(view, series, manifest)),
        notes=tuple(
            CandleNoteAnswer(open_time=note.open_time, kind=note.kind, detail=note.detail) for note in notes
        ),
    )


def _manifest(view: MarketView, name: str) -> Manifest | None:
    try:
        champion = view.shelf.champion(name)
        return view.shelf.manifest(name, champion.version) if champion else None
    except MakeUsRichError:
        return None  # a broken model is told by /v1/models; here it has no inputs to compare


def _inputs(view: MarketView, series: Series, manifest: Manifest | None) -> list[InputDrift]:
    if manifest is None:
        return []
    fitted = manifest.snapshot
    reference = view.candles.load(series, since=fitted.first, until=fitted.last)
    recent_count = int(RECENT / series.timeframe.duration)
    recent = view.closed_candles(series, recent_count, view.clock.now())
    return input_drift(reference, recent.filter(recent["open_time"] > fitted.last))
