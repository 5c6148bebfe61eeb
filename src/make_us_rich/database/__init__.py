"""The one database of a desk: people and what they may, forecasts and what became of them."""
