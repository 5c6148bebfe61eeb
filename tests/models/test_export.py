import numpy as np
import pytest
import torch

from make_us_rich.errors import ArtifactError
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.calibration import empirical_shape
from make_us_rich.models.export import GoldenWindows, check_parity, export_onnx
from make_us_rich.models.lstm import LstmOptions, fit_lstm
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.models.price_graph import FittedScale, PriceGraph
from make_us_rich.models.price_table import PriceTable, build_price_table
from make_us_rich.models.quantiles import MEDIAN
from make_us_rich.models.scale_model import ScaleModel

WINDOW = 8


@pytest.fixture(scope="module")
def graph(bitcoin_table: PriceTable) -> PriceGraph:
    """Horizons 1 to 8 from the network, 12 and 24 from the regression."""
    rows = bitcoin_table.usable_rows(0, 2500, WINDOW)
    network = fit_lstm(bitcoin_table, rows, LstmOptions(window=WINDOW, hidden=4, epochs=1), seed=5)
    fitted = {}
    for name, module, window in (("lstm", network, WINDOW), ("volatility", network.volatility, 1)):
        with torch.no_grad():
            scale = module(bitcoin_table.windows(rows, window)).exp().numpy()
        fitted[name] = FittedScale(
            ScaleModel(module, window), empirical_shape(bitcoin_table.returns(rows) / scale)
        )
    return PriceGraph(Timeframe("1h"), fitted, ["lstm"] * 4 + ["volatility"] * 2).eval()


@pytest.fixture(scope="module")
def windows(bitcoin_arrays, graph: PriceGraph) -> GoldenWindows:
    index = np.linspace(graph.lookback, 4000, 200).astype(int)[:, None] + np.arange(-graph.lookback, 0)
    return GoldenWindows(bitcoin_arrays.open_time_ms[index], bitcoin_arrays.ohlcv[index])


@pytest.fixture(scope="module")
def exported(graph: PriceGraph, windows: GoldenWindows) -> bytes:
    return export_onnx(graph, windows)


def test_exported_graph_equals_torch_on_many_windows(graph, windows, exported) -> None:
    parity, prices = check_parity(graph, exported, windows)
    assert parity.windows == 200
    assert parity.normalised <= 1e-5
    assert parity.relative_price <= 1e-6
    assert prices.shape == (200, 6, 13)


def test_parity_check_refuses_a_graph_that_says_something_else(graph, windows, exported) -> None:
    changed = PriceGraph.__new__(PriceGraph)
    torch.nn.Module.__init__(changed)
    changed.__dict__.update({k: v for k, v in graph.__dict__.items() if not k.startswith("_")})
    changed.features, changed.scales = graph.features, graph.scales
    changed.register_buffer("shape", graph.shape * 1.01)
    with pytest.raises(ArtifactError, match="differs from the fitted one"):
        check_parity(changed, exported, windows)


def test_quantiles_rise_around_the_last_close(graph, windows, exported, tmp_path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(exported)
    prices = OnnxForecaster(path).quantiles(windows.open_time_ms, windows.ohlcv)
    assert (np.diff(prices, axis=2) >= 0).all()
    np.testing.assert_allclose(
        prices[:, :, MEDIAN], windows.ohlcv[:, -1, 3, None].repeat(6, axis=1), rtol=1e-12
    )


def test_batch_of_one_equals_its_row_in_a_large_batch(windows, exported, tmp_path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(exported)
    forecaster = OnnxForecaster(path)
    whole = forecaster.quantiles(windows.open_time_ms, windows.ohlcv)
    one = forecaster.quantiles(windows.open_time_ms[7:8], windows.ohlcv[7:8])
    np.testing.assert_allclose(one[0], whole[7], rtol=1e-9)


def test_each_horizon_is_served_by_its_own_candidate(graph, windows, bitcoin_arrays) -> None:
    assert graph.names == ("lstm", "volatility")
    with torch.no_grad():
        graph_prices = graph(torch.from_numpy(windows.open_time_ms), torch.from_numpy(windows.ohlcv)).numpy()
        columns = graph.features(torch.from_numpy(windows.open_time_ms), torch.from_numpy(windows.ohlcv))
        last = columns._replace(regressors=columns.regressors[:, -1], context=columns.context[:, -1])
        scale = graph.scales[1](last).exp().numpy()
    expected = windows.ohlcv[:, -1, 3, None] * np.exp(scale[:, 5, None] * graph.shape[5].numpy())
    np.testing.assert_allclose(graph_prices[:, 5], expected, rtol=1e-12)


@pytest.fixture(scope="module")
def active_graph(active_arrays) -> PriceGraph:
    arrays, hourly = active_arrays, Timeframe("1h")
    table = build_price_table(arrays.open_time_ms, arrays.ohlcv, hourly, read=arrays.columns)
    rows = table.usable_rows(0, 2500, WINDOW)
    network = fit_lstm(table, rows, LstmOptions(window=WINDOW, hidden=4, epochs=1), seed=5)
    with torch.no_grad():
        scale = network(table.windows(rows, WINDOW)).exp().numpy()
    fitted = FittedScale(ScaleModel(network, WINDOW), empirical_shape(table.returns(rows) / scale))
    return PriceGraph(hourly, {"lstm": fitted}, ["lstm"] * 6, arrays.columns.names).eval()


def test_exported_graph_with_a_third_input_equals_torch(active_arrays, active_graph) -> None:
    lookback = active_graph.lookback
    index = np.linspace(lookback, 4000, 100).astype(int)[:, None] + np.arange(-lookback, 0)
    windows = GoldenWindows(*active_arrays.at(index))
    parity, prices = check_parity(active_graph, export_onnx(active_graph, windows), windows)
    assert (parity.windows, prices.shape) == (100, (100, 6, 13))
    with torch.no_grad():
        open_time_ms, ohlcv, columns = windows.tensors()
        doubled = active_graph(open_time_ms, ohlcv, columns * torch.tensor([1.0, 1.0, 2.0])).numpy()
    assert not np.allclose(prices, doubled, rtol=1e-6), "the third input is read"
