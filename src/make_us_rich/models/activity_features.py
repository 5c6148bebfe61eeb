"""The raw columns the price models have a formula for, made scale-free.

Nothing here is fitted or tuned: spans are those of the volume, and every level is measured against its own
week.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.models.rolling import rolling_mean

SPANS = (1, 4, 24)
_FLOOR_SPAN = 336
_VARIANCE_FLOOR = 1e-3
_TINY_VARIANCE = 1e-16


class Surroundings(NamedTuple):
    """What the columns are measured against: volume (b, t), and the pair's log volatility of the week.

    Of `week` and of every column that is returned there are the last `keep` rows, or all.
    """

    volume: Tensor
    week: Tensor
    keep: int | None

    def last(self, column: Tensor) -> Tensor:
        """Return the rows that are kept."""
        return column if self.keep is None else column[:, -self.keep :]


class ActivityFeatures:
    """Raw columns (b, t, k), by name and in their order, to the columns `names` (b, t) each."""

    def __init__(self, raw: tuple[str, ...], week_span: int) -> None:
        self.raw = raw
        self._week_span = week_span
        self._columns = {
            "taker_buy_base": self._taker_share,
            "trades": self._trades,
            MARKET_VARIANCE: self._market_volatility,
        }
        names = {
            "taker_buy_base": (*(f"taker_share_span{span}" for span in SPANS), "taker_one_sidedness"),
            "trades": tuple(f"trades_deviation_span{span}" for span in SPANS),
            MARKET_VARIANCE: (
                *(f"market_volatility_span{span}" for span in SPANS),
                "market_volatility_week",
            ),
        }
        self.names = tuple(name for one in raw for name in names[one])

    def columns(self, raw: Tensor | None, around: Surroundings) -> list[Tensor]:
        """Return the columns; none are asked for where nothing raw is read."""
        if not self.raw:
            return []
        if raw is None:
            raise ValueError(f"the features read {', '.join(self.raw)}, but no columns were given")
        return [c for i, name in enumerate(self.raw) for c in self._columns[name](raw[..., i], around)]

    def _taker_share(self, taker_buy_base: Tensor, around: Surroundings) -> list[Tensor]:
        """Share of the volume that buyers took, less one half; 0 where nothing was traded."""
        excess = (taker_buy_base - 0.5 * around.volume) / (around.volume + 1e-12)
        share = torch.clamp(excess, -0.5, 0.5)
        return [
            *(around.last(rolling_mean(share + 1.0, span)) - 1.0 for span in SPANS),
            around.last(share.abs()),
        ]

    def _trades(self, trades: Tensor, around: Surroundings) -> list[Tensor]:
        """Log of the number of trades over its week's mean."""
        mean = rolling_mean(trades, self._week_span)
        deviation = torch.log((trades + 0.01 * mean + 1e-12) / (1.01 * mean + 1e-12))
        return [around.last(rolling_mean(deviation + 30.0, span)) - 30.0 for span in SPANS]

    def _market_volatility(self, variance: Tensor, around: Surroundings) -> list[Tensor]:
        """Log volatility of the market over its own week's, and that week's over the pair's."""
        floor = rolling_mean(variance, _FLOOR_SPAN) * _VARIANCE_FLOOR + _TINY_VARIANCE

        def log_volatility(span: int) -> Tensor:
            return 0.5 * torch.log(around.last(torch.maximum(rolling_mean(variance, span), floor)))

        week = log_volatility(self._week_span)
        return [*(log_volatility(span) - week for span in SPANS), week - around.week]
