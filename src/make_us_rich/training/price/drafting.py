"""From a trial to an artifact: refit on all data, calibrate, export, prove parity, describe."""

import io
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version as library_version

import numpy as np

from make_us_rich.evaluation.explain import permutation_importance
from make_us_rich.evaluation.walk_forward import OnProgress, fit_all
from make_us_rich.features.inputs import inputs_of, reads_market
from make_us_rich.forecasting.price.artifact import VOLATILITY_FILE, golden_payload
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.models.calibration import calibrated_shape
from make_us_rich.models.export import GoldenWindows, check_parity, export_onnx
from make_us_rich.models.price_graph import FittedScale, PriceGraph
from make_us_rich.models.quantiles import NAIVE_BASELINES, QUANTILE_LEVELS
from make_us_rich.models.scale_model import ScaleModel
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.registry.manifest import TensorSpec
from make_us_rich.training.fits import CandleSpan, Occasion
from make_us_rich.training.price.experiment import PriceExperiment
from make_us_rich.training.price.trial import Trial, run_trial
from make_us_rich.training.price.trial_report import report_trial
from make_us_rich.version import __version__

PARITY_WINDOWS = 256
GOLDEN_WINDOWS = 8
TARGET = "log return of the close over each horizon, as quantiles in prices"
_YARDSTICK = "volatility"
_LIBRARIES = ("lightning", "numpy", "onnx", "onnxruntime", "polars", "torch")


def fit_final(trial: Trial, on_progress: OnProgress | None = None) -> dict[str, FittedScale]:
    """Refit every candidate on all candles, with the shape calibrated on its held-out residuals."""

    def on_fit(name: str, share: float) -> None:
        if on_progress is not None:
            on_progress(f"{name}: all candles", share)

    table = trial.table
    fitted = fit_all(table, trial.candidates, len(table), trial.walk.last_fitted, on_fit)
    return {
        name: FittedScale(fit, calibrated_shape(trial.walk.residuals[name], table.horizons, table.timeframe))
        for name, fit in fitted.items()
        if isinstance(fit, ScaleModel)
    }


def draft_price_model(
    experiment: PriceExperiment, occasion: Occasion, on_progress: OnProgress | None = None
) -> tuple[Trial, ArtifactDraft]:
    """Run the trial, refit on all candles and draft the artifact; nothing is written."""
    trial = run_trial(experiment, occasion.snapshot, on_progress)
    return trial, build_artifact(trial, fit_final(trial, on_progress), occasion)


