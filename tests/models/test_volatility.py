import numpy as np

from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.price_table import PriceTable, build_price_table
from make_us_rich.models.volatility import fit_volatility, log_volatility_ahead


def test_regression_finds_the_constant_volatility_of_a_plain_walk() -> None:
    rng = np.random.default_rng(8)
    minute = rng.normal(0, 0.01 / np.sqrt(60), (4000, 60))
    path = np.cumsum(minute.ravel()).reshape(4000, 60)
    before = np.concatenate([[0.0], path[:-1, -1]])
    ohlcv = np.exp(
        np.stack(
            [
                before,
                np.maximum(path.max(1), before),
                np.minimum(path.min(1), before),
                path[:, -1],
                path[:, 0],
            ],
            1,
        )
    )
    table = build_price_table(np.arange(4000) * 3_600_000, ohlcv, Timeframe("1h"))
    module = fit_volatility(table, table.usable_rows(0, 4000))
    scale = module(table.windows(np.arange(800, 3900), 1)).exp().numpy()
    expected = 0.01 * np.sqrt(np.array(table.horizons))
    # discrete paths understate the range, and the mean of a log lies below the log of the mean
    np.testing.assert_allclose(np.median(scale, axis=0) / expected, 0.9, atol=0.12)


def test_fit_reads_no_target_beyond_its_rows(bitcoin_arrays, bitcoin_table: PriceTable) -> None:
    rows = bitcoin_table.usable_rows(0, 2000)
    changed = bitcoin_arrays.ohlcv.copy()
    changed[2000:] *= 3
    other = build_price_table(bitcoin_arrays.open_time_ms, changed, bitcoin_table.timeframe)
    one, two = fit_volatility(bitcoin_table, rows), fit_volatility(other, rows)
    np.testing.assert_allclose(one.weight.numpy(), two.weight.numpy(), rtol=1e-7, atol=1e-9)


def test_log_volatility_ahead_looks_at_the_next_candles_only() -> None:
    variance = np.array([9.0, 4.0, 1.0, 100.0])
    np.testing.assert_allclose(log_volatility_ahead(variance, np.array([0]), 1), [np.log(2)])
    np.testing.assert_allclose(log_volatility_ahead(variance, np.array([0, 1]), 2)[0], 0.5 * np.log(2.5))
