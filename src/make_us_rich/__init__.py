"""Make Us Rich: a self-hosted forecasting desk for cryptocurrencies."""

from make_us_rich.version import __version__

__all__ = ["__version__"]
