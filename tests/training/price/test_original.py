from pathlib import Path

import numpy as np
import pytest
import torch

from make_us_rich.evaluation.metrics import mae
from make_us_rich.forecasting.kinds import open_shelf
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.original import CLOSE
from make_us_rich.models.original_fit import OriginalOptions, ScaledSequences, fit_original
from make_us_rich.models.price_table import build_price_table
from make_us_rich.training.price.experiment import preset_experiment
from trainings import train_price_model

SMALL = {"window": 12, "hidden": 8, "layers": 1, "dropout": 0.0, "epochs": 2, "batch_size": 256}


def test_the_published_recipe_goes_through_the_same_folds_and_is_not_promoted_on_its_own_merit(
    take, tmp_path: Path
) -> None:
    experiment = preset_experiment("lstm-original", "BTC/USDT", original=SMALL)
    snapshot = take("2025-09-01")
    shelf = open_shelf(tmp_path, "replay")
    result = train_price_model(experiment, snapshot, shelf, snapshot.data_end)
    (evidence,) = result.evidence
    assert evidence.horizon == 1
    assert evidence.served_by != "lstm-original"
    assert evidence.skill["persistence"] < 0
    assert shelf.load(result.name, result.version).manifest.model == "lstm-original"


@pytest.fixture(scope="module")
def table(bitcoin_hours):
    arrays = CandleArrays.from_frame(bitcoin_hours.head(3000))
    return build_price_table(arrays.open_time_ms, arrays.ohlcv, Timeframe("1h"), horizons=(1,))


def test_the_same_seed_gives_the_same_forecast_in_prices_near_the_last_close(table) -> None:
    rows = table.usable_rows(0, 2000, 12)
    options = OriginalOptions(**(SMALL | {"epochs": 6, "learning_rate": 0.01}))
    after = np.arange(2000, 2100)
    locations = []
    for _ in range(2):
        module = fit_original(table, rows, options, seed=42)
        locations.append(module.location(*table.candle_windows(after, 12)).numpy()[:, 0])
    np.testing.assert_array_equal(*locations)
    close = table.ohlcv[:, 3]
    assert mae(close[after] * np.exp(locations[0]), close[after + 1]) < 0.2 * close[after].mean()


def test_the_fit_sees_no_candle_after_the_last_target(table) -> None:
    rows = table.usable_rows(0, 1500, 12)
    options = OriginalOptions(**(SMALL | {"epochs": 1}))
    changed = table.ohlcv.copy()
    changed[1500:] *= 5
    other = build_price_table(table.open_time_ms, changed, table.timeframe, horizons=(1,))
    one, two = fit_original(table, rows, options, 1), fit_original(other, rows, options, 1)
    for name, tensor in one.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), two.state_dict()[name].numpy())


def test_patience_keeps_the_best_epoch(table) -> None:
    rows = table.usable_rows(0, 1500, 12)
    seen: list[tuple[int, int]] = []
    options = OriginalOptions(**(SMALL | {"epochs": 50, "learning_rate": 0.3, "patience": 2}))
    fit_original(table, rows, options, 1, lambda *step: seen.append(step))
    assert seen[-1][0] < seen[-1][1], "a learning rate this wild must stop early"


def test_every_window_is_a_view_of_the_columns_and_is_followed_by_its_target() -> None:
    columns = torch.arange(20 * 9, dtype=torch.float32).view(20, 9)
    sequences = ScaledSequences(columns, 12)
    assert len(sequences) == 8
    assert sequences.windows.untyped_storage().data_ptr() == columns.untyped_storage().data_ptr()
    windows, targets = sequences.take(torch.tensor([5, 0]))
    torch.testing.assert_close(windows, torch.stack([columns[5:17], columns[0:12]]))
    torch.testing.assert_close(targets, columns[[17, 12], CLOSE])
