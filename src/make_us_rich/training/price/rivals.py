"""A price recipe beside the champion: losses in the same folds, widths at the newest cutoffs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import MakeUsRichError
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.blocks import BlockMeans, block_milliseconds, whole_blocks
from make_us_rich.evaluation.folds import Fold
from make_us_rich.evaluation.metrics import quantile_loss
from make_us_rich.evaluation.walk_forward import run_walk_forward
from make_us_rich.features.inputs import read_columns, what_is_read
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.market.activity import MARKET_CANDLES, MARKET_VARIANCE, market_columns
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.models.baselines import backtest_baseline
from make_us_rich.models.onnx import OnnxForecaster
from make_us_rich.models.quantiles import LEVEL_KEYS, NAIVE_BASELINES
from make_us_rich.registry.promotion import NEWEST_CUTOFFS
from make_us_rich.training.fits import Comparison
from make_us_rich.training.price.candidates import price_candidates
from make_us_rich.training.price.experiment import PriceExperiment, build_experiment
from make_us_rich.training.price.trial import Trial, read_recipe

_LOW, _HIGH = LEVEL_KEYS.index("0.05"), LEVEL_KEYS.index("0.95")


def compare(trial: Trial, snapshot: Snapshot, champion: PriceManifest) -> Comparison:
    """Fit the champion's recipe in the folds of a trial, and return the losses of what each serves."""
    version = champion.version
    try:
        experiment = build_experiment(champion.experiment, f"{champion.name}@{version}")
        if lacking := unread_columns(experiment, trial.experiment, snapshot):
            reads = f"the champion reads {', '.join(lacking)}, which these candles do not have"
            way_out = "train with its inputs, or `mur models promote` by hand"
            return Comparison(version, refusal=f"{reads}; {way_out}")
        theirs = walk_rival(experiment, snapshot, trial.folds)
    except MakeUsRichError as error:
        reason = " ".join(str(error).split())
        return Comparison(version, refusal=f"the champion's recipe cannot be fitted here ({reason})")
    own = up_to(trial.walk.backtest, len(theirs))
    horizons = [h for h in own.horizons if h in theirs.horizons]
    if not horizons:
        return Comparison(version, refusal="the champion forecasts other horizons; promote it by hand")
    served = {v.horizon: v.served_by for v in trial.verdicts}
    their_served = {int(horizon): name for horizon, name in champion.served_by.items()}
    return Comparison(
        version,
        own=served_losses(own, [served[h] for h in horizons], horizons),
        theirs=served_losses(theirs, [their_served[h] for h in horizons], horizons),
    )


def unread_columns(champion: PriceExperiment, experiment: PriceExperiment, snapshot: Snapshot) -> list[str]:
    """Return what the champion's recipe reads and a snapshot lacks.

    The market of other symbols is not its own.
    """
    is_same_market = champion.market == experiment.market
    there = set(snapshot.candles.columns) | ({MARKET_CANDLES} if market_columns(snapshot.candles) else set())
    if not is_same_market:
        there -= {MARKET_VARIANCE, MARKET_CANDLES}
    return [name for name in what_is_read(champion.inputs) if name not in there]


def walk_rival(experiment: PriceExperiment, snapshot: Snapshot, folds: Sequence[Fold]) -> Backtest:
    """Run a recipe through given folds, of which the last ends where the recipe's own targets end."""
    end = snapshot.rows - max(experiment.horizons)
    cut = [replace(fold, test_end=min(fold.test_end, end)) for fold in folds]
    table = read_recipe(experiment, snapshot).table
    return run_walk_forward(table, price_candidates(experiment), cut).backtest


def up_to(backtest: Backtest, n: int) -> Backtest:
    """Return the first `n` forecasts of a backtest."""
    return Backtest(
        backtest.timeframe,
        backtest.horizons,
        backtest.cutoff_ms[:n],
        backtest.fold[:n],
        backtest.last_close[:n],
        backtest.week_volatility[:n],
        backtest.returns[:n],
        {name: quantiles[:n] for name, quantiles in backtest.quantiles.items()},
    )


def served_losses(backtest: Backtest, served_by: Sequence[str], horizons: Sequence[int]) -> BlockMeans:
    """Return per whole block the loss of who serves, in units of the past week's volatility.

    It is the mean over horizons, each over the volatility of as many candles.
    """
    positions = [backtest.horizons.index(horizon) for horizon in horizons]
    losses = [
        quantile_loss(backtest.quantiles[name][:, j], backtest.returns[:, j])
        / (backtest.week_volatility * np.sqrt(horizon))
        for name, horizon, j in zip(served_by, horizons, positions, strict=True)
    ]
    block_ms = block_milliseconds(max(horizons), backtest.timeframe)
    return whole_blocks(np.mean(losses, axis=0), backtest.cutoff_ms, block_ms, backtest.timeframe)


def served_widths(forecaster: OnnxForecaster, manifest: PriceManifest, snapshot: Snapshot) -> FloatArray:
    """Return the widths (n,) of the served 90 % intervals, in log return, at the newest cutoffs.

    They are those of the first horizon, whoever serves it.
    """
    horizon = manifest.horizons[0]
    name = manifest.served_by[str(horizon)]
    candles = read_columns(snapshot.candles, snapshot.timeframe, manifest.activity_columns)
    if name in NAIVE_BASELINES:
        rows = np.arange(len(candles) - min(NEWEST_CUTOFFS, len(candles)), len(candles))
        close = candles.ohlcv[:, 3]
        said = backtest_baseline(name, close, rows, snapshot.timeframe, (horizon,))[:, 0]
        naive: FloatArray = said[:, _HIGH] - said[:, _LOW]
        return naive
    first = max(manifest.lookback, len(candles) - NEWEST_CUTOFFS + 1)
    index = np.arange(first, len(candles) + 1)[:, None] + np.arange(-manifest.lookback, 0)
    prices = forecaster.quantiles(*candles.at(index))[:, 0]
    widths: FloatArray = np.log(prices[:, _HIGH] / prices[:, _LOW])
    return widths
