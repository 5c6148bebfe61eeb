"""Calls per minute, counted in the memory of one process."""

from collections.abc import Hashable
from dataclasses import dataclass

_KEPT = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Whether a call may be made now, how many more may, and in how many seconds all may again."""

    is_allowed: bool
    left: int
    reset_seconds: int
    retry_seconds: int


class Pacer:
    """So many calls a minute for each key, saved up for at most a minute; time is monotonic seconds."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets: dict[Hashable, _Bucket] = {}

    def take(self, who: Hashable, now_seconds: float) -> Pace:
        """Take one call of somebody, if there is one."""
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = self._new_bucket(now_seconds)
        per_second = self.per_minute / 60
        left = min(self.per_minute, bucket.left + (now_seconds - bucket.at_seconds) * per_second)
        is_allowed = left >= 1
        bucket.left, bucket.at_seconds = left - is_allowed, now_seconds
        reset = (self.per_minute - bucket.left) / per_second
        return Pace(is_allowed, int(bucket.left), int(reset) + 1, int((1 - bucket.left) / per_second) + 1)

    def _new_bucket(self, now_seconds: float) -> _Bucket:
        if len(self._buckets) >= _KEPT:
            self._buckets.clear()
        return _Bucket(float(self.per_minute), now_seconds)
