"""The trend kinds: how probable an up- or a downtrend is in the coming days; one kind per direction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
from pydantic import TypeAdapter

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.trends.evidence import BLOCK_DAYS, POOL, TrendEvidence
from make_us_rich.features.trend_labels import Direction, LabelKind, TrendLabel, trend_labels
from make_us_rich.forecasting.forecast import Forecast
from make_us_rich.forecasting.kind import (
    CandleNeed,
    KnownCandles,
    Question,
    Served,
    ShelvedModels,
    Subject,
)
from make_us_rich.forecasting.kind_defaults import KindDefaults, model_reference
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.forecasting.trend.artifact import TREND_ARTIFACT
from make_us_rich.forecasting.trend.bundle import trend_bundle
from make_us_rich.forecasting.trend.forecast import (
    READ,
    gather_forecasters,
    label_of,
    trend_event,
    trend_forecast,
    trend_inputs,
)
from make_us_rich.forecasting.trend.manifest import TrendManifest
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.quality import fill_gaps
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.bundle import BundleTexts
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.model_name import ModelName
from make_us_rich.registry.trend_promotion import FALLBACK

TREND_TIMEFRAME = Timeframe("1d")
"""Every series of this length has trends; those of another length only where a model was shelved."""

TREND_KINDS = ("trend-up", "trend-down")

_AVERAGED = timedelta(days=60)  # before a cutoff: more than any label looks back
_EVIDENCE = ("forecaster", "n", "blocks", "roc_auc", "brier", "skill", "p_value")
_ADAPTER = TypeAdapter(TrendEvidence)
_MAKING = (
    "symbol", "timeframe", "source", "features", "lookback", "chosen", "dropped", "experiment", "snapshot",
    "seed", "code_version", "library_versions",
)  # fmt: skip


def direction_of(name: ModelName) -> Direction:
    """Return which way the event of a trend name goes."""
    return "up" if name.kind == TREND_KINDS[0] else "down"


class TrendKind(KindDefaults):
    """The probability of a trend of one direction, of every coin with daily candles."""

    trainer = "make_us_rich.training.trend.trainer:TrendTrainer"
    artifact = TREND_ARTIFACT
    baselines = TREND_BASELINES
    yardsticks = (FALLBACK,)
    follows_newest = True

    def __init__(self, direction: Direction) -> None:
        self.name = f"trend-{direction}"
        self.direction = direction

    def subjects(self, view: MarketView) -> Iterable[Subject]:
        """Return a name for every stored daily series, and for every model of another length."""
        stored = {(one.symbol, one.timeframe): one for one in view.series()}
        daily = [ModelName(self.name, *pair) for pair in stored if pair[1] == TREND_TIMEFRAME]
        shelved = [ModelName.parse(name) for name in view.shelf.names({self.name})]
        for name in dict.fromkeys([*daily, *shelved]):
            yield Subject(name, stored.get((name.symbol, name.timeframe)))

    def needs(self, subject: Subject, models: ShelvedModels) -> Sequence[CandleNeed]:
        """Return what the indicators read; all there is where the baselines have to be fitted here."""
        count = None if models.described is None else READ
        return [CandleNeed(subject.series, count)] if subject.series else []

    def forecast(
        self, subject: Subject, cutoff: datetime, candles: KnownCandles, models: ShelvedModels
    ) -> Forecast:
        """Return the probability, beside its three baselines and a challenger if there is one."""
        if subject.series is None:
            raise ValueError(f"{subject.name}: no candles are stored")
        is_whole = models.described is None
        inputs = trend_inputs(subject.series, cutoff, candles.own, is_whole=is_whole)
        forecasters = gather_forecasters(candles.market, models, self.direction, inputs)
        made = trend_forecast(subject.name, self.direction, cutoff, inputs, forecasters)
        return replace(made, owner=subject.owner)

    def horizons(self, models: ShelvedModels) -> tuple[int, ...]:
        """Return the one horizon of the label."""
        return (label_of(models).horizon,)

    def question(self, models: ShelvedModels) -> str:
        """Return the event: `sma-change/10/10/0.05`."""
        return trend_event(label_of(models))

    def actuals(
        self, name: ModelName, questions: Sequence[Question], candles: KnownCandles
    ) -> Mapping[Question, float]:
        """Return 1 where the trend came and 0 where it did not."""
        if candles.own.is_empty():
            return {}
        filled = CandleArrays.from_frame(fill_gaps(candles.own, name.timeframe))
        step = name.timeframe.milliseconds
        row_of = {int(time) + step: row for row, time in enumerate(filled.open_time_ms)}
        labels = {event: self._labels(event, filled) for event in {one.event for one in questions} if event}
        found = {}
        for one in questions:
            row = row_of.get(int(one.cutoff.timestamp() * 1000))
            if row is not None and one.event and not np.isnan(labels[one.event][row]):
                found[one] = float(labels[one.event][row])
        return found

    def looks_back(self, name: ModelName) -> timedelta:  # noqa: ARG002
        """Return more than any label averages over."""
        return _AVERAGED

    def block(self, name: ModelName, horizon: int) -> timedelta:  # noqa: ARG002
        """Return 40 days."""
        return timedelta(days=BLOCK_DAYS)

    def answer(self, served: Served) -> dict[str, Any]:
        """Return the probability beside its yardsticks, its challenger and the evidence of its recipe."""
        forecast, described = served.forecast, served.models.described
        (step,) = forecast.steps
        beside = {name: steps[0].probability for name, steps in forecast.yardsticks.items()}
        challenger = forecast.challenger
        return {
            "symbol": str(forecast.name.symbol),
            "timeframe": str(forecast.name.timeframe),
            "direction": self.direction,
            "cutoff": forecast.cutoff,
            "target_time": step.target_time,
            "last_close": forecast.last_close,
            "label": asdict(label_of(served.models)),
            "probability": step.probability,
            "served_by": step.served_by,
            "is_baseline": step.is_baseline,
            "baselines": beside,
            "challenger": asdict(challenger) if challenger else None,
            "evidence": _evidence(described.manifest) if described else None,
            "model": model_reference(served),
            "recorded": served.is_recorded,
        }

    def card(self, manifest: Manifest | None) -> dict[str, Any]:
        """Return the question, the candidates and the evidence of the described version."""
        if manifest is None:
            return {}
        trend = cast(TrendManifest, manifest)
        content = trend.model_dump(mode="json", include={"label", "evidence", "published", "served_by"})
        return content | {
            "described_version": trend.version,
            "candidate": trend.model,
            "making": trend.model_dump(mode="json", include=set(_MAKING)),
        }

    def bundle(self, manifest: Manifest) -> BundleTexts:
        """Return whether to use it, what it reads, and a program that runs the graph."""
        return trend_bundle(cast(TrendManifest, manifest))

    def _labels(self, event: str, candles: CandleArrays) -> FloatArray:
        kind, average, horizon, threshold = event.split("/")
        label = TrendLabel(cast(LabelKind, kind), int(average), int(horizon), float(threshold))
        return trend_labels(candles.ohlcv, label, self.direction)


def _evidence(manifest: TrendManifest) -> dict[str, Any] | None:
    record = manifest.evidence.get(POOL)
    if record is None:
        return None
    told: dict[str, Any] = _ADAPTER.dump_python(record, mode="json", include=set(_EVIDENCE))
    return told
