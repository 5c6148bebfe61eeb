"""The contract of price models: ours keep it, and what breaks it is told in a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
import torch
from torch import nn

from make_us_rich.evaluation.walk_forward import FitJob, PriceCandidate
from make_us_rich.models.price_features import PriceColumns
from make_us_rich.models.scale_model import ScaleModel
from make_us_rich.testing import check_price_model
from make_us_rich.training.fits import Experiment
from make_us_rich.training.price.candidates import volatility_candidates
from make_us_rich.training.price.price_models import PRICE_MODELS, RecipeOf

SMALL: dict[str, dict[str, Any]] = {
    "lstm": {"window": 8, "hidden": 4, "epochs": 1},
    "blend": {"window": 8, "hidden": 4, "epochs": 1},
    "lstm-original": {"window": 8, "hidden": 4, "epochs": 1},
}


@pytest.fixture
def candles(bitcoin_hours: pl.DataFrame) -> pl.DataFrame:
    return bitcoin_hours.head(2400)


@pytest.mark.parametrize("name", PRICE_MODELS)
def test_every_model_keeps_the_contract(name: str, candles: pl.DataFrame) -> None:
    check_price_model(name, candles, settings=SMALL.get(name))


class Constant(nn.Module):
    """The same log scale at all times."""

    def __init__(self, log_scale: float, n_horizons: int) -> None:
        super().__init__()
        self.register_buffer("log_scale", torch.full((n_horizons,), log_scale, dtype=torch.float64))

    def forward(self, columns: PriceColumns) -> torch.Tensor:
        return columns.week_volatility[..., None] * 0 + self.log_scale


@dataclass(frozen=True)
class Flat:
    """What a third party might bring: the scale is one number, by `level`."""

    level: Callable[[FitJob], float]
    name: str = "flat"
    first: str = "volatility"
    settings_key: None = None
    settings: None = None
    reads_inputs: bool = False
    horizons: None = None

    def candidates(self, experiment: Experiment) -> tuple[PriceCandidate, ...]:
        def fit(job: FitJob) -> ScaleModel:
            return ScaleModel(Constant(self.level(job), len(job.table.horizons)), 1)

        (yardstick,) = volatility_candidates(experiment)
        return (PriceCandidate(self.first, 1, yardstick.fit), PriceCandidate(self.name, 1, fit))


def test_a_model_that_is_not_ours_passes_without_being_installed(candles: pl.DataFrame) -> None:
    check_price_model(Flat(lambda job: float(job.table.returns(job.rows).std())), candles)
    assert "flat" not in PRICE_MODELS


def test_a_model_that_looks_ahead_is_caught(candles: pl.DataFrame) -> None:
    with pytest.raises(AssertionError, match="must not change when the future is cut off"):
        check_price_model(Flat(lambda job: float(job.table.log_close.std())), candles)


def test_a_model_that_draws_lots_is_caught(candles: pl.DataFrame) -> None:
    with pytest.raises(AssertionError, match="a fixed seed must give the same forecasts twice"):
        check_price_model(Flat(lambda _: float(torch.rand(()))), candles)


def test_a_scale_that_is_no_number_is_caught(candles: pl.DataFrame) -> None:
    with pytest.raises(AssertionError, match="every scale must be finite"):
        check_price_model(Flat(lambda _: float("nan")), candles)


def test_a_model_without_the_yardstick_is_caught(candles: pl.DataFrame) -> None:
    with pytest.raises(AssertionError, match=r"candidates begin with volatility .*, found other, flat"):
        check_price_model(Flat(lambda _: 0.0, first="other"), candles)


def test_a_name_that_is_not_its_own_is_caught(candles: pl.DataFrame) -> None:
    alias = RecipeOf("volatility", "make_us_rich.training.price.candidates:volatility_candidates")
    with (
        PRICE_MODELS.offering("garch", alias),
        pytest.raises(AssertionError, match="garch must have the name it is registered under"),
    ):
        check_price_model("garch", candles)
