"""The journal: every forecast with its outcome, how they turned out, and whether a model has drifted."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import AfterValidator

from make_us_rich.errors import UsageError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kinds import known_kinds
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.predictions import PredictionQuery, RecordedPrediction, read_predictions
from make_us_rich.journal.track_record import RecordQuery, read_track_record
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import LEVEL_KEYS
from make_us_rich.registry.model_name import parse_subject
from make_us_rich.serving.answers import to_json
from make_us_rich.serving.drift_report import drift_report
from make_us_rich.serving.gate import asker_of
from make_us_rich.serving.journal_schemas import (
    DriftReportAnswer,
    PredictionListAnswer,
    TrackRecordListAnswer,
)
from make_us_rich.serving.needs import READER, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import SymbolText, TimeframeText

MAX_ROWS = 1_000
CSV = "text/csv"


def _as_utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies beyond the years 1 to 9999 in UTC") from error


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the journal is asked for."""

    symbol: Annotated[str | None, Query(description="BASE-QUOTE; default: all.", examples=["BTC-USDT"])] = (
        None
    )
    timeframe: Annotated[str | None, Query(description="Length of a candle; default: all.")] = None
    kind: Annotated[str | None, Query(max_length=40, description="price, trend-up …; default: all.")] = None
    horizon: Annotated[int | None, Query(ge=1, le=1_000, description="In candles; default: all.")] = None
    since: Annotated[
        datetime | None,
        AfterValidator(_as_utc),
        Query(description="First cutoff; UTC unless it says otherwise."),
    ] = None
    until: Annotated[datetime | None, AfterValidator(_as_utc), Query(description="Cutoffs before it.")] = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are meant, with `%` for anything."""
        if self.kind is not None and self.kind not in known_kinds():
            raise UsageError(f"kind {self.kind!r} is not known; choose one of {', '.join(known_kinds())}")
        # without a kind a word is a mistake: the kinds everybody asks for are about pairs
        read = Symbol.parse if self.kind is None else parse_subject
        subject = read(self.symbol) if self.symbol else "%"
        symbol = subject if isinstance(subject, str) else subject.path_name
        timeframe = Timeframe.parse(self.timeframe).name if self.timeframe else "%"
        return (f"{self.kind or '%'}.{symbol}.{timeframe}",)


def add_journal_routes(app: FastAPI, board: Board, journal: Journal) -> None:
    """Add the routes over the journal; they read the database, so they run in worker threads."""
    view = board.view

    @app.get(
        "/v1/predictions",
        tags=["journal"],
        response_model=PredictionListAnswer,
        responses={200: {"content": {CSV: {}}}, **problem_responses(422, 503)},
    )
    @needs(READER)
    def read_prediction_page(  # noqa: PLR0913 - one filter each
        *,
        request: Request,
        part: Annotated[Part, Depends()],
        forecaster: Annotated[
            str | None, Query(max_length=16, description="`served`, or a yardstick; default: all.")
        ] = None,
        scored: Annotated[bool | None, Query(description="Only with, or only without an outcome.")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of a page.")] = None,
        format: Annotated[Literal["json", "csv"], Query()] = "json",  # noqa: A002 - the name in the address
    ) -> Response:
        """Return the forecasts as they were written down with what came of them, newest first.

        As CSV the cursor of the next page is in the header `X-Next-Cursor`.
        """
        query = PredictionQuery(
            part.names, part.horizon, forecaster, scored, part.since, part.until, asker_of(request)
        )
        page = read_predictions(journal, query, limit, cursor)
        if format == "csv":
            headers = {"X-Next-Cursor": page.next_cursor} if page.next_cursor else {}
            return Response(_csv(page.rows), headers=headers, media_type=CSV)
        return _answer(view, predictions=page.rows, next_cursor=page.next_cursor)

    @app.get(
        "/v1/track-record",
        tags=["journal"],
        response_model=TrackRecordListAnswer,
        responses=problem_responses(422, 503),
    )
    @needs(READER)
    def read_records(
        *,
        request: Request,
        part: Annotated[Part, Depends()],
        model: Annotated[str | None, Query(max_length=32, description="Who served; default: all.")] = None,
        version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        by: Annotated[
            Literal["name", "model"], Query(description="One record per name, or per model and version.")
        ] = "name",
    ) -> Response:
        """Return how the served forecasts turned out; a period is widened to whole calendar weeks."""
        query = RecordQuery(
            part.names, part.horizon, model, version, part.since, part.until, by == "model", asker_of(request)
        )
        return _answer(view, records=read_track_record(journal, query))

    @app.get("/v1/drift/{symbol}", tags=["journal"], responses=problem_responses(404, 422, 503))
    @needs(READER)
    def read_drift(symbol: SymbolText, timeframe: TimeframeText = "1h") -> DriftReportAnswer:
        """Return whether the price model of a symbol is still true, and whether its inputs have moved."""
        return drift_report(view, journal, view.find(Symbol.parse(symbol), Timeframe.parse(timeframe)))


def _answer(view: MarketView, **content: object) -> Response:
    # straight from the records: reading hundreds of them into answers first takes longer than all else
    body = to_json({"market": view.market, "notice": view.notice, **content})
    return Response(body, media_type="application/json")


def _csv(rows: Sequence[RecordedPrediction]) -> str:
    plain = [name for name in RecordedPrediction.__slots__ if name != "quantiles"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*plain, *(f"quantile_{key}" for key in LEVEL_KEYS)])
    for row in rows:
        prices = [row.quantiles[key] for key in LEVEL_KEYS] if row.quantiles else [None] * len(LEVEL_KEYS)
        writer.writerow([*(_cell(getattr(row, name)) for name in plain), *prices])
    return buffer.getvalue()


def _cell(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
