"""The HTTP API: thin routes over candles, the shelf and one function that forecasts."""
