"""What the board asks of the journal, which lies above it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from make_us_rich.forecasting.forecast import Forecast
from make_us_rich.forecasting.kind import Live
from make_us_rich.registry.model_name import ModelName

Wanted = tuple[ModelName, datetime, int | None]
"""A name, a cutoff, and the version that is to have spoken; None for no model."""


class Records(Protocol):
    """What the board asks of the journal; `journal.reading.JournalRecords` answers, and never fails."""

    def forecasts(self, wanted: Collection[Wanted]) -> Mapping[ModelName, Forecast]:
        """Return what was served, as it was written down."""
        ...

    def broken(self, name: ModelName, version: int) -> Mapping[int, str]:
        """Return the horizons at which a version has broken, and why."""
        ...

    def live(self, name: ModelName, owner: int | None = None) -> Mapping[int, Live]:
        """Return by horizon how the served forecasts of a name turned out."""
        ...


class NoRecords:
    """A journal in which nothing stands."""

    def forecasts(self, wanted: Collection[Wanted]) -> Mapping[ModelName, Forecast]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def broken(self, name: ModelName, version: int) -> Mapping[int, str]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def live(self, name: ModelName, owner: int | None = None) -> Mapping[int, Live]:  # noqa: ARG002
        """Return nothing."""
        return {}
