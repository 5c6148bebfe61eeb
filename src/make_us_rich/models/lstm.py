"""Fit the default price model with Lightning, from tensors that are already in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import lightning
import torch
from torch import Tensor

from make_us_rich.models.calibration import empirical_shape
from make_us_rich.models.lightning_run import FitPlan, OnStep, run_fit
from make_us_rich.models.lstm_scale import LstmScale, LstmSize
from make_us_rich.models.price_table import PriceTable, Rows
from make_us_rich.models.quantiles import QUANTILE_LEVELS
from make_us_rich.models.volatility import fit_volatility

_SHORTEST_CYCLE = 8  # below this the rising part of the schedule would have no step
_SHAPE_ROWS = 8760  # the start of the quantile shape needs a year of residuals, not all of them


@dataclass(frozen=True, slots=True)
class LstmOptions:
    """How the network is trained; the numbers worked on candles before 2025."""

    window: int = 48
    hidden: int = 32
    epochs: int = 4
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    accelerator: str = "auto"


def fit_lstm(  # noqa: PLR0913 -- on what, how, from where, and who watches
    table: PriceTable,
    rows: Rows,
    options: LstmOptions,
    seed: int,
    on_step: OnStep | None = None,
    *,
    start: LstmScale | None = None,
) -> LstmScale:
    """Fit on the targets of `rows`, which must all have closed; the same seed gives the same weights.

    `on_step` is called with (steps done, steps in all). `start` is a network of the same size to begin at,
    fitted on none but these rows; its regression is fitted anew.
    """
    volatility, further = fit_volatility(table, rows, wide=True), table.columns.further
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        n_steps = table.columns.steps.shape[1] + (0 if further is None else further.shape[1])
        network = LstmScale(LstmSize(n_steps, options.hidden, len(table.horizons)), volatility)
    with torch.no_grad():
        log_scale = volatility(table.windows(rows, 1))
    residuals = table.returns(rows) / log_scale.exp().numpy()
    network.start_shape_at(empirical_shape(residuals[-_SHAPE_ROWS:]))
    if start is not None:
        network.start_at(start)
    batches = _RowBatches(len(rows), options.batch_size, seed)
    steps = network.steps(table.columns.steps, further)
    fit = _QuantileFit(
        network, _Samples.of(table, rows, log_scale, steps), options, len(batches) * options.epochs
    )
    plan = FitPlan(options.accelerator, options.epochs, len(batches), gradient_clip=1.0)
    run_fit(fit, plan, batches, on_step=on_step)
    return network


@dataclass(frozen=True, slots=True)
class _Samples:
    """Training data: all steps (n, n_steps), and per row its index, residual and weight (row, horizon)."""

    steps: Tensor
    rows: Tensor
    residuals: Tensor
    weights: Tensor

    @classmethod
    def of(cls, table: PriceTable, rows: Rows, log_scale: Tensor, steps: Tensor) -> "_Samples":
        scale = log_scale.exp()
        week = torch.from_numpy(table.week_volatility(rows))[:, None]
        root = torch.tensor(table.horizons, dtype=torch.float64).sqrt()
        return cls(
            steps=steps,
            rows=torch.from_numpy(rows),
            residuals=(torch.from_numpy(table.returns(rows)) / scale).float(),
            weights=(scale / (week * root)).float(),  # the loss counts in units of the past week's volatility
        )


class _RowBatches:
    """Shuffled positions of training rows, a new order every epoch, the last short batch left out."""

    def __init__(self, n_rows: int, batch_size: int, seed: int) -> None:
        self._n_rows = n_rows
        self._batch_size = min(batch_size, n_rows)
        self._generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return self._n_rows // self._batch_size

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.randperm(self._n_rows, generator=self._generator)
        yield from order[: len(self) * self._batch_size].view(len(self), self._batch_size)


class _QuantileFit(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, network: LstmScale, samples: _Samples, options: LstmOptions, n_updates: int) -> None:
        super().__init__()
        self.network = network
        self._options = options
        self._n_updates = n_updates
        levels = torch.tensor(QUANTILE_LEVELS)
        tensors = {"levels": levels, "offsets": torch.arange(1 - options.window, 1)}
        tensors |= {"steps": samples.steps, "rows": samples.rows}
        tensors |= {"residuals": samples.residuals, "weights": samples.weights}
        for name, tensor in tensors.items():  # buffers, so that they follow the model to its device
            self.register_buffer(f"sample_{name}", tensor, persistent=False)

    def training_step(self, positions: Tensor, _: int) -> Tensor:
        buffers = dict(self.named_buffers(recurse=False))
        index = buffers["sample_rows"][positions][:, None] + buffers["sample_offsets"]
        factor = self.network.correction(buffers["sample_steps"][index]).exp()
        quantiles = factor[..., None] * self.network.shape()
        error = buffers["sample_residuals"][positions][..., None] - quantiles
        levels = buffers["sample_levels"]
        loss = torch.maximum(levels * error, (levels - 1) * error).mean(-1)
        weighted: Tensor = (loss * buffers["sample_weights"][positions]).mean()
        return weighted

    def configure_optimizers(self):  # type: ignore[no-untyped-def]
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            parameters, lr=self._options.learning_rate, weight_decay=self._options.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            self._options.learning_rate,
            total_steps=max(self._n_updates, _SHORTEST_CYCLE),
            pct_start=0.25,
        )
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]
