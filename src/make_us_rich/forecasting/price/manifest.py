"""What a price artifact says about itself: the manifest of `price.BTC-USDT.1h` and its like."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal, Self

from pydantic import model_validator

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.market.activity import ACTIVITY_COLUMNS, COLUMN_INPUTS, MARKET_VARIANCE
from make_us_rich.registry.manifest import Manifest


class PriceManifest(Manifest):
    """The manifest of a price model; `served_by` and `evidence` are by horizon and by forecaster."""

    kind: Literal["price"] = "price"
    market_symbols: tuple[str, ...] = ()
    window: int
    horizons: tuple[int, ...]
    quantile_levels: tuple[float, ...]
    target: str
    served_by: dict[str, str]
    evidence: dict[str, tuple[HorizonEvidence, ...]]

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if tuple(self.served_by) != tuple(str(horizon) for horizon in self.horizons):
            raise ValueError(
                f"served_by names horizons {list(self.served_by)}, the model has {list(self.horizons)}"
            )
        if self.lookback < self.window:
            raise ValueError(f"lookback {self.lookback} is shorter than the window {self.window}")
        raw = {name for name in self.activity_columns if "." not in name}  # the others are of features
        if unknown := raw - set(ACTIVITY_COLUMNS.values()):
            raise ValueError(f"activity names {', '.join(sorted(unknown))}, which this version does not know")
        reads_market = MARKET_VARIANCE in raw
        may_read_market = reads_market or len(raw) < len(self.activity_columns)
        if reads_market > bool(self.market_symbols) or bool(self.market_symbols) > may_read_market:
            raise ValueError(f"{MARKET_VARIANCE} and market_symbols go together")
        return self

    @property
    def activity_columns(self) -> tuple[str, ...]:
        """The columns the model reads besides candles; `market_symbols` are who makes up the market."""
        return next((one.columns for one in self.inputs if one.name in COLUMN_INPUTS), ())

    def evidence_at(self, horizon: int) -> HorizonEvidence | None:
        """Return the evidence of the forecaster that serves this horizon, if there is any."""
        records = self.evidence.get(self.served_by[str(horizon)], ())
        return next((record for record in records if record.horizon == horizon), None)

    def served_evidence(self) -> Sequence[HorizonEvidence]:
        """Return, per horizon, the evidence of who serves there."""
        found = [self.evidence_at(horizon) for horizon in self.horizons]
        return [record for record in found if record is not None]

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield what a tracker shows as parameters, who serves each horizon included."""
        yield from super().parameters()
        for horizon, forecaster in self.served_by.items():
            yield f"served_by_h{horizon}", forecaster

    def metrics(self, forecaster: str | None = None) -> Iterator[tuple[str, float]]:
        """Yield one set of scores per horizon, like `skill_persistence_h1` and `coverage_90_h1`."""
        for record in self.evidence.get(forecaster or self.model, ()):
            measured = {f"skill_{yardstick}": value for yardstick, value in record.skill.items()}
            measured |= {f"p_value_{yardstick}": value for yardstick, value in record.p_value.items()}
            measured |= {"skill_sd": record.skill_sd, "coverage_90": record.coverage_90}
            measured |= {"coverage_se": record.coverage_se, "blocks": record.blocks, "n": record.n}
            for key, value in measured.items():
                if math.isfinite(value):
                    yield f"{key}_h{record.horizon}", float(value)
