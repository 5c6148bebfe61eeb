"""The bus inside a process: who publishes does not know who listens."""

from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from make_us_rich.events.records import Event

_log = structlog.get_logger(__name__)

EventT = TypeVar("EventT", bound=Event)


class Bus:
    """Hands every event to its subscribers, in the order in which they came, before `publish` returns.

    A subscriber that fails is logged and stops neither the others nor whoever publishes.

    >>> from datetime import UTC, datetime
    >>> from make_us_rich.events.records import Promoted
    >>> bus, heard = Bus(), []
    >>> bus.subscribe(Promoted, heard.append)
    >>> bus.publish(Promoted("replay", datetime(2024, 1, 1, tzinfo=UTC), "price.BTC-USDT.1h", 3, "better"))
    >>> heard[0].version
    3
    """

    def __init__(self) -> None:
        self._subscribers: list[tuple[type[Event], Callable[[Any], None]]] = []

    def subscribe(self, kind: type[EventT], hear: Callable[[EventT], None]) -> None:
        """Call a function with every event of a kind, `Event` for all, from now on."""
        self._subscribers.append((kind, hear))

    def publish(self, event: Event) -> None:
        """Tell everybody who subscribed to the kind of an event."""
        for kind, hear in self._subscribers:
            if not isinstance(event, kind):
                continue
            try:
                hear(event)
            except Exception as error:  # who listens must not stop what is listened to
                _log.error("a subscriber failed", heard=type(event).__name__, reason=str(error))
