"""The champions in memory: a new one is loaded beside the old one, which stays if the new one is broken."""

import structlog

from make_us_rich.errors import MakeUsRichError
from make_us_rich.registry.artifact import Artifact
from make_us_rich.registry.shelf import Shelf

_log = structlog.get_logger(__name__)


class Champions:
    """What the pointers of a shelf pointed to when they were last read.

    One thread refreshes; any number may read meanwhile and see the old artifact or the new one.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._served: dict[str, Artifact] = {}
        self._refused: dict[str, str] = {}

    def artifact(self, name: str) -> Artifact | None:
        """Return the artifact in service; None where the naive baselines answer."""
        return self._served.get(name)

    def refusal(self, name: str) -> str | None:
        """Return why the version that is pointed to is not the one in service."""
        return self._refused.get(name)

    def refresh(self) -> None:
        """Follow every pointer that moved; whatever is wrong with a new artifact, the old one stays."""
        try:
            names = self._shelf.names()
        except MakeUsRichError as error:
            _log.warning("shelf not readable, champions stay", reason=str(error))
            return
        for gone in self._served.keys() - set(names):
            del self._served[gone]
        for name in names:
            self._follow(name)

    def _follow(self, name: str) -> None:
        try:
            pointer = self._shelf.champion(name)
            served = self._served.get(name)
            if pointer is None:
                self._served.pop(name, None)
            elif served is None or served.manifest.version != pointer.version:
                self._served[name] = self._shelf.load(name, pointer.version)
                _log.info("champion in service", name=name, version=pointer.version)
        except MakeUsRichError as error:
            self._refuse(name, str(error))
        else:
            self._refused.pop(name, None)

    def _refuse(self, name: str, reason: str) -> None:
        # Tried again at every refresh, because a copy may still be on its way; said only once.
        reason = reason.replace(f"{self._shelf.root}/", "")
        if self._refused.get(name) != reason:
            _log.error("champion refused, the old one stays", name=name, reason=reason)
        self._refused[name] = reason
