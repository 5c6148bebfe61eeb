"""Two kinds of forecast that the house knows nothing of: one that is trained, and one that is derived."""
