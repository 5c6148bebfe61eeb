"""Will the range of the next candle exceed one percent? A kind of forecast in one page."""

import numpy as np

from make_us_rich.arrays import CLOSE, HIGH, LOW
from make_us_rich.forecasting.forecast import Forecast, ForecastStep
from make_us_rich.forecasting.inputs import inputs_hash
from make_us_rich.forecasting.kind_defaults import KindDefaults
from make_us_rich.models.onnx import open_session
from make_us_rich.registry.artifact import MODEL_FILE, ArtifactType
from make_us_rich.registry.manifest import Manifest

THRESHOLD = 0.01
YARDSTICK = "past_share"


class RangeManifest(Manifest):
    """Who answers: the model, or the share of the past."""

    served_by: str


def wide_ranges(ohlcv):
    """Return 1.0 for each candle (n,) whose range exceeds the threshold, and 0.0 for the others."""
    return (ohlcv[:, HIGH] / ohlcv[:, LOW] - 1 > THRESHOLD).astype(float)


class RangeKind(KindDefaults):
    """The probability of a wide next candle, given how wide the last one was."""

    name = "range"
    trainer = "toy_kinds.range_trainer:RangeTrainer"
    artifact = ArtifactType(RangeManifest, lambda folder, _: open_session(folder / MODEL_FILE))
    baselines = yardsticks = (YARDSTICK,)
    reads_candles = 500

    def question(self, models):
        return f"range/{THRESHOLD:g}"

    def forecast(self, subject, cutoff, candles, models):
        known = self.inputs(subject, cutoff, candles)
        target = cutoff + subject.name.timeframe.duration
        share = float(np.clip(wide_ranges(known.ohlcv).mean(), 0.001, 0.999))
        beside = ForecastStep(1, target, YARDSTICK, is_baseline=True, probability=share)
        served, champion = beside, models.champion
        if champion is not None and champion.manifest.served_by != YARDSTICK:
            last = wide_ranges(known.ohlcv[-1:]).astype(np.int64)
            (said,) = champion.model.run(["probability"], {"was_wide": last})
            served = ForecastStep(1, target, "range", version=models.version, probability=float(said[0]))
        return Forecast(
            name=subject.name,
            market=candles.market,
            cutoff=cutoff,
            last_close=float(known.ohlcv[-1, CLOSE]),
            steps=(served,),
            version=models.version,
            input_hash=inputs_hash(known),
            question=self.question(models),
            yardsticks={YARDSTICK: (beside,)},
            owner=subject.owner,
        )

    def actuals(self, name, questions, candles):
        duration = name.timeframe.duration
        ranges = {
            opened + duration: float(high / low - 1 > THRESHOLD)
            for opened, high, low in candles.own.select("open_time", "high", "low").iter_rows()
        }
        return {one: ranges[one.target_time] for one in questions if one.target_time in ranges}
