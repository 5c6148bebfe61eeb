"""What most kinds have in common: a kind of one's own begins here and says only what differs."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.forecasting.forecast import ForecastStep
from make_us_rich.forecasting.inputs import MAX_FILLED_SHARE
from make_us_rich.forecasting.kind import CandleNeed, KnownCandles, Served, ShelvedModels, Subject
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.quality import fill_gaps, require_fit_candles
from make_us_rich.models.quantiles import LEVEL_KEYS
from make_us_rich.registry.artifact import AnyArtifactType
from make_us_rich.registry.bundle import BundleTexts
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.model_name import ModelName

WEEK = timedelta(days=7)
_HORIZONS_PER_BLOCK = 5
_MODEL_FIELDS = ("version", "trained_at", "data_end")


class KindDefaults:
    """A kind about one pair, of every stored series, that answers with its steps as they are."""

    name: str
    trainer: str | None = None
    artifact: AnyArtifactType | None = None
    baselines: tuple[str, ...] = ()
    yardsticks: tuple[str, ...] = ()
    has_owners = False
    follows_newest = False
    is_told_by_record = False
    reads_candles = 1_000
    """How many of the newest candles a forecast is made from."""
    horizons_ahead: tuple[int, ...] = (1,)

    def subjects(self, view: MarketView) -> Iterable[Subject]:
        """Return a name for every stored series."""
        for series in view.series():
            yield Subject(ModelName(self.name, series.symbol, series.timeframe), series)

    def needs(self, subject: Subject, models: ShelvedModels) -> Sequence[CandleNeed]:  # noqa: ARG002
        """Return the newest candles of the name's own series."""
        return [CandleNeed(subject.series, self.reads_candles)] if subject.series else []

    def reads(self, subject: Subject) -> Collection[ModelName]:  # noqa: ARG002
        """Return no other name."""
        return ()

    def horizons(self, models: ShelvedModels) -> tuple[int, ...]:  # noqa: ARG002
        """Return the horizons of a forecast, in candles."""
        return self.horizons_ahead

    def question(self, models: ShelvedModels) -> str | None:  # noqa: ARG002
        """Return no event."""
        return None

    def losses(self, said: FloatArray, last_close: FloatArray, actual: FloatArray) -> FloatArray:
        """Return the quantile loss of the log return, or for probabilities the Brier score."""
        if said.shape[1] == 1:
            brier: FloatArray = (actual - said[:, 0]) ** 2
            return brier
        return quantile_loss(np.log(said / last_close[:, None]), np.log(actual / last_close))

    def looks_back(self, name: ModelName) -> timedelta:
        """Return one candle: the one whose close the cutoff is."""
        return name.timeframe.duration

    def block(self, name: ModelName, horizon: int) -> timedelta:
        """Return a week or five horizons, whichever is longer."""
        return max(WEEK, _HORIZONS_PER_BLOCK * horizon * name.timeframe.duration)

    def inputs(self, subject: Subject, cutoff: datetime, candles: KnownCandles) -> CandleArrays:
        """Return the candles of the name's own series without gaps.

        Raises a `DataError` where too many had to be invented.
        """
        stored, timeframe = candles.own, subject.name.timeframe
        if subject.series is None:
            raise ValueError(f"{subject.name}: no candles are stored")
        require_fit_candles(stored, subject.series, cutoff, max_missing_share=MAX_FILLED_SHARE)
        return CandleArrays.from_frame(fill_gaps(stored, timeframe))

    def answer(self, served: Served) -> dict[str, Any]:
        """Return the forecast step by step, each with what its yardsticks say of the same horizon."""
        forecast = served.forecast
        return {
            "name": str(forecast.name),
            "subject": str(forecast.name.subject),
            "timeframe": str(forecast.name.timeframe),
            "cutoff": forecast.cutoff,
            "last_close": forecast.last_close,
            "question": forecast.question,
            "steps": [step_answer(step) | _beside(step, served) for step in forecast.steps],
            "recorded": served.is_recorded,
            "model": model_reference(served),
        }

    def card(self, manifest: Manifest | None) -> dict[str, Any]:
        """Return the experiment and the snapshot of the version."""
        if manifest is None:
            return {"making": None}
        return {
            "making": manifest.model_dump(mode="json", include={"source", "experiment", "snapshot", "seed"})
        }

    def bundle(self, manifest: Manifest) -> BundleTexts:
        """Return a short text, and no example worth the name."""
        text = f"# {manifest.name}, version {manifest.version}\n\nModel `{manifest.model}`.\n"
        return BundleTexts(text, '"""See README.md and manifest.json."""\n')


def step_answer(step: ForecastStep) -> dict[str, Any]:
    """Return one step in JSON types."""
    return {
        "horizon": step.horizon,
        "target_time": step.target_time,
        "quantiles": dict(zip(LEVEL_KEYS, step.quantiles, strict=True)) if step.quantiles else None,
        "probability": step.probability,
        "served_by": step.served_by,
        "is_baseline": step.is_baseline,
        "remark": step.remark,
    }


def model_reference(served: Served) -> dict[str, Any]:
    """Return which model answers; without a champion everything but its name and kind is null."""
    forecast, champion = served.forecast, served.models.champion
    reference = {"name": str(forecast.name), "version": None, "kind": forecast.name.kind}
    known = {field: getattr(champion.manifest, field) if champion else None for field in _MODEL_FIELDS}
    return reference | known


def _beside(step: ForecastStep, served: Served) -> dict[str, Any]:
    yardsticks = {}
    for name, steps in served.forecast.yardsticks.items():
        same = next((one for one in steps if one.horizon == step.horizon), None)
        yardsticks[name] = step_answer(same) if same and same.missing is None else None
    live = served.live.get(step.horizon)
    return {"yardsticks": yardsticks, "live": live}
