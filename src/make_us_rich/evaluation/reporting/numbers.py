"""Numbers as the report writes them: percent with its spread, p-values, counts, how far ahead, days."""

import math
from collections.abc import Sequence
from datetime import datetime

from make_us_rich.market.timeframe import Timeframe

UNDEFINED = "—"
SPACE = "\N{NO-BREAK SPACE}"


def percent(value: float, digits: int = 1, *, signed: bool = False) -> str:
    """Write a share in percent.

    >>> percent(-0.0123).replace(chr(160), " "), percent(float("nan"))
    ('−1.2 %', '—')
    """
    if not math.isfinite(value):
        return UNDEFINED
    rounded = round(100 * value, digits) + 0.0
    sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}{SPACE}%"


def with_spread(value: float, spread: float, *, signed: bool = True) -> str:
    """Write a share with its spread, where there is one.

    >>> [with_spread(0.0441, spread).replace(chr(160), " ") for spread in (0.0072, float("inf"))]
    ['+4.4 ± 0.7 %', '+4.4 %']
    """
    written, around = percent(value, signed=signed), plus_minus(spread)
    if not around or written == UNDEFINED:
        return written
    return f"{written.removesuffix(f'{SPACE}%')}{SPACE}{around}{SPACE}%"


def plus_minus(value: float, digits: int = 1) -> str:
    """Write a spread, or nothing where there is none.

    >>> plus_minus(0.004).replace(chr(160), " "), plus_minus(float("inf"))
    ('± 0.4', '')
    """
    return f"±{SPACE}{100 * value:.{digits}f}" if math.isfinite(value) else ""


def p_words(p: float) -> str:
    """Write a p-value.

    >>> p_words(0.00001).replace(chr(160), " "), p_words(0.0312).replace(chr(160), " ")
    ('p < 0.001', 'p = 0.031')
    """
    return f"p{SPACE}<{SPACE}0.001" if p < 0.001 else f"p{SPACE}={SPACE}{p:.3f}"


def count(n: int) -> str:
    """Write a count with its thousands apart."""
    return f"{n:,}"


def number(value: float, digits: int = 3) -> str:
    """Write a number to so many significant digits, without an exponent.

    >>> number(1234.567), number(0.012345), number(float("nan"))
    ('1,235', '0.0123', '—')
    """
    if not math.isfinite(value):
        return UNDEFINED
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(decimals, 10)}f}".replace("-", "−")


def ahead(horizon: int, timeframe: Timeframe) -> str:
    """Write how far ahead a horizon lies.

    >>> [ahead(h, Timeframe("15m")).replace(chr(160), " ") for h in (1, 4, 6)]
    ['15 min', '1 h', '90 min']
    """
    minutes = horizon * timeframe.minutes
    if minutes % 1440 == 0 and timeframe.minutes >= 1440:
        return f"{minutes // 1440}{SPACE}d"
    return f"{minutes // 60}{SPACE}h" if minutes % 60 == 0 else f"{minutes}{SPACE}min"


def bound(words: str) -> str:
    """Keep each percent sign and each count on the line of its number."""
    return words.replace(" %", f"{SPACE}%").replace("n = ", f"n{SPACE}={SPACE}")


def joined(words: Sequence[str]) -> str:
    """Write a list.

    >>> joined(["1 h", "2 h", "4 h"])
    '1 h, 2 h and 4 h'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def date(moment: datetime) -> str:
    """Write a day, UTC."""
    return f"{moment.day} {moment:%B %Y}"
