"""The routes of the first Make Us Rich, so that its clients go on working; new ones use `/v1`.

Their answers have no place for a yardstick, so it stands in headers beside them: `Mur-…`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import polars as pl
from fastapi import FastAPI, Query, Request, Response

from make_us_rich.errors import ForecastUnavailableError
from make_us_rich.evaluation.statistic import defined
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.kind import Served
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.price.kind import PRICE
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import LEVEL_KEYS, MEDIAN
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.freshness import require_answerable
from make_us_rich.serving.gate import is_nobody
from make_us_rich.serving.needs import ORIGINAL, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.schemas import (
    OriginalMessage,
    OriginalModelCount,
    OriginalPrediction,
    OriginalRefusal,
)

ORIGINAL_TIMEFRAME = Timeframe("1h")
RECENT_DAYS = 5
REFUSAL = "You need to provide an API token: add token=… to the address. See /docs for what is new."
NO_MODELS = "Warning: No models are running; where there are candles, naive baselines answer."

_COLUMNS = {  # ours to those of the original answer; the last four only where the source tells them
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "volume",
    "quote_volume": "quote_av",
    "trades": "trades",
    "taker_buy_base": "tb_base_av",
    "taker_buy_quote": "tb_quote_av",
}

CurrencyText = Annotated[str, Query(description="Base of the pair.", examples=["btc"])]
CompareText = Annotated[str, Query(description="Quote of the pair.", examples=["usdt"])]
TokenText = Annotated[
    str | None,
    Query(description="A token; addresses end up in logs, so send it as a header instead.", deprecated=True),
]


@dataclass(frozen=True, slots=True)
class _NextClose:
    served_by: str
    is_baseline: bool
    quantiles: tuple[float, ...]


def add_original_routes(app: FastAPI, board: Board) -> None:
    """Add the deprecated routes; they read the disk, so they run in worker threads."""
    view = board.view

    @app.put("/predict", tags=["original"], deprecated=True, responses=problem_responses(404, 422, 503))
    @needs(ORIGINAL)
    def predict(
        request: Request,
        response: Response,
        currency: CurrencyText,
        compare: CompareText,
        token: TokenText = None,
    ) -> OriginalPrediction | OriginalRefusal:
        """Return five days of hourly candles and the median of the next close; see `/v1/forecasts`."""
        if not token and is_nobody(request):
            return OriginalRefusal(error=REFUSAL)
        name = ModelName(PRICE, Symbol.parse(f"{currency}/{compare}".upper()), ORIGINAL_TIMEFRAME)
        served = board.served(name) or board.compute(name)
        require_answerable(served, view)
        response.headers.update(yardstick_headers(served, view.notice))
        return OriginalPrediction(
            data=_recent_data(view, name, served), prediction=_next_step(served).quantiles[MEDIAN]
        )

    @app.put("/update_models", tags=["original"], deprecated=True, responses=problem_responses(503))
    @needs(ORIGINAL)
    def update_models() -> OriginalMessage:
        """Look for new champions at once; the desk does so by itself every second, see `/v1/models`."""
        board.refresh()
        refused = [name for name in view.shelf.names({PRICE}) if board.champions.refusal(name)]
        if refused:
            return OriginalMessage(message=f"Warning: refused {', '.join(refused)}; /v1/models says why.")
        return OriginalMessage(message="All models have been updated.")

    @app.put("/update_date", tags=["original"], deprecated=True, responses=problem_responses(503))
    @needs(ORIGINAL)
    def update_date() -> OriginalMessage:
        """Bring every forecast up to the newest closed candle; the desk does so by itself every second."""
        board.refresh()
        return OriginalMessage(message="Date has been updated.")

    @app.get("/check_models_number", tags=["original"], deprecated=True, response_model_exclude_none=True)
    @needs(ORIGINAL)
    def check_models_number() -> OriginalModelCount:
        """Count the promoted models that answer `/predict`; see `/v1/models`."""
        running = sorted(
            f"{name.symbol.base}_{name.symbol.quote}".lower()
            for name, served in board.all_served({PRICE}).items()
            if served.models.champion is not None and name.timeframe == ORIGINAL_TIMEFRAME
        )
        if not running:
            return OriginalModelCount(message=NO_MODELS)
        return OriginalModelCount(message=f"Number of running models: {len(running)}", models=tuple(running))


def recent_columns(candles: pl.DataFrame, timeframe: Timeframe) -> dict[str, dict[str, Any]]:
    """Return candles as `{column: {row: value}}`, as `DataFrame.to_dict` gave it; times are unmarked UTC.

    >>> from datetime import UTC, datetime
    >>> candle = {"open_time": datetime(2024, 1, 1, tzinfo=UTC), "close": 42.5}
    >>> recent_columns(pl.DataFrame([candle]), Timeframe("1h"))["timestamp"]
    {'0': '2024-01-01T00:00:00'}
    """
    opened = candles["open_time"]
    closed_ms = opened.dt.epoch("ms") + round(timeframe.duration.total_seconds() * 1000) - 1
    columns = {"timestamp": opened.dt.strftime("%Y-%m-%dT%H:%M:%S"), "close_time": closed_ms}
    told = {ours: theirs for ours, theirs in _COLUMNS.items() if ours in candles.columns}
    columns |= {theirs: candles[ours] for ours, theirs in told.items() if candles[ours].count()}
    return {name: _by_row(column) for name, column in columns.items()}


def yardstick_headers(served: Served, notice: str | None) -> Mapping[str, str]:
    """Return what belongs to a number: its interval, last close, forecaster, skill and cutoff."""
    forecast, step, champion = served.forecast, _next_step(served), served.models.champion
    levels = dict(zip(LEVEL_KEYS, step.quantiles, strict=True))
    evidence = champion.manifest.evidence_at(1) if champion else None
    skill = defined(evidence.skill.get("persistence")) if evidence else None
    headers = {
        "Link": f'</v1/forecasts/{forecast.name.symbol.path_name}>; rel="successor-version"',
        "Mur-Cutoff": forecast.cutoff.isoformat(),
        "Mur-Last-Close": repr(forecast.last_close),
        "Mur-Interval-90": f"{levels['0.05']!r}, {levels['0.95']!r}",
        "Mur-Served-By": step.served_by,
        "Mur-Is-Baseline": str(step.is_baseline).lower(),
        "Mur-Skill": "unknown" if skill is None else f"{skill:.4f}",
    }
    return headers if notice is None else headers | {"Mur-Notice": notice}


def _recent_data(view: MarketView, name: ModelName, served: Served) -> dict[str, dict[str, Any]]:
    series = view.find(name.symbol, name.timeframe)
    count = RECENT_DAYS * name.timeframe.candles_per_day
    # up to the cutoff and not up to now, so that the last row is the candle the forecast stands on
    return recent_columns(view.closed_candles(series, count, served.forecast.cutoff), name.timeframe)


def _next_step(served: Served) -> _NextClose:
    step = served.forecast.step_at(1)
    if step is not None and step.quantiles is not None:
        return _NextClose(step.served_by, step.is_baseline, step.quantiles)
    champion = served.models.champion
    if champion is None or 1 in champion.manifest.horizons:
        raise ForecastUnavailableError(
            f"{served.forecast.name}: the close after {served.forecast.cutoff.isoformat()} has passed and "
            "its candle is not here; wait for the source or run `mur fetch`; /v1/forecasts has the later ones"
        )
    raise ForecastUnavailableError(
        f"{served.forecast.name}: its model does not forecast the next close; ask /v1/forecasts"
    )


def _by_row(column: pl.Series) -> dict[str, Any]:
    return {str(row): value for row, value in enumerate(column)}
