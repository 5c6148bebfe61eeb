"""The walk-forward report: its facts, its words, its figures and its page."""
