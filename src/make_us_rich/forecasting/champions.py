"""The models in memory: a new champion is loaded beside the old one, which stays if the new one is broken."""

from collections.abc import Callable, Iterable, Mapping

import structlog

from make_us_rich.errors import MakeUsRichError
from make_us_rich.forecasting.kind import ForecastKind
from make_us_rich.registry.artifact import AnyArtifact
from make_us_rich.registry.model_name import ModelName
from make_us_rich.registry.shelf import Shelf

_log = structlog.get_logger(__name__)


class Champions:
    """The models of every kind, as the shelf named them when it was last read.

    One thread refreshes; any number may read meanwhile and see the old artifact or the new one.
    """

    def __init__(self, shelf: Shelf, kinds: Mapping[str, ForecastKind]) -> None:
        self._shelf = shelf
        self._kinds = kinds
        self._champions = _Followed(
            shelf, self._champion_version, "champion refused, the old one stays", "champion in service"
        )
        self._newest = _Followed(shelf, self._newest_version, "unserved version refused")

    def artifact(self, name: str) -> AnyArtifact | None:
        """Return the champion in memory; None where a baseline answers."""
        return self._champions.held.get(name)

    def newest(self, name: str) -> AnyArtifact | None:
        """Return the newest version in memory, where it is not the champion and its kind shows it."""
        return self._newest.held.get(name)

    def refusal(self, name: str) -> str | None:
        """Return why the version that is pointed to is not the one in memory."""
        return self._champions.refused.get(name)

    def refresh(self) -> None:
        """Follow every name that moved; whatever is wrong with a new artifact, the old one stays."""
        try:
            names = self._shelf.names(self._kinds)
        except MakeUsRichError as error:
            _log.warning("shelf not readable, champions stay", reason=str(error))
            return
        self._champions.forget_others(names)
        self._newest.forget_others(names)
        self.follow(names)

    def follow(self, names: Iterable[str]) -> None:
        """Follow some names that moved; of the others nothing is asked."""
        for name in names:
            self._champions.follow(name)
            if self._kind(name).follows_newest:
                self._newest.follow(name)

    def _kind(self, name: str) -> ForecastKind:
        return self._kinds[ModelName.parse(name).kind]

    def _champion_version(self, name: str) -> int | None:
        pointer = self._shelf.champion(name)
        return pointer.version if pointer else None

    def _newest_version(self, name: str) -> int | None:
        versions = self._shelf.versions(name)
        return None if not versions or versions[-1] == self._champion_version(name) else versions[-1]


class _Followed:
    """One version of each name, chosen by a function."""

    def __init__(
        self, shelf: Shelf, wanted: Callable[[str], int | None], refused: str, taken: str = ""
    ) -> None:
        self.held: dict[str, AnyArtifact] = {}
        self.refused: dict[str, str] = {}
        self._shelf = shelf
        self._wanted = wanted
        self._refused_words = refused
        self._taken_words = taken

    def forget_others(self, names: Iterable[str]) -> None:
        for gone in self.held.keys() - set(names):
            del self.held[gone]

    def follow(self, name: str) -> None:
        try:
            version = self._wanted(name)
            held = self.held.get(name)
            if version is None:
                self.held.pop(name, None)
            elif held is None or held.manifest.version != version:
                self.held[name] = self._shelf.load(name, version)
                if self._taken_words:
                    _log.info(self._taken_words, name=name, version=version)
        except MakeUsRichError as error:
            self._refuse(name, str(error))
        else:
            self.refused.pop(name, None)

    def _refuse(self, name: str, reason: str) -> None:
        # Tried again at every refresh, because a copy may still be on its way; said only once.
        reason = reason.replace(f"{self._shelf.root}/", "")
        if self.refused.get(name) != reason:
            _log.error(self._refused_words, name=name, reason=reason)
        self.refused[name] = reason
