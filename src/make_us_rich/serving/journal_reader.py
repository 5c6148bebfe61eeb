"""What the predictors ask the journal; without one, or while it is away, forecasts are computed."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TypeVar

import structlog

from make_us_rich.errors import StoreError
from make_us_rich.journal.drift import broken_horizons
from make_us_rich.journal.journal import Journal
from make_us_rich.journal.reading import (
    RecordedForecast,
    RecordedTrend,
    recorded_forecast,
    recorded_trends,
)
from make_us_rich.journal.track_record import TrackRecord, skill_by_horizon
from make_us_rich.models.forecast import HORIZONS
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.model_name import ModelName

_log = structlog.get_logger(__name__)

Found = TypeVar("Found")


class JournalReader:
    """Reads the journal and never fails: what cannot be read is said in the log, once."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._is_away = False

    def recorded(
        self, name: ModelName, champion: Artifact | None, cutoff: datetime
    ) -> RecordedForecast | None:
        """Return the forecast of a candle as it was written down, if the champion of now made it."""
        horizons = champion.manifest.horizons if champion else HORIZONS
        found = self._read(lambda journal: recorded_forecast(journal, name, cutoff, horizons), None)
        version = champion.manifest.version if champion else None
        return found if found is not None and found.forecast.model_version == version else None

    def recorded_trends(
        self, names: Collection[str], cutoffs: Collection[datetime]
    ) -> Mapping[tuple[str, datetime], RecordedTrend]:
        """Return by name and cutoff the trends of some names that were written down for some candles."""
        return self._read(lambda journal: recorded_trends(journal, names, cutoffs), {})

    def broken(self, name: ModelName, champion: Artifact | None) -> Mapping[int, str]:
        """Return the horizons at which the champion has broken, and why."""
        if champion is None:
            return {}
        version = champion.manifest.version
        return self._read(lambda journal: broken_horizons(journal, str(name), version), {})

    def live(self, name: ModelName) -> Mapping[int, TrackRecord]:
        """Return by horizon how the served forecasts of a name turned out."""
        return self._read(lambda journal: skill_by_horizon(journal, str(name)), {})

    def _read(self, ask: Callable[[Journal], Found], otherwise: Found) -> Found:
        if self._journal is None:
            return otherwise
        try:
            found = ask(self._journal)
        except StoreError as error:
            if not self._is_away:
                _log.error("journal not readable, forecasts are computed", reason=str(error))
            self._is_away = True
            return otherwise
        self._is_away = False
        return found
