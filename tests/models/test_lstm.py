import numpy as np
import pytest
import torch

from make_us_rich.models.lstm import LstmOptions, fit_lstm
from make_us_rich.models.lstm_scale import LstmScale, LstmSize
from make_us_rich.models.price_table import PriceTable
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS
from make_us_rich.models.volatility import fit_volatility

SMALL = LstmOptions(window=8, hidden=4, epochs=1, batch_size=128)


@pytest.fixture(scope="module")
def fitted(bitcoin_table: PriceTable) -> LstmScale:
    return fit_lstm(bitcoin_table, bitcoin_table.usable_rows(0, 2500, 8), SMALL, seed=3)


def test_untrained_network_is_the_volatility_regression(bitcoin_table: PriceTable) -> None:
    rows = bitcoin_table.usable_rows(0, 2500)
    volatility = fit_volatility(bitcoin_table, rows)
    network = LstmScale(LstmSize(bitcoin_table.columns.steps.shape[1], 4, 6), volatility)
    windows = bitcoin_table.windows(rows[-10:], 8)
    with torch.no_grad():
        torch.testing.assert_close(network(windows), volatility(windows))


def test_same_seed_gives_the_same_weights(bitcoin_table: PriceTable, fitted: LstmScale) -> None:
    again = fit_lstm(bitcoin_table, bitcoin_table.usable_rows(0, 2500, 8), SMALL, seed=3)
    for name, tensor in fitted.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_another_seed_gives_other_weights(bitcoin_table: PriceTable, fitted: LstmScale) -> None:
    other = fit_lstm(bitcoin_table, bitcoin_table.usable_rows(0, 2500, 8), SMALL, seed=4)
    assert not torch.equal(fitted.lstm.weight_ih_l0, other.lstm.weight_ih_l0)


def test_fitting_leaves_the_global_random_state_alone(bitcoin_table: PriceTable) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    fit_lstm(bitcoin_table, bitcoin_table.usable_rows(0, 1500, 8), SMALL, seed=3)
    assert torch.equal(torch.rand(3), expected)


def test_shape_rises_and_its_median_is_zero(fitted: LstmScale) -> None:
    shape = fitted.shape().numpy()
    assert shape.shape == (6, len(QUANTILE_LEVELS))
    assert (np.diff(shape, axis=1) > 0).all()
    assert (shape[:, MEDIAN] == 0).all()


def test_shape_starts_where_it_is_told(fitted: LstmScale) -> None:
    wanted = np.tile(np.linspace(-2.0, 2.0, 13), (6, 1))
    network = LstmScale(LstmSize(5, 2, 6), fitted.volatility)
    network.start_shape_at(wanted)
    np.testing.assert_allclose(network.shape().detach().numpy(), wanted, atol=1e-5)


def test_training_lowers_the_quantile_loss_on_what_it_saw(bitcoin_table: PriceTable) -> None:
    from make_us_rich.evaluation.metrics import quantile_loss
    from make_us_rich.models.calibration import empirical_shape

    rows = bitcoin_table.usable_rows(0, 3000, 8)
    options = LstmOptions(window=8, hidden=8, epochs=6, batch_size=64, learning_rate=5e-3)
    network = fit_lstm(bitcoin_table, rows, options, seed=1)
    returns, windows = bitcoin_table.returns(rows), bitcoin_table.windows(rows, 8)
    losses = []
    for module in (network.volatility, network):
        with torch.no_grad():
            scale = module(windows).exp().numpy()
        losses.append(quantile_loss(scale[..., None] * empirical_shape(returns / scale), returns).mean())
    assert losses[1] < losses[0]


def test_progress_is_told_to_the_end(bitcoin_table: PriceTable) -> None:
    seen: list[tuple[int, int]] = []
    fit_lstm(bitcoin_table, bitcoin_table.usable_rows(0, 1500, 8), SMALL, 3, lambda *step: seen.append(step))
    assert seen[-1][0] == seen[-1][1] == len(seen)


def test_a_warm_start_takes_over_the_correction_and_fits_the_regression_anew(
    bitcoin_table: PriceTable, fitted: LstmScale
) -> None:
    options = LstmOptions(window=8, hidden=4, epochs=1, batch_size=128, learning_rate=1e-12)
    rows = bitcoin_table.usable_rows(0, 3000, 8)
    again = fit_lstm(bitcoin_table, rows, options, seed=3, start=fitted)
    windows = bitcoin_table.windows(rows[-10:], 8)
    torch.testing.assert_close(again.correction(windows.steps), fitted.correction(windows.steps))
    assert not torch.equal(again.volatility.weight, fitted.volatility.weight)
