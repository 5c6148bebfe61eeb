"""Candles to named columns that people inspect and models may read; no look at the future."""
