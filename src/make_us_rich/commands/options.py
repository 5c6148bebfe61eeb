"""The arguments and options that several commands share."""

from typing import Annotated

import typer

SymbolArgument = Annotated[str, typer.Argument(metavar="SYMBOL", help="A pair, BTC/USDT or BTC-USDT.")]
SymbolsArgument = Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="Pairs, BTC/USDT or BTC-USDT.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="A model, price.BTC-USDT.1h.")]
TimeframeOption = Annotated[str, typer.Option(help="Length of a candle: 1m … 1d.")]
PresetTimeframeOption = Annotated[
    str | None, typer.Option("--timeframe", help="Length of a candle; default: the preset's, 1h.")
]
MarketOption = Annotated[str | None, typer.Option(help="live, replay or simulated; default: the one in use.")]
IgnoredMarketOption = Annotated[str | None, typer.Option("--market", hidden=True)]
"""People belong to the home; scripts that still name a market go on."""
SourceOption = Annotated[
    str | None,
    typer.Option(
        help="An exchange (binance, kraken …), replay:DIR, csv:FILE, alphavantage, or simulated[:SEED]."
    ),
]
SinceOption = Annotated[
    str | None, typer.Option(help="First candle: a UTC date, or a span such as 365d; default 730d.")
]
UntilOption = Annotated[str | None, typer.Option(help="UTC date before which candles open; default: now.")]
PresetOption = Annotated[
    str, typer.Option(help="Recipe: lstm, volatility, blend, lstm-original, or trend (train only).")
]
HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Answer one JSON object on stdout, the rest on stderr.")
]
