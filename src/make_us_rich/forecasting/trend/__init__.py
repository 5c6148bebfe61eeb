"""Trends: how probable is it that a coin goes up, or down, by some percent in the coming days?"""
