"""One module per resource; each parses, calls one function and shapes the reply."""
