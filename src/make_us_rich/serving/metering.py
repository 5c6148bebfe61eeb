"""Counting calls against the month: those that wait together are taken together.

One transaction serves everybody who came while the one before was under way, so under load a call costs
little. Whoever has many calls left is lent a block of them, at most a hundredth of what is left. Below 10,000
nothing is lent, and what lies idle is put back after a second: no process holds calls another one is refused.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

import structlog

from make_us_rich.accounts.principal import Principal
from make_us_rich.accounts.quota import Granted, Wanted, month_of, return_calls, take_calls
from make_us_rich.accounts.tokens import note_use
from make_us_rich.errors import StoreError
from make_us_rich.serving.access import Access

LEND_ABOVE = 10_000
LARGEST_BLOCK = 1_000

IDLE_SECONDS = 1.0

_NOTED_EVERY_SECONDS = 60.0


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """Whether a call fits into the month, and how many do after it."""

    is_granted: bool
    left: int
    quota: int


@dataclass(slots=True)
class _Block:
    """Calls that are taken already and may be made without asking the database."""

    month: str
    calls: int
    left_beyond: int
    used_seconds: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    principal: Principal
    reading: "asyncio.Future[Reading]"


class Meter:
    """Takes calls from monthly quotas, in batches; belongs to one event loop at a time."""

    def __init__(self, access: Access, executor: Executor) -> None:
        self._access = access
        self._executor = executor
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._noted: dict[str, float] = {}
        self._blocks: dict[int, _Block] = {}
        self._sweep: asyncio.Task[None] | None = None

    async def take(self, principal: Principal) -> Reading:
        """Take one call of a user from their month."""
        block = self._blocks.get(principal.user_id)
        if block is not None and self._may_use(block):
            block.calls -= 1
            block.used_seconds = time.monotonic()
            left = block.left_beyond + block.calls
            return Reading(is_granted=True, left=left, quota=self._quota_of(principal))
        waiting = _Waiting(principal, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await waiting.reading

    async def note_use(self, principal: Principal) -> None:
        """Remember that a token was used, once a minute at most."""
        token, moment = principal.token_id, time.monotonic()
        if token is None or moment - self._noted.get(token, -_NOTED_EVERY_SECONDS) < _NOTED_EVERY_SECONDS:
            return
        self._noted[token] = moment  # before it is written, so that those who come meanwhile do not wait
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._executor, note_use, self._access.database, [token], self._access.now()
            )
        except StoreError as error:  # what was asked for can still be answered
            _log.error("use of a token not noted", reason=str(error))

    def give_back(self) -> None:
        """Put back all calls that were lent and not made; when the process ends."""
        self._return(self._pop_blocks(idle_seconds=0.0))

    def _pop_blocks(self, idle_seconds: float) -> list[tuple[int, _Block]]:
        before = time.monotonic() - idle_seconds
        idle = [user_id for user_id, block in self._blocks.items() if block.used_seconds <= before]
        return [(user_id, self._blocks.pop(user_id)) for user_id in idle]

    def _return(self, blocks: Sequence[tuple[int, _Block]]) -> None:
        for user_id, block in blocks:
            if block.calls:
                return_calls(self._access.database, user_id, block.month, block.calls)

    def _may_use(self, block: _Block) -> bool:
        return block.calls > 0 and block.month == month_of(self._access.now())

    def _lend(self, user_id: int, month: str, calls: int, left_beyond: int) -> None:
        block = self._blocks.get(user_id)
        if block is not None and block.month == month:
            calls += block.calls  # a batch before this one may have brought some that nobody has used yet
        self._blocks[user_id] = _Block(month, calls, left_beyond, time.monotonic())
        if calls and (self._sweep is None or self._sweep.done()):
            self._sweep = asyncio.create_task(self._put_back_idle())

    async def _put_back_idle(self) -> None:
        while any(block.calls for block in self._blocks.values()):
            await asyncio.sleep(IDLE_SECONDS)
            idle = self._pop_blocks(
                IDLE_SECONDS
            )  # here and not in the thread, where calls are made from them
            try:
                await asyncio.get_running_loop().run_in_executor(self._executor, self._return, idle)
            except Exception as error:  # they stay counted, so nobody gets too many
                _log.error("calls not put back", reason=str(error))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            now = self._access.now()
            try:
                granted = await loop.run_in_executor(self._executor, self._take, batch, now)
            except Exception as error:  # whoever waits has to hear of it, whatever it is
                _tell_all(batch, error)
            else:
                self._tell(batch, granted, month_of(now))

    def _take(self, batch: Sequence[_Waiting], now: datetime) -> Mapping[int, Granted]:
        calls = Counter(one.principal.user_id for one in batch)
        quotas = {one.principal.user_id: self._quota_of(one.principal) for one in batch}
        wanted = [Wanted(one, quotas[one], count + self._lendable(one)) for one, count in calls.items()]
        return take_calls(self._access.database, wanted, now)

    def _lendable(self, user_id: int) -> int:
        block = self._blocks.get(user_id)
        left = block.left_beyond if block else 0
        return min(left // 100, LARGEST_BLOCK) if left >= LEND_ABOVE else 0

    def _tell(self, batch: Sequence[_Waiting], granted: Mapping[int, Granted], month: str) -> None:
        remaining = {user_id: grant.calls for user_id, grant in granted.items()}
        for one in batch:
            user_id = one.principal.user_id
            remaining[user_id] -= 1
            is_granted = remaining[user_id] >= 0
            left = granted[user_id].left + max(0, remaining[user_id])
            if not one.reading.done():  # its client may have gone
                one.reading.set_result(Reading(is_granted, left, self._quota_of(one.principal)))
        for user_id, grant in granted.items():
            self._lend(user_id, month, max(0, remaining[user_id]), grant.left)

    def _quota_of(self, principal: Principal) -> int:
        if principal.monthly_quota is None:
            return self._access.monthly_quota
        return principal.monthly_quota


def _tell_all(batch: Sequence[_Waiting], error: Exception) -> None:
    for one in batch:
        if not one.reading.done():
            one.reading.set_exception(error)