def build_artifact(trial: Trial, fitted: Mapping[str, FittedScale], occasion: Occasion) -> ArtifactDraft:
    """Export the models that serve, check the export on many windows, and draft the artifact.

    Where a naive baseline serves a horizon, the graph still answers with the experiment's own model there,
    and the manifest says that it must not be used.
    """
    own = trial.experiment.model
    serving = [own if v.served_by in NAIVE_BASELINES else v.served_by for v in trial.verdicts]
    graph = PriceGraph(trial.table.timeframe, fitted, serving, trial.table.inputs).eval()
    windows = spread_windows(trial, graph, PARITY_WINDOWS)
    model = export_onnx(graph, windows)
    _, prices = check_parity(graph, model, windows)
    golden = slice(0, None, PARITY_WINDOWS // GOLDEN_WINDOWS)
    payloads = {
        "model.onnx": model,
        "golden.npz": golden_payload(
            windows.open_time_ms[golden],
            windows.ohlcv[golden],
            prices[golden],
            None if windows.columns is None else windows.columns[golden],
        ),
        "weights.npz": _weights_payload(fitted),
        "explain.json": _explain_payload(trial, fitted[own]),
    } | report_trial(trial, occasion.snapshot).to_files()
    if own != _YARDSTICK:
        payloads[VOLATILITY_FILE] = _yardstick_payload(trial, fitted)
    return ArtifactDraft(_manifest(trial, graph, occasion), payloads)


def spread_windows(trial: Trial, graph: PriceGraph, n: int) -> GoldenWindows:
    """Return up to `n` windows of a graph spread over the whole series, the last one at its end."""
    ends = np.linspace(graph.lookback, len(trial.candles), n).round().astype(np.int64)
    index = ends[:, None] + np.arange(-graph.lookback, 0)
    open_time_ms, ohlcv, columns = trial.candles.at(index)
    return GoldenWindows(open_time_ms, ohlcv, columns if graph.inputs else None)


def _manifest(trial: Trial, graph: PriceGraph, occasion: Occasion) -> PriceManifest:
    experiment, snapshot = trial.experiment, occasion.snapshot
    served_by = {str(v.horizon): v.served_by for v in trial.verdicts}
    return PriceManifest(
        name=experiment.name,
        model=experiment.model,
        symbol=experiment.symbol,
        timeframe=experiment.timeframe,
        market=snapshot.market,
        source=snapshot.source,
        inputs=_inputs(graph),
        market_symbols=experiment.market if reads_market(inputs_of(graph.inputs)) else (),
        outputs=(
            TensorSpec(
                name="quantiles",
                dtype="float64",
                shape=("batch", len(experiment.horizons), len(QUANTILE_LEVELS)),
            ),
        ),
        window=max(graph.windows),
        lookback=graph.lookback,
        horizons=experiment.horizons,
        quantile_levels=QUANTILE_LEVELS,
        target=TARGET,
        experiment=experiment.model_dump(mode="json"),
        snapshot=CandleSpan.of(snapshot).reference,
        trained_at=occasion.now,
        data_end=snapshot.data_end,
        code_version=__version__,
        library_versions={name: library_version(name) for name in _LIBRARIES}
        | {"python": platform.python_version()},
        seed=experiment.seed,
        served_by=served_by,
        evidence={
            name: tuple(one.with_served_by(served_by[str(one.horizon)]) for one in records)
            for name, records in trial.evidence.items()
        },
    )


def _inputs(graph: PriceGraph) -> tuple[TensorSpec, ...]:
    candles = (
        TensorSpec(name="open_time_ms", dtype="int64", shape=("batch", graph.lookback)),
        TensorSpec(name="ohlcv", dtype="float64", shape=("batch", graph.lookback, 5)),
    )
    if not graph.inputs:
        return candles
    shape = ("batch", graph.lookback, len(graph.inputs))
    return (*candles, TensorSpec(name="columns", dtype="float64", shape=shape, columns=graph.inputs))


def _yardstick_payload(trial: Trial, fitted: Mapping[str, FittedScale]) -> bytes:
    # the journal writes down what the plain regression says beside the model, and drift is judged against it
    names = [_YARDSTICK] * len(trial.experiment.horizons)
    graph = PriceGraph(trial.table.timeframe, fitted, names).eval()
    windows = spread_windows(trial, graph, GOLDEN_WINDOWS)
    content = export_onnx(graph, windows)
    check_parity(graph, content, windows)
    return content


def _weights_payload(fitted: Mapping[str, FittedScale]) -> bytes:
    buffer = io.BytesIO()
    tensors = {
        f"{name}/{key}": tensor.numpy()
        for name, scale in fitted.items()
        for key, tensor in scale.model.module.state_dict().items()
    }
    shapes = {f"{name}/shape": scale.shape for name, scale in fitted.items()}
    np.savez_compressed(buffer, **tensors, **shapes)  # type: ignore[arg-type]
    return buffer.getvalue()


def _explain_payload(trial: Trial, own: FittedScale) -> bytes:
    last = trial.folds[-1]
    rows = np.arange(last.test_start, last.test_end)
    importance = permutation_importance(own, trial.table, rows, trial.experiment.seed)
    content = {
        "method": "permutation importance: rise of the quantile loss in percent when an input is shuffled",
        "horizons": list(trial.experiment.horizons),
        "inputs": [asdict(item) for item in importance],
    }
    return json.dumps(content, indent=1).encode()
