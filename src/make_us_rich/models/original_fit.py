"""Train the published recipe with Lightning, from windows that are views of one tensor in memory."""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

import lightning
import torch
from torch import Tensor, nn

from make_us_rich.models.lightning_run import FitPlan, OnStep, run_fit
from make_us_rich.models.original import (
    CLOSE,
    CloseChange,
    MinMaxScaling,
    OriginalFeatures,
    OriginalNetwork,
    OriginalScale,
    OriginalSize,
    n_training_windows,
)
from make_us_rich.models.price_table import PriceTable, Rows


@dataclass(frozen=True, slots=True)
class OriginalOptions:
    """The published numbers."""

    window: int = 120
    hidden: int = 128
    layers: int = 2
    dropout: float = 0.2
    learning_rate: float = 1e-4
    batch_size: int = 64
    epochs: int = 100
    patience: int = 2
    validation_share: float = 0.2
    close_change: CloseChange = "open"
    accelerator: str = "auto"


def fit_original(
    table: PriceTable, rows: Rows, options: OriginalOptions, seed: int, on_step: OnStep | None = None
) -> OriginalScale:
    """Fit on candles whose next close lies at or before that of the last of `rows`; the best epoch is kept.

    The last share of the windows validates, as published, and the scaling knows the training windows only.
    """
    end = int(rows[-1]) + 2  # the target of the last row is the close of the row after it
    features = OriginalFeatures(options.close_change)
    with torch.no_grad():
        columns = features(
            torch.tensor(table.open_time_ms[None, :end]), torch.tensor(table.ohlcv[None, :end])
        )[0]
    n_train = n_training_windows(end, options.window, options.validation_share)
    scaling = MinMaxScaling(columns[: n_train + options.window])
    sequences = ScaledSequences(scaling(columns).float(), options.window)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = OriginalNetwork(OriginalSize(options.hidden, options.layers, options.dropout))
        fit = _MeanSquaredFit(network, sequences, options)
        batches = sequences.batches(0, n_train, options.batch_size, shuffle_seed=seed)
        validation = sequences.batches(n_train, len(sequences), options.batch_size * 8)
        best = _BestEpoch(fit, options.patience)
        plan = FitPlan(options.accelerator, options.epochs, len(batches), callbacks=(best,))
        run_fit(fit, plan, batches, validation, on_step)
    return OriginalScale(features, scaling, network)


class ScaledSequences:
    """Windows (n, window, 9) of scaled columns as a view: every window shares the memory of the columns."""

    def __init__(self, columns: Tensor, window: int) -> None:
        self.windows = columns.unfold(0, window, 1).transpose(1, 2)[:-1]  # the last window has no target yet
        self.targets = columns[window:, CLOSE]

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return copies of the windows (b, window, 9) at these positions and their targets (b,)."""
        return self.windows.index_select(0, positions), self.targets.index_select(0, positions)

    def batches(self, start: int, end: int, batch_size: int, shuffle_seed: int | None = None) -> "RowBatches":
        """Return batches of positions `start` to `end`, in order, or shuffled anew every epoch."""
        return RowBatches(start, end, batch_size, shuffle_seed)


class RowBatches:
    """Positions in batches; the last one may be short."""

    def __init__(self, start: int, end: int, batch_size: int, shuffle_seed: int | None) -> None:
        self._positions = torch.arange(start, end)
        self._batch_size = batch_size
        self._generator = None if shuffle_seed is None else torch.Generator().manual_seed(shuffle_seed)

    def __len__(self) -> int:
        return math.ceil(len(self._positions) / self._batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        positions = self._positions
        if self._generator is not None:
            positions = positions[torch.randperm(len(positions), generator=self._generator)]
        yield from torch.split(positions, self._batch_size)


class _MeanSquaredFit(lightning.LightningModule):  # type: ignore[misc]
    def __init__(
        self, network: OriginalNetwork, sequences: ScaledSequences, options: OriginalOptions
    ) -> None:
        super().__init__()
        self.network = network
        self._sequences = sequences
        self._learning_rate = options.learning_rate

    def training_step(self, positions: Tensor, _: int) -> Tensor:
        return self._loss(positions)

    def validation_step(self, positions: Tensor, _: int) -> None:
        self.log("validation_loss", self._loss(positions), batch_size=len(positions))

    def _loss(self, positions: Tensor) -> Tensor:
        windows, targets = self._sequences.take(positions.to(self._sequences.windows.device))
        return nn.functional.mse_loss(self.network(windows.to(self.device)), targets.to(self.device))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.network.parameters(), lr=self._learning_rate)


class _BestEpoch(lightning.Callback):  # type: ignore[misc]
    """Keep the weights of the best validation epoch and stop after `patience` epochs without a better one."""

    def __init__(self, fit: _MeanSquaredFit, patience: int) -> None:
        self._fit = fit
        self._patience = patience
        self._best = float("inf")
        self._weights = deepcopy(fit.network.state_dict())
        self._waited = 0

    def on_validation_epoch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        loss = float(trainer.callback_metrics["validation_loss"])
        if loss < self._best:
            self._best, self._waited = loss, 0
            self._weights = deepcopy(self._fit.network.state_dict())
            return
        self._waited += 1
        trainer.should_stop = self._waited >= self._patience

    def on_fit_end(self, *_: object) -> None:
        self._fit.network.load_state_dict(self._weights)
