"""The trends of all coins on the command line, in the very shape the API answers."""

import json
from datetime import datetime
from typing import Any, get_args

from make_us_rich.desk.market_choice import standing_clock
from make_us_rich.desk.workplace import Workplace
from make_us_rich.errors import ForecastUnavailableError, UnknownNameError, UsageError
from make_us_rich.features.trend_labels import Direction
from make_us_rich.serving.trends.answers import list_trends
from make_us_rich.serving.trends.predictor import TrendPredictor


def parse_direction(text: str) -> Direction:
    """Read a direction."""
    known: tuple[Direction, ...] = get_args(Direction)
    for direction in known:
        if text == direction:
            return direction
    raise UsageError(f"direction {text!r} is not known; choose up or down")


def trends_record(place: Workplace, direction: Direction | None, now: datetime) -> dict[str, Any]:
    """Return the trends as `/v1/trends` does; where there is not one, why not is raised."""
    view = place.view(standing_clock(place, now))
    found = list_trends(view, TrendPredictor(view), direction, view.clock.now()).answer
    if not (found.trends or found.unavailable):
        raise UnknownNameError(
            f"no daily candles are stored in the {place.market} market; "
            "`mur fetch SYMBOL… --timeframe 1d` gets some"
        )
    if not found.trends:
        others = f" ({len(found.unavailable)} trends in all)" if len(found.unavailable) > 1 else ""
        raise ForecastUnavailableError(f"no trend can be forecast{others}: {found.unavailable[0].reason}")
    record: dict[str, Any] = json.loads(found.model_dump_json())
    return record
