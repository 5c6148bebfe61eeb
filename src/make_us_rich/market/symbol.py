"""What is traded: `BTC/USDT` is base `BTC` priced in quote `USDT`."""

import re
from dataclasses import dataclass
from typing import Self

from make_us_rich.errors import UsageError

_PATTERN = re.compile(r"([A-Z0-9]{1,20})[/-]([A-Z0-9]{1,20})")


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """A pair of currencies.

    >>> Symbol.parse("btc-usdt")
    Symbol(base='BTC', quote='USDT')
    >>> str(Symbol("BTC", "USDT")), Symbol("BTC", "USDT").path_name
    ('BTC/USDT', 'BTC-USDT')
    """

    base: str
    quote: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `BTC/USDT` or `BTC-USDT`, in either case; raises `UsageError` for anything else."""
        match = _PATTERN.fullmatch(text.strip().upper())
        if match is None:
            raise UsageError(f"symbol {text!r} is not of the form BASE/QUOTE; write it like BTC/USDT")
        return cls(*match.groups())

    @property
    def path_name(self) -> str:
        """The form used in paths, addresses and model names."""
        return f"{self.base}-{self.quote}"

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"
