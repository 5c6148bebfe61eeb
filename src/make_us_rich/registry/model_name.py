"""How forecasts and models are named: `price.BTC-USDT.1h`."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from make_us_rich.errors import UsageError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe

_WORD = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){0,38}[a-z0-9]")
_PATTERN = re.compile(
    r"([a-z]+(?:-[a-z]+)*)\.([A-Z0-9]{1,20}-[A-Z0-9]{1,20}|" + _WORD.pattern + r")\.(\d{1,2}[mhd])"
)


def parse_subject(text: str) -> "Symbol | str":
    """Read what a forecast is about: a word in small letters as it is, anything else as a pair.

    >>> parse_subject("btc/usdt"), parse_subject("savings")
    (Symbol(base='BTC', quote='USDT'), 'savings')
    """
    if "/" not in text and _WORD.fullmatch(text) and not _looks_like_pair(text):
        return text
    return Symbol.parse(text)


def _looks_like_pair(text: str) -> bool:
    # btc-usdt, as people type it; savings-7 is a word, because no currency is called by a number
    return re.fullmatch(r"[a-z0-9]{1,20}-[a-z]{1,20}", text) is not None


@dataclass(frozen=True, slots=True)
class ModelName:
    """The question a forecast answers: its kind, about what, on which candles.

    The subject is a pair, or for kinds that are not about one pair a word in small letters: a portfolio, say.

    >>> name = ModelName.parse("price.BTC-USDT.1h")
    >>> name.kind, str(name.symbol), str(name)
    ('price', 'BTC/USDT', 'price.BTC-USDT.1h')
    >>> ModelName.parse("portfolio.savings-7.1h").subject
    'savings-7'
    """

    kind: str
    subject: Symbol | str
    timeframe: Timeframe

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> Self:
        """Read `kind.SUBJECT.timeframe`; anything else, a path for instance, raises `UsageError`."""
        match = _PATTERN.fullmatch(text)
        if match is None or _looks_like_pair(match[2]):  # one name has one spelling, and one folder
            raise UsageError(
                f"model name {text!r} is not of the form KIND.BASE-QUOTE.TIMEFRAME, price.BTC-USDT.1h"
            )
        return cls(match[1], parse_subject(match[2]), Timeframe.parse(match[3]))

    @property
    def symbol(self) -> Symbol:
        """The pair it is about; `UsageError` where it is about something else."""
        if isinstance(self.subject, str):
            raise UsageError(f"{self} is not about one pair; name one such as price.BTC-USDT.1h")
        return self.subject

    def __str__(self) -> str:
        subject = self.subject if isinstance(self.subject, str) else self.subject.path_name
        return f"{self.kind}.{subject}.{self.timeframe}"
