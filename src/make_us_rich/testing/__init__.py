"""Contracts a part from outside can be tested against, the same ones our own parts pass."""

from make_us_rich.testing.sources import check_candle_source

__all__ = ["check_candle_source"]
