"""Trends in the shape the API and the command line answer them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from make_us_rich.errors import MakeUsRichError
from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.features.trend_labels import Direction
from make_us_rich.models.trend_forecast import TrendForecast
from make_us_rich.registry.artifact import TrendArtifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.desk_view import DeskView
from make_us_rich.serving.freshness import Freshness, freshness_of, require_answerable
from make_us_rich.serving.schemas import ModelReference
from make_us_rich.serving.trends.forecasting import direction_of
from make_us_rich.serving.trends.predictor import ServedTrend, TrendPredictor
from make_us_rich.serving.trends.schemas import (
    ChallengerAnswer,
    TrendAnswer,
    TrendEvidenceAnswer,
    TrendLabelAnswer,
    TrendListAnswer,
    UnavailableTrendAnswer,
    YardstickAnswer,
)


@dataclass(frozen=True, slots=True)
class TrendList:
    """What can be said about trends at one moment, with the ages of the forecasts in it."""

    answer: TrendListAnswer
    ages: tuple[Freshness, ...]


def list_trends(
    view: DeskView, predictor: TrendPredictor, direction: Direction | None, now: datetime
) -> TrendList:
    """Return every trend of a direction, or of both; those that are too old are named as unavailable."""
    served = predictor.all_served()
    answerable, problems = _answerable(view, served.values(), now)
    for name, error in predictor.problems().items():
        if name not in answerable:
            problems.setdefault(name, error)
    return _trend_list(view, answerable.values(), problems, direction)


def list_trends_of(view: DeskView, served: Iterable[ServedTrend], now: datetime) -> TrendList:
    """Return the trends of one coin; if none is young enough, why not is raised."""
    answerable, problems = _answerable(view, served, now)
    if not answerable:
        raise next(iter(problems.values()))
    return _trend_list(view, answerable.values(), problems, None)


def trend_answer(served: ServedTrend, freshness: Freshness) -> TrendAnswer:
    """Return what is said about one trend."""
    forecast = served.forecast
    described = served.models.described
    return TrendAnswer(
        symbol=forecast.symbol,
        timeframe=forecast.timeframe,
        direction=forecast.direction,
        cutoff=forecast.cutoff,
        target_time=forecast.target_time,
        last_close=forecast.last_close,
        label=TrendLabelAnswer(**asdict(forecast.label)),
        probability=forecast.probability,
        served_by=forecast.served_by,
        is_baseline=forecast.is_baseline,
        baselines=YardstickAnswer(**forecast.baselines),
        challenger=ChallengerAnswer(**asdict(forecast.challenger)) if forecast.challenger else None,
        evidence=_evidence(described) if described else None,
        model=_model(forecast, served.models.champion),
        stale=freshness.is_stale,
        age_seconds=freshness.age_seconds,
        recorded=served.is_recorded,
    )


_Answerable = dict[ModelName, tuple[ServedTrend, Freshness]]


def _answerable(
    view: DeskView, served: Iterable[ServedTrend], now: datetime
) -> tuple[_Answerable, dict[ModelName, MakeUsRichError]]:
    answerable: _Answerable = {}
    problems: dict[ModelName, MakeUsRichError] = {}
    for one in served:
        name, freshness = ModelName.parse(one.forecast.name), freshness_of(one.forecast, now)
        try:
            require_answerable(one.forecast, freshness, view)
        except MakeUsRichError as error:
            problems[name] = error
        else:
            answerable[name] = (one, freshness)
    return answerable, problems


def _trend_list(
    view: DeskView,
    answerable: Iterable[tuple[ServedTrend, Freshness]],
    problems: Mapping[ModelName, MakeUsRichError],
    direction: Direction | None,
) -> TrendList:
    wanted = [pair for pair in answerable if direction in (None, pair[0].forecast.direction)]
    wanted.sort(key=lambda pair: (-pair[0].forecast.probability, pair[0].forecast.name))
    missing = [name for name in sorted(problems, key=str) if direction in (None, direction_of(name))]
    answer = TrendListAnswer(
        market=view.market,
        notice=view.notice,
        trends=tuple(trend_answer(*pair) for pair in wanted),
        unavailable=tuple(_unavailable(name, problems[name]) for name in missing),
    )
    return TrendList(answer, tuple(freshness for _, freshness in wanted))


def _unavailable(name: ModelName, error: MakeUsRichError) -> UnavailableTrendAnswer:
    return UnavailableTrendAnswer(
        symbol=str(name.symbol),
        timeframe=str(name.timeframe),
        direction=direction_of(name),
        reason=str(error),
    )


def _evidence(artifact: TrendArtifact) -> TrendEvidenceAnswer | None:
    record = artifact.manifest.evidence.get(POOL)
    if record is None:
        return None
    return TrendEvidenceAnswer(
        **{field: getattr(record, field) for field in TrendEvidenceAnswer.model_fields}
    )


def _model(forecast: TrendForecast, champion: TrendArtifact | None) -> ModelReference:
    manifest = champion.manifest if champion else None
    return ModelReference(
        name=forecast.name,
        version=manifest.version if manifest else None,
        kind=f"trend-{forecast.direction}",
        trained_at=manifest.trained_at if manifest else None,
        data_end=manifest.data_end if manifest else None,
    )
