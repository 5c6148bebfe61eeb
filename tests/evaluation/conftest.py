from collections.abc import Callable

import numpy as np
import pytest

from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import QUANTILE_LEVELS

NORMAL = np.array(
    [
        *(-1.95996, -1.64485, -1.28155, -0.84162, -0.67449, -0.25335),
        *(0.0, 0.25335, 0.67449, 0.84162, 1.28155, 1.64485, 1.95996),
    ]
)


@pytest.fixture
def make_backtest() -> Callable[..., Backtest]:
    """Return a function that builds weeks of hourly forecasts of normal returns whose true scale is known."""

    def build(scales: dict[str, float], weeks: int = 10, seed: int = 0, noise: float = 0.0) -> Backtest:
        rng = np.random.default_rng(seed)
        n, horizons = weeks * 168, (1, 24)
        root = np.sqrt(np.array(horizons))
        returns = rng.normal(size=(n, 2)) * 0.01 * root
        quantiles = {
            name: 0.01 * factor * np.exp(noise * rng.normal(size=(n, 2, 1))) * root[:, None] * NORMAL
            for name, factor in scales.items()
        }
        assert len(NORMAL) == len(QUANTILE_LEVELS)
        return Backtest(
            timeframe=Timeframe("1h"),
            horizons=horizons,
            cutoff_ms=np.arange(n) * 3_600_000,
            fold=np.repeat([3, 4], n // 2),
            last_close=np.full(n, 100.0),
            week_volatility=np.full(n, 0.01),
            returns=returns,
            quantiles=quantiles,
        )

    return build
