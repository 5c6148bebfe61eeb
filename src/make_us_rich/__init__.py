"""Make Us Rich: a self-hosted forecasting desk for cryptocurrencies."""

__version__ = "0.1.0"
