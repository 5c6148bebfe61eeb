"""The running whole: closed-candle loop, training beside it, and the choice of a market."""
