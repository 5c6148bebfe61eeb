"""One forecast on the command line, in the very shape the API answers."""

import json
from datetime import datetime
from typing import Any

from make_us_rich.desk.market_choice import standing_clock
from make_us_rich.desk.workplace import Workplace
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName
from make_us_rich.serving.answers import write_forecast
from make_us_rich.serving.freshness import freshness_of, require_answerable
from make_us_rich.serving.predictor import Predictor


def forecast_record(place: Workplace, symbol: Symbol, timeframe: Timeframe, now: datetime) -> dict[str, Any]:
    """Return the forecast of a stored series as `/v1/forecasts/SYMBOL` does, staleness and limit included."""
    place.stored_source(symbol, timeframe)  # says how to fetch, where nothing is stored
    view = place.view(standing_clock(place, now))
    served = Predictor(view).compute(ModelName("price", symbol, timeframe))
    freshness = freshness_of(served.forecast, view.clock.now())
    require_answerable(served.forecast, freshness, view)
    record: dict[str, Any] = json.loads(write_forecast(served, view.notice).body(freshness))
    return record
