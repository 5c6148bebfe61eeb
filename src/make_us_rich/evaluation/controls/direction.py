"""Claims of direction on walks that have none, and the plainest forecaster that would make one."""

from dataclasses import replace

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.models.price_features import RETURN_SPANS
from make_us_rich.models.price_table import PriceTable, Rows
from make_us_rich.models.quantiles import MEDIAN

LOCATED = "located"


def direction_claims(backtest: Backtest) -> tuple[str, ...]:
    """Return the forecasters whose median is, at any cutoff and horizon, not the last close."""
    return tuple(name for name, q in backtest.quantiles.items() if np.any(q[..., MEDIAN] != 0.0))


def with_location(backtest: Backtest, table: PriceTable, name: str) -> Backtest:
    """Return the backtest with `name`'s quantiles moved by a fitted location, as forecaster `LOCATED`.

    The location is a least-squares regression of the return, in units of the past week's volatility, on the
    returns of the last 1 to 24 candles as the table's inputs tell them. It is fitted once, on rows whose
    targets had closed before the first cutoff. Against `name` itself only the location is tested.
    """
    rows = np.searchsorted(table.open_time_ms, backtest.cutoff_ms - table.timeframe.milliseconds)
    past = table.usable_rows(0, int(rows[0]))
    unit = np.sqrt(table.horizons)
    targets = table.returns(past) / (table.week_volatility(past)[:, None] * unit)
    weight, *_ = np.linalg.lstsq(_past_returns(table, past), targets, rcond=None)
    location = _past_returns(table, rows) @ weight * (table.week_volatility(rows)[:, None] * unit)
    return replace(
        backtest, quantiles=backtest.quantiles | {LOCATED: backtest.quantiles[name] + location[..., None]}
    )


def _past_returns(table: PriceTable, rows: Rows) -> FloatArray:
    returns = table.columns.steps[rows, : len(RETURN_SPANS)].double().numpy()
    return np.concatenate([np.ones((len(rows), 1)), returns], axis=1)
