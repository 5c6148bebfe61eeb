"""The routes of the second published system, so that its clients go on working; new ones use `/v1/trends`.

As in `original`, the yardstick of a number stands in headers beside it: `Mur-…`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, cast

from fastapi import FastAPI, Query, Response

from make_us_rich.errors import UnknownNameError
from make_us_rich.forecasting.board import Board
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.trend.kind import TREND_KINDS
from make_us_rich.forecasting.trend.manifest import TrendManifest
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.needs import ORIGINAL, needs
from make_us_rich.serving.problems import problem_responses
from make_us_rich.serving.trend_answers import served_trends
from make_us_rich.serving.trend_schemas import (
    OriginalMetrics,
    OriginalTrendModel,
    OriginalTrendPrediction,
    TrendContent,
)


class TrendType(StrEnum):
    """The directions, as they were called."""

    UP = "uptrend"
    DOWN = "downtrend"


BaseText = Annotated[str, Query(description="Base of the pair.", examples=["SOL"])]
TrendTypeText = Annotated[TrendType, Query(description="Which trend.")]


def add_original_trend_routes(app: FastAPI, board: Board) -> None:
    """Add the deprecated routes over trends; they read the disk, so they run in worker threads."""
    view = board.view

    @app.get("/models", tags=["original"], deprecated=True, responses=problem_responses(503))
    @needs(ORIGINAL)
    def read_original_models() -> list[OriginalTrendModel]:
        """Return the trend models with what they look at and their published scores; see `/v1/models`."""
        return [_original_model(_manifest(view, name)) for name in view.shelf.names(TREND_KINDS)]

    @app.get("/prediction", tags=["original"], deprecated=True, responses=problem_responses(404, 422, 503))
    @needs(ORIGINAL)
    def read_original_prediction(
        response: Response, symbol: BaseText, trend_type: TrendTypeText
    ) -> OriginalTrendPrediction:
        """Return the probability of a trend of a coin for which there is a model; see `/v1/trends`."""
        name = _find(view, symbol, trend_type)
        ((served,), _) = served_trends(board, [name])
        answer = TrendContent.model_validate(board.kinds[name.kind].answer(served), extra="ignore")
        response.headers.update(yardstick_headers(answer, view.notice))
        return OriginalTrendPrediction(
            prediction_probabilities=answer.probability, symbol=name.symbol.base, trend_type=trend_type
        )


def yardstick_headers(answer: TrendContent, notice: str | None) -> Mapping[str, str]:
    """Return what belongs to a probability: its baselines, forecaster, skill and cutoff."""
    skill = answer.evidence.skill.get("random_walk") if answer.evidence else None
    yardsticks = {f"Mur-{name.replace('_', '-').title()}": value for name, value in answer.baselines}
    headers = {
        "Link": f'</v1/trends/{answer.symbol.replace("/", "-")}>; rel="successor-version"',
        "Mur-Cutoff": answer.cutoff.isoformat(),
        "Mur-Served-By": answer.served_by,
        "Mur-Is-Baseline": str(answer.is_baseline).lower(),
        "Mur-Skill": "unknown" if skill is None or answer.is_baseline else f"{skill:.4f}",
    }
    headers |= {key: "unknown" if value is None else f"{value:.4f}" for key, value in yardsticks.items()}
    return headers if notice is None else headers | {"Mur-Notice": notice}


def _find(view: MarketView, base: str, trend_type: TrendType) -> ModelName:
    kind = f"trend-{trend_type.value.removesuffix('trend')}"
    names = [ModelName.parse(name) for name in view.shelf.names({kind})]
    found = [name for name in names if name.symbol.base == base.upper()]
    if not found:
        there = ", ".join(sorted({name.symbol.base for name in names})) or "none"
        raise UnknownNameError(f"no {trend_type.value} model of {base} is on the shelf; there are: {there}")
    return min(found, key=lambda name: (name.symbol.quote != "USDT", str(name)))


def _manifest(view: MarketView, name: str) -> TrendManifest:
    pointer = view.shelf.champion(name)
    version = pointer.version if pointer else view.shelf.versions(name)[-1]
    return cast(TrendManifest, view.shelf.manifest(name, version))


def _original_model(manifest: TrendManifest) -> OriginalTrendModel:
    tags = manifest.tags
    metrics = {name: tags[name] for name in OriginalMetrics.model_fields}
    return OriginalTrendModel.model_validate(
        {
            "symbol": tags["symbol"],
            "trend_type": tags["classified_trend"],
            "feature_importance": tags["feature_importance"],
            "performance_metrics": metrics,
            "target_pct": tags["target_pct"],
            "prediction_window_days": tags["prediction_window_days"],
        }
    )
