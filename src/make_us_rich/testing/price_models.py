"""The contract of a price model (extra: `train`)."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from pydantic import JsonValue

from make_us_rich.errors import ArtifactError
from make_us_rich.evaluation.walk_forward import PriceCandidate, fit_all
from make_us_rich.features.inputs import read_inputs
from make_us_rich.market.candle import CandleArrays, InputColumns
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.calibration import empirical_shape
from make_us_rich.models.export import GoldenWindows, check_parity, export_onnx
from make_us_rich.models.location_scale import FittedPrice, LocationScale
from make_us_rich.models.price_features import WARM_UP
from make_us_rich.models.price_graph import FittedScale, PriceGraph
from make_us_rich.models.price_table import PriceTable, build_price_table
from make_us_rich.models.scale_model import ScaleModel
from make_us_rich.testing.promise import require
from make_us_rich.training.price.candidates import price_candidates
from make_us_rich.training.price.experiment import PriceExperiment, preset_experiment
from make_us_rich.training.price.price_models import PRICE_MODELS, PriceModel

_TOLERANCE = 1e-6  # relative, of scales: sums over a longer series are taken in another order
_WINDOWS = 32
_INPUTS = ("calendar", "lag_returns")  # what a model that reads inputs is checked with


def check_price_model(
    model: str | PriceModel,
    candles: pl.DataFrame,
    timeframe: Timeframe | None = None,
    settings: Mapping[str, JsonValue] | None = None,
) -> None:
    """Raise an `AssertionError` with a sentence where a price model, or the one of a name, breaks a promise.

    A fixed seed gives the same twice, nothing changes when the future is cut off, scales are positive and
    finite, and the exported graph answers what torch does. Candles, hourly unless a timeframe is given, are
    gap-free and some 2,000; the model is fitted three times on half of them. `settings` are its own, smaller
    ones say.
    """
    known = PRICE_MODELS.resolve(model) if isinstance(model, str) else model
    if isinstance(model, str):
        require(known.name == model, f"{model} must have the name it is registered under, found {known.name}")
    with PRICE_MODELS.offering(known.name, known):
        _check(known, candles, timeframe or Timeframe("1h"), settings or {})


def _check(
    model: PriceModel, candles: pl.DataFrame, timeframe: Timeframe, settings: Mapping[str, JsonValue]
) -> None:
    experiment = _experiment(model, timeframe, settings)
    candidates = _candidates(experiment)
    window = max(candidate.window for candidate in candidates)
    least = 2 * (WARM_UP + window)
    require(len(candles) >= least, f"the check needs {least} candles, found {len(candles)}")
    arrays = read_inputs(candles, timeframe, experiment.inputs)
    table = _table(arrays, experiment)
    end = (len(table) + WARM_UP + window) // 2
    own = _fit(table, candidates, end)
    rows = np.arange(WARM_UP + window, len(table))
    forecast = own.predict(table, rows)
    _check_forecast(forecast, (len(rows), len(experiment.horizons)))
    again = _fit(table, candidates, end).predict(table, rows)
    require(_difference(forecast, again) == 0.0, "a fixed seed must give the same forecasts twice")
    short = _table(_first(arrays, end), experiment)
    known = rows[rows < end]
    cut = _fit(short, candidates, end).predict(short, known)
    require(
        _difference(own.predict(table, known), cut) <= _TOLERANCE,
        "forecasts must not change when the future is cut off; fit on the rows of the job and nothing later",
    )
    _check_export(own, table, arrays, model.name)


def _experiment(
    model: PriceModel, timeframe: Timeframe, settings: Mapping[str, JsonValue]
) -> PriceExperiment:
    changes: dict[str, JsonValue] = {"timeframe": str(timeframe)}
    if model.settings_key and settings:
        changes[model.settings_key] = dict(settings)
    if model.reads_inputs:
        changes["inputs"] = list(_INPUTS)
    return preset_experiment(model.name, "BTC/USDT", **changes)


def _candidates(experiment: PriceExperiment) -> tuple[PriceCandidate, ...]:
    try:
        return price_candidates(experiment)
    except ValueError as error:
        raise AssertionError(str(error)) from error


def _table(arrays: CandleArrays, experiment: PriceExperiment) -> PriceTable:
    timeframe = Timeframe.parse(experiment.timeframe)
    return build_price_table(
        arrays.open_time_ms, arrays.ohlcv, timeframe, experiment.horizons, arrays.columns
    )


def _first(arrays: CandleArrays, end: int) -> CandleArrays:
    columns = arrays.columns and InputColumns(arrays.columns.names, arrays.columns.values[:end])
    return CandleArrays(arrays.open_time_ms[:end], arrays.ohlcv[:end], columns)


def _fit(table: PriceTable, candidates: tuple[PriceCandidate, ...], end: int) -> FittedPrice:
    return fit_all(table, candidates, end, {})[candidates[-1].name]


def _check_forecast(forecast: LocationScale, shape: tuple[int, int]) -> None:
    for name, found in (("location", forecast.location), ("scale", forecast.scale)):
        require(found.shape == shape, f"the {name} must be (row, horizon) {shape}, found {found.shape}")
        require(bool(np.isfinite(found).all()), f"every {name} must be finite")
    require(bool((forecast.scale > 0).all()), "every scale must be positive")


def _difference(one: LocationScale, other: LocationScale) -> float:
    scale = np.abs(other.scale / one.scale - 1).max()
    return float(max(scale, np.abs((other.location - one.location) / one.scale).max()))


def _check_export(own: FittedPrice, table: PriceTable, arrays: CandleArrays, name: str) -> None:
    if not isinstance(own, ScaleModel):
        raise AssertionError(
            f"a fit must come to a ScaleModel, which can be exported, found {type(own).__name__}"
        )
    rows = table.usable_rows(0, len(table), own.window)
    shape = empirical_shape(own.predict(table, rows).residuals(table.returns(rows)))
    fitted = {name: FittedScale(own, shape)}
    graph = PriceGraph(table.timeframe, fitted, [name] * len(table.horizons), table.inputs).eval()
    ends = np.linspace(graph.lookback, len(table), _WINDOWS).round().astype(np.int64)
    open_time_ms, ohlcv, columns = arrays.at(ends[:, None] + np.arange(-graph.lookback, 0))
    windows = GoldenWindows(open_time_ms, ohlcv, columns if graph.inputs else None)
    try:
        _, prices = check_parity(graph, export_onnx(graph, windows), windows)
    except ArtifactError as error:
        raise AssertionError(f"the exported graph must answer what torch does ({error})") from error
    require(bool((np.isfinite(prices) & (prices > 0)).all()), "every price must be positive and finite")
    require(bool((np.diff(prices, axis=-1) >= 0).all()), "the quantiles of a forecast must rise")
