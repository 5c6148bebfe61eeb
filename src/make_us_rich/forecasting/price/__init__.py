"""Prices: where will a pair close in the coming candles? Thirteen quantiles per horizon."""
