"""The journal: every forecast with its outcome, how they turned out, and whether a model has drifted."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
from fastapi import Depends, FastAPI, Query, Response
from pydantic import AfterValidator

from make_us_rich.journal.journal import Journal
from make_us_rich.journal.predictions import PredictionQuery, RecordedPrediction, read_predictions
from make_us_rich.journal.track_record import RecordQuery, read_track_record
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.forecast import LEVEL_KEYS
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.drift_report import drift_report
from make_us_rich.serving.journal_schemas import (
    DriftReportAnswer,
    PredictionListAnswer,
    TrackRecordListAnswer,
)
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import SymbolText, TimeframeText

MAX_ROWS = 1_000
CSV = "text/csv"

Kind = Literal["price", "trend-up", "trend-down"]
Forecaster = Literal["served", "persistence", "volatility", "random_walk"]


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
    kind: Annotated[Kind | None, Query(description="Default: prices and trends.")] = None
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
        symbol = Symbol.parse(self.symbol).path_name if self.symbol else "%"
        timeframe = Timeframe.parse(self.timeframe).name if self.timeframe else "%"
        return (f"{self.kind or '%'}.{symbol}.{timeframe}",)


def add_journal_routes(app: FastAPI, view: DeskView, journal: Journal) -> None:
    """Add the routes over the journal; they read the database, so they run in worker threads."""

    @app.get(
        "/v1/predictions",
        tags=["journal"],
        response_model=PredictionListAnswer,
        responses={200: {"content": {CSV: {}}}, **problem_responses(422, 503)},
    )
    def read_prediction_page(  # noqa: PLR0913 - one filter each
        *,
        part: Annotated[Part, Depends()],
        forecaster: Annotated[Forecaster | None, Query(description="Default: all.")] = None,
        scored: Annotated[bool | None, Query(description="Only with, or only without an outcome.")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
        cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of a page.")] = None,
        format: Annotated[Literal["json", "csv"], Query()] = "json",  # noqa: A002 - the name in the address
    ) -> Response:
        """Return the forecasts as they were written down with what came of them, newest first.

        As CSV the cursor of the next page is in the header `X-Next-Cursor`.
        """
        query = PredictionQuery(part.names, part.horizon, forecaster, scored, part.since, part.until)
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
    def read_records(
        *,
        part: Annotated[Part, Depends()],
        model: Annotated[str | None, Query(max_length=32, description="Who served; default: all.")] = None,
        version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        by: Annotated[
            Literal["name", "model"], Query(description="One record per name, or per model and version.")
        ] = "name",
    ) -> Response:
        """Return how the served forecasts turned out; a period is widened to whole calendar weeks."""
        query = RecordQuery(
            part.names, part.horizon, model, version, part.since, part.until, by_model=by == "model"
        )
        return _answer(view, records=read_track_record(journal, query))

    @app.get("/v1/drift/{symbol}", tags=["journal"], responses=problem_responses(404, 422, 503))
    def read_drift(symbol: SymbolText, timeframe: TimeframeText = "1h") -> DriftReportAnswer:
        """Return whether the price model of a symbol is still true, and whether its inputs have moved."""
        return drift_report(view, journal, view.find(Symbol.parse(symbol), Timeframe.parse(timeframe)))


def _answer(view: DeskView, **content: object) -> Response:
    # straight from the records: reading hundreds of them into answers first takes longer than all else
    body = orjson.dumps({"market": view.market, "notice": view.notice, **content}, option=orjson.OPT_UTC_Z)
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
