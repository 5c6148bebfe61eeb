"""How models are named: `price.BTC-USDT.1h`."""

import re
from dataclasses import dataclass
from typing import Self

from make_us_rich.errors import UsageError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

_PATTERN = re.compile(r"([a-z]+(?:-[a-z]+)*)\.([A-Z0-9]{1,20}-[A-Z0-9]{1,20})\.(\d{1,2}[mhd])")


@dataclass(frozen=True, slots=True)
class ModelName:
    """The question a model answers: its kind, for which symbol, on which candles.

    >>> name = ModelName.parse("price.BTC-USDT.1h")
    >>> name.kind, str(name.symbol), str(name)
    ('price', 'BTC/USDT', 'price.BTC-USDT.1h')
    """

    kind: str
    symbol: Symbol
    timeframe: Timeframe

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `kind.BASE-QUOTE.timeframe`; anything else, a path for instance, raises `UsageError`."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise UsageError(
                f"model name {text!r} is not of the form KIND.BASE-QUOTE.TIMEFRAME, price.BTC-USDT.1h"
            )
        return cls(match[1], Symbol.parse(match[2]), Timeframe.parse(match[3]))

    def __str__(self) -> str:
        return f"{self.kind}.{self.symbol.path_name}.{self.timeframe}"
