"""The market last started, kept in a small file of the home: it is the one meant when nobody says so."""

from datetime import datetime
from typing import get_args

import orjson
import structlog

from make_us_rich.market.files import write_atomically
from make_us_rich.settings import Market, Settings

FILE_NAME = "market.json"

_LOG = structlog.get_logger("make_us_rich.desk")


def remember_market(settings: Settings, market: Market, now: datetime) -> None:
    """Write down that a market was started; a home that cannot be written only goes without."""
    path = settings.home.expanduser() / FILE_NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, orjson.dumps({"market": market, "at": now}, option=orjson.OPT_UTC_Z))
    except OSError as error:
        _LOG.warning("which market was started is not kept", file=str(path), reason=str(error))


def last_started_market(settings: Settings) -> Market | None:
    """Return the market last started; None where none was, or where the file says nothing we know."""
    try:
        said = orjson.loads((settings.home.expanduser() / FILE_NAME).read_bytes())
        return next((market for market in get_args(Market) if market == said["market"]), None)
    except (OSError, ValueError, KeyError, TypeError):
        return None
