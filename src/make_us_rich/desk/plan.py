"""What `mur up` was asked to do, checked before anything starts."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from make_us_rich.errors import UsageError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Market, Settings

DEFAULT_SYMBOLS = (Symbol("BTC", "USDT"), Symbol("ETH", "USDT"))
TIMEFRAME = Timeframe("1h")


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """One run of the desk.

    `market` is None where it was left open, `symbols` is empty where the default pairs are meant. `start`
    and `until` bound a past that is played at `speed` simulated seconds per second, None being as fast as
    possible; both are None where the desk follows the wall clock.
    """

    market: Market | None
    replay_from: Path | None
    start: datetime | None
    until: datetime | None
    speed: float | None
    exit_at_end: bool
    symbols: tuple[Symbol, ...]
    host: str
    port: int

    def is_played(self) -> bool:
        """Say whether a past is played instead of following the wall clock."""
        return self.market == "replay" or self.start is not None


def check_plan(plan: DeskPlan, settings: Settings) -> DeskPlan:
    """Return the plan with its market settled as far as it can be; a contradiction is a `UsageError`."""
    market = plan.market or ("replay" if plan.replay_from else settings.market)
    if market == "replay" and plan.replay_from is None:
        raise UsageError("a replay needs a folder of candles; name it with --replay-from DIR")
    if market != "replay" and plan.replay_from is not None:
        raise UsageError(f"--replay-from belongs to --market replay, not to {market}; leave one of them out")
    settled = replace(plan, market=market)
    if market not in ("replay", "simulated") and (plan.start or plan.until):
        raise UsageError(
            "--start and --until play a past; name it with --market replay or --market simulated"
        )
    if plan.until is not None and not settled.is_played():
        raise UsageError("--until ends a past that is played; give it a beginning with --start")
    if plan.start is not None and plan.until is not None and plan.start >= plan.until:
        raise UsageError("--start must lie before --until; correct one of them")
    if plan.exit_at_end and not settled.is_played():
        raise UsageError(
            "--exit-at-end needs an end; use --market replay, or --market simulated with --start"
        )
    return settled


def parse_speed(text: str) -> float | None:
    """Read simulated seconds per second; `max` is None, as fast as possible.

    >>> parse_speed("3600"), parse_speed("max")
    (3600.0, None)
    """
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UsageError(f"speed {text!r} is not a positive number; write one such as 3600, or max")
    return speed
