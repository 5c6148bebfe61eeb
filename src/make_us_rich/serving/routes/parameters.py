"""What several routes take: a symbol in the path, a timeframe in the query."""

from typing import Annotated

from fastapi import Path, Query

SymbolText = Annotated[str, Path(description="BASE-QUOTE.", examples=["BTC-USDT"])]
TimeframeText = Annotated[str, Query(description="Length of a candle: 1m … 12h, 1d.", examples=["1h"])]
NameText = Annotated[str, Path(description="Name of a model.", examples=["price.BTC-USDT.1h"])]
