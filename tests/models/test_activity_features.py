from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import torch

from make_us_rich.features.market_volatility import market_variance
from make_us_rich.market.candle import CandleArrays, InputColumns
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.price_features import WARM_UP, PriceFeatures, garman_klass_variance
from make_us_rich.models.price_table import PriceTable, build_price_table

HOURLY = Timeframe("1h")
COLUMNS = ("taker_buy_base", "trades", "market_variance")


def build(arrays: CandleArrays, values: np.ndarray, names: tuple[str, ...]) -> PriceTable:
    return build_price_table(
        arrays.open_time_ms, arrays.ohlcv, HOURLY, read=InputColumns(names, np.asarray(values))
    )


@pytest.fixture(scope="module")
def whole(active_arrays: CandleArrays) -> PriceTable:
    return build(active_arrays, active_arrays.columns.values, COLUMNS)


@pytest.fixture(scope="module")
def column(whole: PriceTable) -> Callable[[str], np.ndarray]:
    names = PriceFeatures(HOURLY, COLUMNS).context_names
    return lambda name: whole.columns.context[WARM_UP:, names.index(name)].numpy()


def test_without_inputs_nothing_changes(
    whole: PriceTable, bitcoin_table: PriceTable, active_arrays: CandleArrays
) -> None:
    features, bare = PriceFeatures(HOURLY, COLUMNS), PriceFeatures(HOURLY)
    assert features.step_names[: len(bare.step_names)] == bare.step_names
    assert features.regressor_names == bare.regressor_names
    for name in ("steps", "context"):
        theirs, ours = getattr(bitcoin_table.columns, name), getattr(whole.columns, name)
        torch.testing.assert_close(ours[:, : theirs.shape[1]], theirs, rtol=0, atol=0)
        assert ours.shape[1] == theirs.shape[1] + 11


def test_every_input_has_a_name_and_a_value(whole: PriceTable) -> None:
    features = PriceFeatures(HOURLY, COLUMNS)
    assert len(set(features.step_names)) == whole.columns.steps.shape[1]
    assert len(set(features.context_names)) == whole.columns.context.shape[1]
    assert torch.isfinite(whole.columns.steps[WARM_UP:]).all()
    assert (whole.columns.context[WARM_UP:, -11:].std(0) > 0.01).all(), "each one says something"


def test_a_window_gives_what_the_whole_series_gives(active_arrays: CandleArrays, whole: PriceTable) -> None:
    window = np.arange(3000 - WARM_UP - 8, 3000)[None]
    open_time_ms, ohlcv, activity = map(torch.from_numpy, active_arrays.at(window))
    columns = PriceFeatures(HOURLY, COLUMNS)(open_time_ms, ohlcv, 8, activity)
    torch.testing.assert_close(columns.context[0, -1], whole.columns.context[2999], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(columns.steps[0].float(), whole.columns.steps[2992:3000], rtol=1e-5, atol=1e-6)


def test_the_unit_of_what_was_traded_does_not_matter(active_arrays: CandleArrays, whole: PriceTable) -> None:
    scale = np.array([1000.0, 7.0, 1.0])
    larger = CandleArrays(active_arrays.open_time_ms, active_arrays.ohlcv * [1, 1, 1, 1, 1000.0])
    other = build(larger, active_arrays.columns.values * scale, COLUMNS)
    torch.testing.assert_close(other.columns.context, whole.columns.context, rtol=0, atol=1e-7)


def test_taker_share_by_hand(column: Callable[[str], np.ndarray], active_arrays: CandleArrays) -> None:
    share = active_arrays.columns.values[:, 0] / active_arrays.ohlcv[:, 4] - 0.5
    np.testing.assert_allclose(column("taker_share_span1"), share[WARM_UP:], atol=1e-9)
    np.testing.assert_allclose(column("taker_one_sidedness"), np.abs(share[WARM_UP:]), atol=1e-9)
    mean = np.convolve(share, np.full(4, 0.25))[WARM_UP : len(share)]
    np.testing.assert_allclose(column("taker_share_span4"), mean, atol=1e-9)


def test_where_nothing_was_traded_nobody_bought_more(active_arrays: CandleArrays) -> None:
    still = active_arrays.ohlcv.copy()
    still[-1, 4] = 0.0
    activity = active_arrays.columns.values.copy()
    activity[-1, :2] = 0.0
    table = build(CandleArrays(active_arrays.open_time_ms, still), activity, COLUMNS)
    names = PriceFeatures(HOURLY, COLUMNS).context_names
    assert table.columns.context[-1, names.index("taker_share_span1")] == 0.0
    assert torch.isfinite(table.columns.context[-1]).all()


def test_a_market_that_is_the_pair_itself_says_nothing_of_its_own(
    active_arrays: CandleArrays, bitcoin_table: PriceTable
) -> None:
    table = build(active_arrays, bitcoin_table.variance[:, None], ("market_variance",))
    names = PriceFeatures(HOURLY, ("market_variance",)).context_names
    week = table.columns.context[WARM_UP:, names.index("market_volatility_week")]
    torch.testing.assert_close(week, torch.zeros_like(week))


def test_the_variance_of_the_market_is_the_one_the_models_compute(
    bitcoin_hours: pl.DataFrame, bitcoin_arrays: CandleArrays
) -> None:
    candles = bitcoin_hours.head(4000)
    double = candles.with_columns(high=pl.col("high") * 1.01)
    torch_of = [
        garman_klass_variance(torch.from_numpy(CandleArrays.from_frame(frame).ohlcv)).numpy()
        for frame in (candles, double)
    ]
    found = market_variance(candles["open_time"], [candles, double])
    np.testing.assert_allclose(found, np.sqrt(torch_of[0] * torch_of[1]), rtol=1e-7)


def test_features_that_read_activity_say_so_when_there_is_none(bitcoin_arrays: CandleArrays) -> None:
    features = PriceFeatures(HOURLY, ("trades",))
    with pytest.raises(ValueError, match="read trades, but no columns were given"):
        features(
            torch.from_numpy(bitcoin_arrays.open_time_ms[None]), torch.from_numpy(bitcoin_arrays.ohlcv[None])
        )
