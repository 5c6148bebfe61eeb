"""The price kind: where a pair will close in the coming candles, as quantiles."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import numpy as np

from make_us_rich.forecasting.forecast import Forecast
from make_us_rich.forecasting.inputs import inputs_hash
from make_us_rich.forecasting.kind import (
    CandleNeed,
    KnownCandles,
    Question,
    Served,
    ShelvedModels,
    Subject,
)
from make_us_rich.forecasting.kind_defaults import KindDefaults, model_reference
from make_us_rich.forecasting.price.answer import model_card, step_answers
from make_us_rich.forecasting.price.artifact import PRICE_ARTIFACT
from make_us_rich.forecasting.price.bundle import price_bundle
from make_us_rich.forecasting.price.forecast import (
    PERSISTENCE,
    VOLATILITY,
    Forecasters,
    candle_needs,
    horizons_served,
    naive_quantiles,
    price_forecast,
    price_inputs,
    yardstick_steps,
)
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.market.series import Series
from make_us_rich.models.quantiles import NAIVE_BASELINES
from make_us_rich.registry.bundle import BundleTexts
from make_us_rich.registry.manifest import Manifest
from make_us_rich.registry.model_name import ModelName

PRICE = "price"


def price_name(series: Series) -> ModelName:
    """Return the name of the price forecast of a series."""
    return ModelName(PRICE, series.symbol, series.timeframe)


class PriceKind(KindDefaults):
    """Quantiles of the close at each horizon, of every stored series."""

    name = PRICE
    trainer = "make_us_rich.training.price.trainer:PriceTrainer"
    artifact = PRICE_ARTIFACT
    baselines = NAIVE_BASELINES
    yardsticks = (PERSISTENCE, VOLATILITY)
    is_told_by_record = True

    def needs(self, subject: Subject, models: ShelvedModels) -> Sequence[CandleNeed]:
        """Return a year of candles for the baselines, more where the model reads more."""
        return candle_needs(subject.series, models.champion) if subject.series else []

    def forecast(
        self, subject: Subject, cutoff: datetime, candles: KnownCandles, models: ShelvedModels
    ) -> Forecast:
        """Return the quantiles of who serves each horizon, beside persistence and volatility."""
        series, champion, market = _series(subject), models.champion, candles.market
        inputs = price_inputs(series, cutoff, candles, champion)
        forecasters = Forecasters(market, champion, naive_quantiles(inputs, series, champion))
        made = price_forecast(subject.name, cutoff, inputs, forecasters)
        return replace(
            made,
            yardsticks=yardstick_steps(made, inputs, forecasters),
            input_hash=inputs_hash(inputs),
            owner=subject.owner,
        )

    def horizons(self, models: ShelvedModels) -> tuple[int, ...]:
        """Return those of the champion, or the usual ones."""
        return tuple(horizon for horizon, _ in horizons_served(models.champion))

    def actuals(
        self, name: ModelName, questions: Sequence[Question], candles: KnownCandles
    ) -> Mapping[Question, float]:
        """Return the closes at the target times."""
        own, duration = candles.own, name.timeframe.duration
        if own.is_empty() or not questions:
            return {}
        oldest = min(one.target_time for one in questions) - duration
        near = own.tail(max(0, (own["open_time"].item(-1) - oldest) // duration + 1))
        closes = {
            open_time + duration: close
            for open_time, close in zip(near["open_time"].to_list(), near["close"].to_list(), strict=True)
            if close is not None and close > 0 and np.isfinite(close)
        }
        return {one: closes[one.target_time] for one in questions if one.target_time in closes}

    def answer(self, served: Served) -> dict[str, Any]:
        """Return every step with its quantiles, evidence and live record."""
        forecast = served.forecast
        return {
            "symbol": str(forecast.name.symbol),
            "timeframe": str(forecast.name.timeframe),
            "cutoff": forecast.cutoff,
            "last_close": forecast.last_close,
            "steps": step_answers(served),
            "recorded": served.is_recorded,
            "model": model_reference(served),
        }

    def card(self, manifest: Manifest | None) -> dict[str, Any]:
        """Return who serves which horizon, with what evidence, and how the version was made."""
        return model_card(cast(PriceManifest | None, manifest))

    def bundle(self, manifest: Manifest) -> BundleTexts:
        """Return the yardstick of every horizon, and a program that runs the graph."""
        return price_bundle(cast(PriceManifest, manifest))


def _series(subject: Subject) -> Series:
    if subject.series is None:
        raise ValueError(f"{subject.name}: no candles are stored")
    return subject.series
