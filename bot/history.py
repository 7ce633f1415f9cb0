"""What was measured: written as it comes, read in pieces fit for a picture, forgotten in time. Knows no source of figures.

How far back: every value for a day, minutes for a week, hours for a year (``store/sample_rows``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.series import Bucket, Measured, Series
from bot.store import sample_rows
from bot.store.engine import Store
from bot.store.sample_rows import DAY, HOUR, KEPT, MINUTE, RAW

# So many buckets at most are read of a series: more than a picture on a phone has room for.
MOST_BUCKETS = 360
# One write is a few milliseconds of the writer's time, so that no request waits for its record.
ROWS_AT_ONCE = 1_000
_STEPS = (10, 30, 60, 300, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)


class History:
    """The measured figures in ``store``. ``clock`` says what is now: nothing is read beyond it, nothing old is written."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    async def add(self, at: float, values: Mapping[Series, float]) -> int:
        """Keep what was measured at ``at``; how many values were new. What is no number, or a day old, is left out."""
        finite = {series: value for series, value in values.items() if math.isfinite(value)}
        if not finite or at < self._clock() - DAY:
            return 0
        return await self._store.write(lambda db: sample_rows.add(db, int(at), finite))

    async def known(self) -> Mapping[Series, Measured]:
        """Every series there is, and from when to when it was measured."""
        return await self._store.read(sample_rows.known)

    async def read(self, wanted: Iterable[Series], since: float, until: float, step: int = 0) -> Mapping[Series, Sequence[Bucket]]:
        """Each series in the period, in at most ``MOST_BUCKETS``, of ``step`` seconds or longer; none where nothing was measured."""
        series, step = tuple(wanted), max(step, _step(until - since))
        resolution = self._resolution(since, step)
        step = max(step, resolution)
        first = int(since) - int(since) % step
        return await self._store.read(lambda db: sample_rows.read(db, series, resolution, step, (first, math.ceil(until))))

    def _resolution(self, since: float, step: int) -> int:
        """The coarsest rows that give buckets of ``step``, but those that reach back far enough."""
        fits = max((each for each in (RAW, MINUTE, HOUR) if each <= step), default=RAW)
        reaches = (each for each in (RAW, MINUTE, HOUR) if since >= self._clock() - KEPT[each])
        return max(fits, next(reaches, HOUR))

    async def newest(self, wanted: Iterable[Series]) -> Mapping[Series, Bucket]:
        """The newest value of each series within the last day."""
        series, now = tuple(wanted), int(self._clock())
        found = await self._store.read(lambda db: sample_rows.newest(db, series, now))
        return {each: Bucket(at, 0, value, value, value, 1) for each, (at, value) in found.items()}

    async def forget(self) -> None:
        """Let go of what is too old, a little at a time: other writers come between."""
        now = int(self._clock())
        while await self._store.write(lambda db: sample_rows.forget(db, now, ROWS_AT_ONCE)):
            continue


def _step(seconds: float) -> int:
    return next((step for step in _STEPS if seconds / step <= MOST_BUCKETS), _STEPS[-1])
