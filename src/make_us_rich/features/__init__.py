"""Candles to named columns that people inspect; no look at the future."""
