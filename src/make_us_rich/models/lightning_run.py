"""One way to run Lightning: silent, no loader workers, no files, one torch thread per process."""

import logging
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import lightning
import torch
from torch import Tensor

OnStep = Callable[[int, int], None]
"""Called with (updates done, updates in all)."""

Batches = Iterable[Tensor]


@dataclass(frozen=True, slots=True)
class FitPlan:
    """On what, for how long and with what beside it a module is fitted."""

    accelerator: str
    epochs: int
    n_batches: int
    gradient_clip: float | None = None
    callbacks: tuple[lightning.Callback, ...] = ()


def run_fit(
    module: lightning.LightningModule,
    plan: FitPlan,
    batches: Batches,
    validation: Batches | None = None,
    on_step: OnStep | None = None,
) -> None:
    """Fit a module; it ends on the processor, with its parameters frozen."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(1)  # two threads collapse when the processor is shared
    progress = (_Progress(on_step, plan.n_batches * plan.epochs),) if on_step else ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on loggers and loader workers does not apply
        trainer = lightning.Trainer(
            accelerator=plan.accelerator,
            devices=1,
            max_epochs=plan.epochs,
            gradient_clip_val=plan.gradient_clip,
            callbacks=[*plan.callbacks, *progress],
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, train_dataloaders=batches, val_dataloaders=validation)
    module.to("cpu").eval().requires_grad_(False)


class _Progress(lightning.Callback):  # type: ignore[misc]
    def __init__(self, on_step: OnStep, n_updates: int) -> None:
        self._on_step = on_step
        self._n_updates = n_updates

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        self._on_step(trainer.global_step, self._n_updates)
