"""The candles of other symbols that stand for the market as a whole, for models that read its volatility."""

from collections.abc import Sequence
from datetime import datetime

from make_us_rich.desk.history import Span, fetch_span
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import ForecastUnavailableError, NotEnoughHistoryError, UnknownNameError
from make_us_rich.features.market_volatility import market_variance
from make_us_rich.market.feed import update_candles
from make_us_rich.market.snapshot import Snapshot, with_market_variance
from make_us_rich.market.sources.source import CandleSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.manifest import Manifest


def add_market(
    place: Workplace,
    source: CandleSource | None,
    snapshot: Snapshot,
    symbols: Sequence[str],
    progress: ProgressReport,
) -> Snapshot:
    """Return the snapshot with the market's variance, from the same source, fetched first if one is given."""
    span, store, market = Span(snapshot.first, snapshot.data_end), place.store(), []
    for symbol in map(Symbol.parse, symbols):
        series = (symbol, snapshot.timeframe)
        if source is not None:
            fetch_span(source, store, series, span, progress)
        candles = store.load(snapshot.source, *series, since=span.since, until=span.until)
        if candles.is_empty():
            raise NotEnoughHistoryError(
                f"{snapshot.symbol} {snapshot.timeframe}: market_volatility needs {symbol} from "
                f"{snapshot.source}, none is stored; run `mur fetch {symbol} --timeframe "
                f"{snapshot.timeframe}`, or drop it from inputs"
            )
        market.append(candles)
    return with_market_variance(snapshot, market_variance(snapshot.candles["open_time"], market))


def update_market(source: CandleSource, store: CandleStore, manifest: Manifest, moment: datetime) -> None:
    """Fetch what a model lacks of the market's candles up to `moment`; a desk need not follow them."""
    timeframe = Timeframe.parse(manifest.timeframe)
    since = moment - manifest.lookback * timeframe.duration
    for symbol in map(Symbol.parse, manifest.market_symbols):
        try:
            update_candles(source, store, symbol, timeframe, since=since, until=moment)
        except UnknownNameError as error:
            raise ForecastUnavailableError(f"{manifest.name} reads the market: {error}") from error
