"""Who may answer for a trend: the champion, and the newest version that stands on the shelf unserved."""

from dataclasses import dataclass
from typing import get_args

import structlog

from make_us_rich.errors import ArtifactError
from make_us_rich.features.indicators import INDICATOR_NAMES
from make_us_rich.features.trend_labels import TrendLabel
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.artifact import TrendArtifact
from make_us_rich.registry.shelf import Shelf
from make_us_rich.registry.trend_manifest import TrendKind
from make_us_rich.registry.trend_promotion import FALLBACK
from make_us_rich.serving.champions import Followed

_log = structlog.get_logger(__name__)

TREND_KINDS: tuple[TrendKind, ...] = get_args(TrendKind)


@dataclass(frozen=True, slots=True, eq=False)
class TrendModels:
    """The models of one name; `newest` is the newest version where that is not the champion."""

    champion: TrendArtifact | None = None
    newest: TrendArtifact | None = None

    @property
    def described(self) -> TrendArtifact | None:
        """The version whose question, baselines and evidence count."""
        return self.champion or self.newest

    @property
    def label(self) -> TrendLabel:
        """The event that is asked about; the published one where nothing is shelved."""
        if self.described is None:
            return TrendLabel()
        return TrendLabel(**dict(self.described.manifest.label))

    @property
    def served_by(self) -> str:
        """The forecaster that answers: what the champion earned, or else a baseline."""
        if self.champion is not None:
            return self.champion.manifest.served_by
        proven = self.newest.manifest.served_by if self.newest else FALLBACK
        return proven if proven in TREND_BASELINES else FALLBACK

    @property
    def challenger(self) -> TrendArtifact | None:
        """The model that is shown beside the answer, if one asks the same question and does not answer."""
        if self.newest is None:
            return self.champion if self.served_by in TREND_BASELINES else None
        is_same_question = self.described and self.newest.manifest.label == self.described.manifest.label
        return self.newest if is_same_question else None

    def are(self, others: "TrendModels") -> bool:
        """Say whether the very same artifacts are meant."""
        return self.champion is others.champion and self.newest is others.newest


class TrendChampions(Followed[TrendArtifact]):
    """The trend models in service."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, TREND_KINDS)

    def _load(self, name: str, version: int) -> TrendArtifact:
        return load_known(self._shelf, name, version)


class NewestTrends(Followed[TrendArtifact]):
    """The newest version of each name, while it is not the one in service."""

    refused = "unserved version refused"

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, TREND_KINDS)

    def _wanted(self, name: str) -> int | None:
        newest = self._shelf.versions(name)[-1]
        return None if newest == super()._wanted(name) else newest

    def _load(self, name: str, version: int) -> TrendArtifact:
        return load_known(self._shelf, name, version)

    def _announce(self, name: str, version: int) -> None:
        _log.debug("unserved version read", name=name, version=version)


def load_known(shelf: Shelf, name: str, version: int) -> TrendArtifact:
    """Return a verified trend model; `ArtifactError` if it reads what this version does not compute."""
    artifact = shelf.load_trend(name, version)
    if artifact.manifest.features != INDICATOR_NAMES:
        raise ArtifactError(
            f"{name}@{version} reads other indicators than this version computes; train it again"
        )
    return artifact
