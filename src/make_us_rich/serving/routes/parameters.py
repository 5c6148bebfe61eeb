"""What several routes take: a symbol in the path, a timeframe in the query."""

from typing import Annotated, Any

from fastapi import Path, Query

SymbolText = Annotated[str, Path(description="BASE-QUOTE.", examples=["BTC-USDT"])]
TimeframeText = Annotated[str, Query(description="Length of a candle: 1m … 12h, 1d.", examples=["1h"])]
NameText = Annotated[str, Path(description="Name of a model.", examples=["price.BTC-USDT.1h"])]

FORECAST_PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "symbol",
            "in": "path",
            "required": True,
            "description": "BASE-QUOTE.",
            "schema": {"type": "string", "examples": ["BTC-USDT"]},
        },
        {
            "name": "timeframe",
            "in": "query",
            "required": False,
            "description": "Length of a candle: 1m … 12h, 1d.",
            "schema": {"type": "string", "default": "1h", "examples": ["1h"]},
        },
    ]
}
"""The same two, described for a route that reads them itself."""
