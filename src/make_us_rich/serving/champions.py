"""The champions in memory: a new one is loaded beside the old one, which stays if the new one is broken."""

from collections.abc import Collection
from typing import Generic, TypeVar

import structlog

from make_us_rich.errors import MakeUsRichError
from make_us_rich.registry.artifact import Artifact, TrendArtifact
from make_us_rich.registry.shelf import Shelf

_log = structlog.get_logger(__name__)

Followable = TypeVar("Followable", bound=Artifact | TrendArtifact)


class Followed(Generic[Followable]):
    """One version of each name of some kinds, as a shelf named it when it was last read.

    One thread refreshes; any number may read meanwhile and see the old artifact or the new one.
    """

    refused = "champion refused, the old one stays"

    def __init__(self, shelf: Shelf, kinds: Collection[str]) -> None:
        self._shelf = shelf
        self._kinds = kinds
        self._held: dict[str, Followable] = {}
        self._refused: dict[str, str] = {}

    def artifact(self, name: str) -> Followable | None:
        """Return the artifact in memory; None where there is none to follow."""
        return self._held.get(name)

    def refusal(self, name: str) -> str | None:
        """Return why the version that is meant is not the one in memory."""
        return self._refused.get(name)

    def refresh(self) -> None:
        """Follow every name that moved; whatever is wrong with a new artifact, the old one stays."""
        try:
            names = self._shelf.names(self._kinds)
        except MakeUsRichError as error:
            _log.warning("shelf not readable, champions stay", reason=str(error))
            return
        for gone in self._held.keys() - set(names):
            del self._held[gone]
        for name in names:
            self._follow(name)

    def _wanted(self, name: str) -> int | None:
        pointer = self._shelf.champion(name)
        return pointer.version if pointer else None

    def _load(self, name: str, version: int) -> Followable:
        raise NotImplementedError

    def _announce(self, name: str, version: int) -> None:
        _log.info("champion in service", name=name, version=version)

    def _follow(self, name: str) -> None:
        try:
            version = self._wanted(name)
            held = self._held.get(name)
            if version is None:
                self._held.pop(name, None)
            elif held is None or held.manifest.version != version:
                self._held[name] = self._load(name, version)
                self._announce(name, version)
        except MakeUsRichError as error:
            self._refuse(name, str(error))
        else:
            self._refused.pop(name, None)

    def _refuse(self, name: str, reason: str) -> None:
        # Tried again at every refresh, because a copy may still be on its way; said only once.
        reason = reason.replace(f"{self._shelf.root}/", "")
        if self._refused.get(name) != reason:
            _log.error(self.refused, name=name, reason=reason)
        self._refused[name] = reason


class Champions(Followed[Artifact]):
    """The price models in service; where there is none the naive baselines answer."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, {"price"})

    def _load(self, name: str, version: int) -> Artifact:
        return self._shelf.load(name, version)


class AllChampions:
    """The models in service, of every kind that is followed."""

    def __init__(self, *followed: Followed[Artifact] | Followed[TrendArtifact]) -> None:
        self._followed = followed

    def artifact(self, name: str) -> Artifact | TrendArtifact | None:
        """Return the artifact in service; None where a baseline answers."""
        return next((found for one in self._followed if (found := one.artifact(name))), None)

    def refusal(self, name: str) -> str | None:
        """Return why the version that is pointed to is not the one in service."""
        return next((found for one in self._followed if (found := one.refusal(name))), None)
