"""Recognising who asks: looked up in the database, and believed for half a second."""

import asyncio
import time
from concurrent.futures import Executor
from dataclasses import dataclass

from make_us_rich.accounts.principal import Principal
from make_us_rich.accounts.sessions import find_session
from make_us_rich.accounts.tokens import find_token
from make_us_rich.serving.access import Access
from make_us_rich.serving.credentials import Credential, Kind

BELIEVED_SECONDS = 0.5
"""A revocation, on whatever replica, is felt after this time; that and a request under way are below 1 s."""

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until_seconds: float


class Recognition:
    """Who stands behind credentials; at most one look-up of each is under way."""

    def __init__(self, access: Access, executor: Executor) -> None:
        self._access = access
        self._executor = executor
        self._known: dict[Credential, _Known] = {}
        self._under_way: dict[Credential, asyncio.Task[Principal | None]] = {}

    async def principal(self, credential: Credential) -> Principal | None:
        """Return who it is, or None for nobody."""
        known = self._known.get(credential)
        if known is not None and known.until_seconds > time.monotonic():
            return known.principal
        task = self._under_way.get(credential)
        if task is None or task.done():
            task = self._under_way[credential] = asyncio.create_task(self._look_up(credential))
            task.add_done_callback(lambda _: self._under_way.pop(credential, None))
        return await asyncio.shield(task)  # others wait for it too, though this one may hang up

    def forget(self) -> None:
        """Look everybody up again, because something about them has changed here."""
        self._known.clear()

    async def _look_up(self, credential: Credential) -> Principal | None:
        until = time.monotonic() + BELIEVED_SECONDS  # from before the look, so that it is never more
        loop = asyncio.get_running_loop()
        principal = await loop.run_in_executor(self._executor, self._find, credential)
        if len(self._known) >= _KEPT:
            self._known.clear()
        if principal is None:
            self._known.pop(credential, None)
        else:
            self._known[credential] = _Known(principal, until)
        return principal

    def _find(self, credential: Credential) -> Principal | None:
        access = self._access
        if credential.kind is Kind.TOKEN:
            return find_token(access.database, credential.text, access.now())
        return find_session(access.database, access.secret_key, credential.text, access.now())
