"""The record of every forecast, unchangeable, and of what came of it."""
