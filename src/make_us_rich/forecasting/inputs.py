"""What a forecast was made from, as a number that can be told again."""

import hashlib

from make_us_rich.market.candle import CandleArrays

MAX_FILLED_SHARE = 0.1  # of the candles a model looks at; more would be a forecast from invented prices


def inputs_hash(inputs: CandleArrays) -> str:
    """Return the SHA-256 of what a forecast was made from: open times, candles, columns if any."""
    digest = hashlib.sha256(inputs.open_time_ms.tobytes())
    digest.update(inputs.ohlcv.tobytes())
    if inputs.columns is not None:
        digest.update(inputs.columns.values.tobytes())
    return digest.hexdigest()
