"""The candles of other symbols that stand for the market as a whole, for models that read them."""

from collections.abc import Sequence

from make_us_rich.errors import NotEnoughHistoryError
from make_us_rich.features.market_volatility import market_frame, market_variance
from make_us_rich.market.activity import MARKET_CANDLES, MARKET_VARIANCE
from make_us_rich.market.series import Series
from make_us_rich.market.snapshot import Snapshot, with_columns, with_market_variance
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.operations.history import Span, fetch_span
from make_us_rich.operations.progress import Progress
from make_us_rich.operations.workplace import Workplace


def add_market(  # noqa: PLR0913 -- from where, to what, and who watches
    place: Workplace,
    source: CandleSource | None,
    snapshot: Snapshot,
    symbols: Sequence[str],
    progress: Progress,
    *,
    reads: Sequence[str] = (MARKET_VARIANCE,),
) -> Snapshot:
    """Return the snapshot with what is read of the market, its variance or its candles.

    They come from the same source, fetched first if one is given.
    """
    span, store, market = Span(snapshot.first, snapshot.data_end), place.store(), {}
    for symbol in map(Symbol.parse, symbols):
        series = Series(snapshot.source, symbol, snapshot.timeframe)
        if source is not None:
            fetch_span(source, store, series, span, progress)
        candles = store.load(series, since=span.since, until=span.until)
        if candles.is_empty():
            raise NotEnoughHistoryError(
                f"{snapshot.symbol} {snapshot.timeframe}: {_reader(reads)} needs {symbol} from "
                f"{snapshot.source}, none is stored; run `mur fetch {symbol} --timeframe "
                f"{snapshot.timeframe}`, or drop it from inputs"
            )
        market[symbol.path_name] = candles
    open_time = snapshot.candles["open_time"]
    if MARKET_CANDLES in reads:
        snapshot = with_columns(snapshot, market_frame(open_time, market))
    if MARKET_VARIANCE in reads:
        snapshot = with_market_variance(snapshot, market_variance(open_time, list(market.values())))
    return snapshot


def _reader(reads: Sequence[str]) -> str:
    return "market_volatility" if MARKET_VARIANCE in reads else "an input"
