"""Candles in: fetch, check, store."""
