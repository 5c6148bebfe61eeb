"""The published recipe, to be compared with: an LSTM on nine scaled columns that forecasts the next close.

Features, scaling, network and training follow the first Make Us Rich (2022); its descaling did not, as it
undid the scaling of another column. Here one object holds the scaling and its inverse.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from make_us_rich.models.price_features import PriceColumns

FEATURE_NAMES = (
    "day_of_week",
    "day_of_month",
    "week_of_year",
    "month_of_year",
    "open",
    "high",
    "low",
    "close",
    "close_change",
)
CLOSE = FEATURE_NAMES.index("close")
CloseChange = Literal["open", "previous"]
_MS_PER_DAY = 86_400_000


class OriginalFeatures(nn.Module):
    """Open times (b, t) and candles (b, t, 5) to the nine published columns (b, t, 9), float64.

    `close_change` is close - open, or, by option, close - previous close, 0 in the first row.
    """

    def __init__(self, close_change: CloseChange = "open") -> None:
        super().__init__()
        self.close_change = close_change

    def forward(self, open_time_ms: Tensor, ohlcv: Tensor) -> Tensor:
        """Return the columns in the order of `FEATURE_NAMES`."""
        days = torch.div(open_time_ms, _MS_PER_DAY, rounding_mode="floor")
        weekday = _modulo(days + 3, 7)  # 1970-01-01 was a Thursday; Monday is 0
        _, month, day_of_month = civil_date(days)
        close = ohlcv[..., 3]
        if self.close_change == "open":
            change = close - ohlcv[..., 0]
        else:
            change = torch.cat([torch.zeros_like(close[:, :1]), close[:, 1:] - close[:, :-1]], dim=1)
        calendar = (weekday, day_of_month, iso_week(days), month)
        return torch.stack(
            [*(column.double() for column in calendar), *(ohlcv[..., i] for i in range(4)), change], dim=-1
        )


class MinMaxScaling(nn.Module):
    """Each column to [-1, 1] by its range on the training rows, and the close back again."""

    low: Tensor
    span: Tensor

    def __init__(self, training_rows: Tensor) -> None:
        super().__init__()
        low, high = training_rows.amin(dim=0), training_rows.amax(dim=0)
        span = high - low
        self.register_buffer("low", low)
        self.register_buffer("span", torch.where(span > 0, span, torch.ones_like(span)))

    def forward(self, columns: Tensor) -> Tensor:
        """Return scaled columns (..., 9); beyond the training range they leave [-1, 1]."""
        return (columns - self.low) / self.span * 2 - 1

    def unscale_close(self, scaled: Tensor) -> Tensor:
        """Return prices from scaled closes."""
        return (scaled + 1) / 2 * self.span[CLOSE] + self.low[CLOSE]


@dataclass(frozen=True, slots=True)
class OriginalSize:
    """Layers and their width, as published."""

    hidden: int = 128
    layers: int = 2
    dropout: float = 0.2


class OriginalNetwork(nn.Module):
    """Scaled windows (b, window, 9) to the scaled next close (b,), float32."""

    def __init__(self, size: OriginalSize) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            len(FEATURE_NAMES),
            size.hidden,
            num_layers=size.layers,
            dropout=size.dropout if size.layers > 1 else 0.0,
            batch_first=True,
        )
        self.head = nn.Linear(size.hidden, 1)

    def forward(self, windows: Tensor) -> Tensor:
        """Return the scaled next close."""
        hidden, _ = self.lstm(windows)
        close: Tensor = self.head(hidden[:, -1])
        return close[:, 0]


class OriginalScale(nn.Module):
    """The recipe as a price candidate: its forecast is the location, its past errors give the shape."""

    def __init__(self, features: OriginalFeatures, scaling: MinMaxScaling, network: OriginalNetwork) -> None:
        super().__init__()
        self.features = features
        self.scaling = scaling
        self.network = network

    def forward(self, columns: PriceColumns) -> Tensor:
        """Return log scales of 0: the recipe says nothing about how far the price may move."""
        return torch.zeros_like(columns.week_volatility)[..., None]

    def location(self, open_time_ms: Tensor, ohlcv: Tensor) -> Tensor:
        """Return the forecast log return (b, 1) of the next close from windows (b, window[, 5])."""
        scaled = self.scaling(self.features(open_time_ms, ohlcv)).float()
        close = self.scaling.unscale_close(self.network(scaled).double())
        last = ohlcv[:, -1, 3]
        # the network's line can cross 0 where a price cannot; a thousandth of the last close is low enough
        return torch.log(torch.maximum(close, last * 1e-3) / last)[:, None]


def civil_date(days: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Year, month 1-12 and day 1-31 of days since 1970-01-01 in the Gregorian calendar, in integers.

    Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013): years begin in March there.

    >>> [int(part) for part in civil_date(torch.tensor(20573))]
    [2026, 4, 30]
    """
    shifted = days + 719_468
    era = _quotient(shifted, 146_097)
    day_of_era = shifted - era * 146_097
    year_of_era = _quotient(
        day_of_era
        - _quotient(day_of_era, 1460)
        + _quotient(day_of_era, 36_524)
        - _quotient(day_of_era, 146_096),
        365,
    )
    day_of_year = day_of_era - (365 * year_of_era + _quotient(year_of_era, 4) - _quotient(year_of_era, 100))
    march_month = _quotient(5 * day_of_year + 2, 153)
    day = day_of_year - _quotient(153 * march_month + 2, 5) + 1
    month = march_month + 3 - 12 * (march_month >= 10).long()
    year = year_of_era + era * 400 + (month <= 2).long()
    return year, month, day


def iso_week(days: Tensor) -> Tensor:
    """ISO 8601 week 1-53 of days since 1970-01-01: the week belongs to the year of its Thursday.

    >>> int(iso_week(torch.tensor(20573)))
    18
    """
    thursday = days - _modulo(days + 3, 7) + 3
    year, _, _ = civil_date(thursday)
    past = year - 1
    new_year = 365 * past + _quotient(past, 4) - _quotient(past, 100) + _quotient(past, 400) - 719_162
    return _quotient(thursday - new_year, 7) + 1


def _quotient(values: Tensor, divisor: int) -> Tensor:
    return torch.div(values, divisor, rounding_mode="floor")


def _modulo(values: Tensor, divisor: int) -> Tensor:
    return values - _quotient(values, divisor) * divisor


def n_training_windows(n_rows: int, window: int, validation_share: float) -> int:
    """Return how many of the windows of `n_rows` train; the last share of them validates."""
    return math.floor((n_rows - window) * (1 - validation_share))
