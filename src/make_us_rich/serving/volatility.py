"""What the volatility regression says beside the model that is served, where the shelf holds it.

A model of the preset `volatility` is it; others carry it along as `volatility.onnx`. Where neither is there,
the forecast is missing and says why: it is fitted with training libraries, which serving does not load.
"""

from collections.abc import Mapping

import numpy as np
import onnxruntime
import polars as pl

from make_us_rich.errors import ArtifactError
from make_us_rich.journal.sheet import VOLATILITY, VolatilityForecast
from make_us_rich.market.candle import CandleArrays
from make_us_rich.market.quality import fill_gaps
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.forecast import FloatArray, PriceForecast
from make_us_rich.models.onnx import open_session
from make_us_rich.registry.artifact import VOLATILITY_FILE, Artifact


class VolatilityYardstick:
    """The regressions that came with models, each opened once."""

    def __init__(self) -> None:
        self._opened: dict[str, tuple[Artifact, onnxruntime.InferenceSession]] = {}

    def beside(
        self, champion: Artifact | None, forecast: PriceForecast, candles: pl.DataFrame
    ) -> VolatilityForecast:
        """Return its quantiles at the cutoff of a forecast, given the closed candles up to there."""
        if champion is None:
            return VolatilityForecast({}, None, "no model is served, so no regression was fitted")
        manifest = champion.manifest
        served = {step.horizon: step.quantiles for step in forecast.steps if step.served_by == VOLATILITY}
        if len(served) == len(forecast.steps):
            return VolatilityForecast(served, manifest.version)
        timeframe = Timeframe.parse(manifest.timeframe)
        try:
            prices = self._prices(champion, CandleArrays.from_frame(fill_gaps(candles, timeframe)))
        except ArtifactError as error:
            return VolatilityForecast(served, manifest.version, str(error))
        rows = zip(manifest.horizons, prices.tolist(), strict=True)
        computed: Mapping[int, tuple[float, ...]] = {horizon: tuple(row) for horizon, row in rows}
        return VolatilityForecast({**computed, **served}, manifest.version)

    def _prices(self, champion: Artifact, candles: CandleArrays) -> FloatArray:
        manifest = champion.manifest
        if manifest.model == VOLATILITY:
            own: FloatArray = champion.forecaster.quantiles(
                *_newest(candles, manifest.lookback, manifest.name)
            )[0]
            return own
        if VOLATILITY_FILE not in manifest.files:
            raise ArtifactError(
                f"{manifest.name}@{manifest.version} was shelved without its volatility regression; "
                "train it again"
            )
        session = self._session(champion)
        lookback = int(session.get_inputs()[0].shape[1])
        times, ohlcv = _newest(candles, lookback, manifest.name)
        (prices,) = session.run(["quantiles"], {"open_time_ms": times, "ohlcv": ohlcv})
        found: FloatArray = np.asarray(prices, dtype=np.float64)[0]
        if not (np.isfinite(found).all() and (found[:, 1:] >= found[:, :-1]).all()):
            raise ArtifactError(f"{manifest.name}: the volatility regression answered with no distribution")
        return found

    def _session(self, champion: Artifact) -> onnxruntime.InferenceSession:
        name = champion.manifest.name
        known = self._opened.get(name)
        if known is None or known[0] is not champion:
            known = (champion, open_session(champion.folder / VOLATILITY_FILE))
            self._opened[name] = known
        return known[1]


def _newest(candles: CandleArrays, count: int, name: str) -> tuple[np.ndarray, FloatArray]:
    if len(candles) < count:
        raise ArtifactError(f"{name}: the volatility regression needs {count} candles, found {len(candles)}")
    rows = np.arange(len(candles) - count, len(candles))[None]
    return candles.open_time_ms[rows], candles.ohlcv[rows]
