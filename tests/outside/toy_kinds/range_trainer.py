"""How the range model is made: two shares, counted on the first four fifths and tried on the last."""

import io

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel, ConfigDict

from make_us_rich.market.candle import CandleArrays
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.training.fits import Fit, Verdict
from make_us_rich.training.trainer import TrainerDefaults
from make_us_rich.version import __version__
from toy_kinds.range_kind import YARDSTICK, RangeManifest, wide_ranges


class RangeExperiment(BaseModel):
    """The question: of which pair, on which candles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = "range"
    symbol: str
    timeframe: str = "1h"
    source: str | None = None
    since: str | None = None
    until: str | None = None

    def recipe(self):
        return self.model_dump(mode="json", include={"kind", "symbol", "timeframe"})


class RangeTrainer(TrainerDefaults):
    """Counts how often a wide candle follows a narrow one, and how often it follows a wide one."""

    kind = "range"

    def parse(self, content, origin):
        return RangeExperiment.model_validate(content)

    def fit(self, experiment, name, occasion, on_progress):
        wide = wide_ranges(CandleArrays.from_frame(occasion.snapshot.candles).ohlcv)
        was, came = wide[:-1].astype(int), wide[1:]
        n = len(came) * 4 // 5
        shares = np.array([came[:n][was[:n] == state].mean() for state in (0, 1)])
        ours = np.mean((shares[was[n:]] - came[n:]) ** 2)
        theirs = np.mean((came[:n].mean() - came[n:]) ** 2)
        refusal = None if ours < 0.99 * theirs else f"{YARDSTICK} serves"
        reason = f"Brier loss {ours:.4f}, that of the past share {theirs:.4f}"
        return Fit(shares, Verdict("range" if refusal is None else YARDSTICK, (reason,), refusal))

    def draft(self, judged):
        fitted, golden, shares = judged.fitted, io.BytesIO(), judged.fitted.fit.content
        np.savez_compressed(golden, was_wide=[0, 1], probability=shares)
        manifest = RangeManifest(
            name=fitted.name, kind="range", model="range", symbol=fitted.experiment.symbol,
            timeframe=fitted.experiment.timeframe, market=fitted.span.market, source=fitted.span.source,
            inputs=(), outputs=(), lookback=1, experiment=fitted.experiment.model_dump(mode="json"),
            snapshot=fitted.span.reference, trained_at=fitted.now, data_end=fitted.span.data_end,
            code_version=__version__, library_versions={}, seed=0, served_by=judged.verdict.served_by,
        )  # fmt: skip
        return ArtifactDraft(manifest, {"model.onnx": graph(shares), "golden.npz": golden.getvalue()})


def graph(shares):
    """Return the ONNX graph that looks up the share by whether the last candle was wide."""
    ends = [
        helper.make_tensor_value_info("was_wide", TensorProto.INT64, ["batch"]),
        helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch"]),
    ]
    table = numpy_helper.from_array(np.float32(shares), "shares")
    node = helper.make_node("Gather", ["shares", "was_wide"], ["probability"])
    made = helper.make_graph([node], "range", ends[:1], ends[1:], [table])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return model.SerializeToString()
