"""Forecasts as bytes: written once when they are made, so that a request costs next to nothing."""

import hashlib
from dataclasses import dataclass

from make_us_rich.journal.track_record import TrackRecord
from make_us_rich.models.forecast import LEVEL_KEYS, ForecastStep
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.freshness import Freshness
from make_us_rich.serving.predictor import ServedForecast
from make_us_rich.serving.schemas import (
    EvidenceAnswer,
    ForecastContent,
    LiveAnswer,
    ModelReference,
    StepAnswer,
)


@dataclass(frozen=True, slots=True)
class WrittenForecast:
    """The JSON of a forecast, complete but for its age."""

    content: bytes
    digest: str

    def body(self, freshness: Freshness) -> bytes:
        """Return the whole answer."""
        stale = b"true" if freshness.is_stale else b"false"
        return b'%b,"stale":%b,"age_seconds":%d}' % (self.content, stale, freshness.age_seconds)

    def etag(self, freshness: Freshness) -> str:
        """Return the validator, a weak one: the age in the body moves on, what it says does not."""
        return f'W/"{self.digest}{"-stale" if freshness.is_stale else ""}"'


class WrittenForecasts:
    """The JSON of every forecast in service, written when it is first asked for."""

    def __init__(self, notice: str | None) -> None:
        self._notice = notice
        self._written: dict[ModelName, tuple[ServedForecast, WrittenForecast]] = {}

    def of(self, name: ModelName, served: ServedForecast) -> WrittenForecast:
        """Return the JSON of a forecast in service."""
        known = self._written.get(name)
        if known is not None and known[0] is served:
            return known[1]
        written = write_forecast(served, self._notice)
        self._written[name] = (served, written)
        return written


def write_forecast(served: ServedForecast, notice: str | None) -> WrittenForecast:
    """Return the JSON of a forecast."""
    content = forecast_content(served, notice).model_dump_json().encode()
    return WrittenForecast(content.removesuffix(b"}"), hashlib.sha256(content).hexdigest()[:20])


def forecast_content(served: ServedForecast, notice: str | None) -> ForecastContent:
    """Return what the API says about a forecast."""
    forecast = served.forecast
    return ForecastContent(
        symbol=forecast.symbol,
        timeframe=forecast.timeframe,
        market=forecast.market,
        notice=notice,
        cutoff=forecast.cutoff,
        last_close=forecast.last_close,
        steps=tuple(_step(step, served) for step in forecast.steps),
        recorded=served.is_recorded,
        model=_model(forecast.name, served.champion),
    )


def _step(step: ForecastStep, served: ServedForecast) -> StepAnswer:
    return StepAnswer(
        horizon=step.horizon,
        target_time=step.target_time,
        median=step.median,
        quantiles=dict(zip(LEVEL_KEYS, step.quantiles, strict=True)),
        probability_up=step.probability_up,
        served_by=step.served_by,
        is_baseline=step.is_baseline,
        remark=served.remarks.get(step.horizon),
        evidence=_evidence(step.horizon, served.champion),
        live=_live(served.live.get(step.horizon)),
    )


def _live(record: TrackRecord | None) -> LiveAnswer:
    if record is None:
        return LiveAnswer()
    return LiveAnswer(
        n=record.n,
        skill=record.skill.skill,
        skill_low=record.skill.low,
        skill_high=record.skill.high,
        coverage_90=record.coverage_90,
        verdict=record.verdict,
    )


def _evidence(horizon: int, champion: Artifact | None) -> EvidenceAnswer | None:
    record = champion.manifest.evidence_at(horizon) if champion else None
    if record is None:
        return None
    return EvidenceAnswer(
        n=record.n,
        blocks=record.blocks,
        skill=record.skill,
        p_value=record.p_value,
        coverage_90=record.coverage_90,
    )


def _model(name: str, champion: Artifact | None) -> ModelReference:
    if champion is None:
        return ModelReference(
            name=name, version=None, kind=ModelName.parse(name).kind, trained_at=None, data_end=None
        )
    manifest = champion.manifest
    return ModelReference(
        name=name,
        version=manifest.version,
        kind=manifest.kind,
        trained_at=manifest.trained_at,
        data_end=manifest.data_end,
    )
