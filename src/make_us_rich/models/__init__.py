"""Columns to forecasts: baselines, networks, calibration, and running what was exported."""
