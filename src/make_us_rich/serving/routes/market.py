"""What is stored: symbols, candles, and what is wrong with them."""

from typing import Annotated

from fastapi import FastAPI, Query

from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.market.quality import check_quality
from make_us_rich.market.series import Series
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.serving.needs import READER, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.routes.parameters import SymbolText, TimeframeText
from make_us_rich.serving.schemas import (
    CandleAnswer,
    CandleListAnswer,
    QualityAnswer,
    SeriesAnswer,
    SymbolListAnswer,
)

MAX_CANDLES = 5_000


def add_market_routes(app: FastAPI, view: MarketView) -> None:
    """Add the routes over stored candles; they read the disk, so they run in worker threads."""

    @app.get("/v1/symbols", tags=["market"], responses=problem_responses(503))
    @needs(READER)
    def read_symbols() -> SymbolListAnswer:
        """List every stored series."""
        symbols = tuple(_series_answer(view, one) for one in view.series())
        return SymbolListAnswer(market=view.market, notice=view.notice, symbols=symbols)

    @app.get("/v1/candles/{symbol}", tags=["market"], responses=problem_responses(404, 422, 503))
    @needs(READER)
    def read_candles(
        symbol: SymbolText,
        timeframe: TimeframeText = "1h",
        limit: Annotated[int, Query(ge=1, le=MAX_CANDLES)] = 500,
    ) -> CandleListAnswer:
        """Return the last closed candles, oldest first."""
        series = view.find(Symbol.parse(symbol), Timeframe.parse(timeframe))
        stored = view.closed_candles(series, limit, view.clock.now())
        return CandleListAnswer(
            market=view.market,
            notice=view.notice,
            symbol=str(series.symbol),
            timeframe=str(series.timeframe),
            source=series.source,
            candles=tuple(CandleAnswer(**row) for row in stored.to_dicts()),
        )

    @app.get("/v1/quality/{symbol}", tags=["market"], responses=problem_responses(404, 422, 503))
    @needs(READER)
    def read_quality(symbol: SymbolText, timeframe: TimeframeText = "1h") -> QualityAnswer:
        """Count and locate the defects of a stored series."""
        series = view.find(Symbol.parse(symbol), Timeframe.parse(timeframe))
        now = view.clock.now()
        report = check_quality(view.closed_candles(series, None, now), series.symbol, series.timeframe, now)
        return QualityAnswer.model_validate(
            {**report.to_dict(), "market": view.market, "notice": view.notice, "source": series.source}
        )


def _series_answer(view: MarketView, series: Series) -> SeriesAnswer:
    last = view.closed_candles(series, 1, view.clock.now())["open_time"]
    return SeriesAnswer(
        symbol=str(series.symbol),
        timeframe=str(series.timeframe),
        source=series.source,
        first=view.candles.first_open_time(series),
        last=last[-1] if len(last) else None,
    )
