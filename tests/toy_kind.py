"""A kind of forecast from outside, with a trainer of its own: the last close is what it says."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from make_us_rich.errors import ExperimentError
from make_us_rich.evaluation.blocks import BlockMeans
from make_us_rich.forecasting.kind_defaults import KindDefaults
from make_us_rich.registry.artifact import ArtifactDraft, ArtifactType
from make_us_rich.registry.manifest import Manifest
from make_us_rich.training.fits import Comparison, Fit, Judged, Occasion, OnProgress, Verdict
from make_us_rich.training.trainer import TrainerDefaults


class ToyExperiment(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = "toy"
    symbol: str
    timeframe: str = "1h"
    source: str | None = None
    since: str | None = "20d"
    until: str | None = None
    loss: float = 1.0

    def recipe(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"source", "since", "until"})


@dataclass(frozen=True)
class ToyContent:
    last_close: float


class ToyTrainer(TrainerDefaults[ToyExperiment, ToyContent]):
    kind = "toy"

    def parse(self, content: Mapping[str, Any], origin: str) -> ToyExperiment:
        try:
            return ToyExperiment.model_validate(content)
        except ValueError as error:
            raise ExperimentError(f"{origin}: {error}") from error

    def fit(
        self, experiment: ToyExperiment, name: str, occasion: Occasion, on_progress: OnProgress | None
    ) -> Fit[ToyContent]:
        close = float(occasion.snapshot.candles["close"].item(-1))
        rival = occasion.rivals.get(name)
        comparison = None
        if rival is not None:
            theirs = self.parse(rival.experiment, "champion").loss
            spread = 0.001 * np.arange(10)
            losses = [BlockMeans(loss * (1 + spread)) for loss in (experiment.loss, theirs)]
            comparison = Comparison(rival.version, *losses)
        return Fit(ToyContent(close), Verdict("toy", ("it is a toy",)), comparison=comparison)

    def draft(self, judged: Judged[ToyExperiment, ToyContent]) -> ArtifactDraft:
        fitted, golden = judged.fitted, io.BytesIO()
        np.savez_compressed(golden, close=fitted.fit.content.last_close)
        experiment = fitted.experiment
        manifest = Manifest(
            name=fitted.name, kind="toy", model="toy", symbol=experiment.symbol, market=fitted.span.market,
            timeframe=experiment.timeframe, source=fitted.span.source, inputs=(), outputs=(), lookback=1,
            experiment=experiment.model_dump(mode="json"), snapshot=fitted.span.reference,
            trained_at=fitted.now, data_end=fitted.span.data_end, code_version="1", library_versions={},
            seed=0,
        )  # fmt: skip
        model = str(fitted.fit.content.last_close).encode()
        return ArtifactDraft(manifest, {"model.onnx": model, "golden.npz": golden.getvalue()})


def open_toy(folder: Path, manifest: Manifest) -> float:
    return float((folder / "model.onnx").read_bytes())


class ToyKind(KindDefaults):
    name = "toy"
    trainer = "toy_kind:ToyTrainer"
    artifact = ArtifactType(Manifest, open_toy)
