"""Forecasts to evidence: folds, metrics, skill, and the tests behind a promotion."""
