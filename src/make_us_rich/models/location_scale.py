"""The form every price candidate answers in: location + scale × shape, in log return."""

from dataclasses import dataclass
from typing import Protocol

from make_us_rich.arrays import FloatArray
from make_us_rich.models.price_table import PriceTable, Rows


@dataclass(frozen=True, slots=True)
class LocationScale:
    """Location and scale of the log return, both (row, horizon)."""

    location: FloatArray
    scale: FloatArray

    def quantiles(self, shape: FloatArray) -> FloatArray:
        """Return the quantiles (row, horizon, level) under a shape (horizon, level)."""
        quantiles: FloatArray = self.location[..., None] + self.scale[..., None] * shape
        return quantiles

    def residuals(self, returns: FloatArray) -> FloatArray:
        """Return what happened (row, horizon) in units of the scale."""
        residuals: FloatArray = (returns - self.location) / self.scale
        return residuals


class FittedPrice(Protocol):
    """A fitted candidate: what it says of the log return after each row, before its shape is calibrated."""

    def predict(self, table: PriceTable, rows: Rows) -> LocationScale:
        """Return location and scale at `rows`, from candles up to each row."""
