import math

import numpy as np
import pytest

from make_us_rich.evaluation.trends.evidence import (
    OuterForecasts,
    gather_trend_evidence,
    pooled_advantage,
    skill_interval,
)
from make_us_rich.market.timeframe import Timeframe

DAY_MS = 86_400_000


def forecasts(days: int = 400, *, seed: int = 0, first: int = 0, sharpness: float = 2.0) -> OuterForecasts:
    """An event of known probability, forecast truly by `oracle` and blindly by the rest."""
    rng = np.random.default_rng(seed)
    truth = 1 / (1 + np.exp(-sharpness * rng.normal(size=days)))
    flat = np.full(days, 0.5)
    return OuterForecasts(
        timeframe=Timeframe("1d"),
        cutoff_ms=(first + np.arange(days)) * DAY_MS,
        fold=np.repeat([1, 2], days // 2),
        outcome=(rng.random(days) < truth).astype(float),
        probability={"oracle": truth, "base_rate": flat, "momentum": flat, "random_walk": flat},
    )


def test_an_oracle_is_proven_better_than_every_baseline() -> None:
    evidence = gather_trend_evidence(forecasts(), "oracle", seed=0)
    assert evidence.blocks == 10
    assert evidence.n == 400
    assert all(skill > 0.2 for skill in evidence.skill.values())
    assert all(p_value < 1e-4 for p_value in evidence.p_value.values())


def test_a_baseline_has_no_skill_against_itself_and_no_proof() -> None:
    evidence = gather_trend_evidence(forecasts(), "random_walk", seed=0)
    assert evidence.skill["random_walk"] == 0
    assert evidence.p_value["random_walk"] == 1


def test_the_bootstrap_interval_holds_the_skill_and_repeats_with_its_seed() -> None:
    outer = forecasts()
    low, high = skill_interval(outer, "oracle", "base_rate", seed=3)
    assert low < gather_trend_evidence(outer, "oracle", seed=3).skill["base_rate"] < high
    assert (low, high) == skill_interval(outer, "oracle", "base_rate", seed=3)


def test_one_block_leaves_the_interval_undefined() -> None:
    assert all(math.isnan(bound) for bound in skill_interval(forecasts(50), "oracle", "base_rate", seed=0))


def test_a_day_of_many_coins_counts_once() -> None:
    coin = forecasts()
    alone, twice = (pooled_advantage([coin] * n, "oracle", "base_rate") for n in (1, 2))
    assert twice.values == pytest.approx(alone.values)
    assert len(pooled_advantage([coin, forecasts(first=40, seed=1)], "oracle", "base_rate")) == 11
