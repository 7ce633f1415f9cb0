"""Measures on a schedule, and hands what it measured to the history. Knows no system: each is a source, asked beside the others.

Rounds stand on the clock (every 30 seconds: at :00 and :30), so that a restart measures no moment twice. A source that is slow
is left alone until it is done or given up, one that fails leaves a gap; neither holds up another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from bot.errors import VccError
from bot.history import History
from bot.ops.measures import Source, Values
from bot.ops.overview import probe

_LOG = logging.getLogger("vcc.sampler")
EVERY = 30.0
# A timer may fire a moment early: that is still the round it was set for.
_EARLY = 0.05
FORGET_EVERY = 600.0
# What is old is only known by a clock that has not jumped for a while: a wrong year must not empty the history.
STEADY_FOR = 900.0
_JUMP = 5.0

Clock = Callable[[], float]


class Sampler:
    """Asks ``sources`` every ``every`` seconds of ``clock``. ``ticks`` is a clock that never jumps, ``sleep`` waits."""

    def __init__(
        self,
        sources: Sequence[Source],
        history: History,
        clock: Clock = time.time,
        every: float = EVERY,
        ticks: Clock = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sources = sources
        self._history = history
        self._clock = clock
        self._every = every
        self._ticks = ticks
        self._sleep = sleep
        self._asked: dict[str, float] = {}
        self._failing: dict[str, str] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._steady = Steady(clock, ticks)
        self._forgot_at = float("-inf")

    async def run(self) -> None:
        """Rounds until cancelled; what is being asked then is given up."""
        try:
            while True:
                now = self._clock()
                await self._sleep(self._slot(now) + self._every - now)
                self.begin_round()
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    def begin_round(self) -> None:
        """Ask every source whose turn it is and that is not still being asked. Waits for nothing."""
        at = self._slot(self._clock())
        for source in self._sources:
            if not self._busy(source.name) and self._is_due(source, at):
                self._running[source.name] = asyncio.create_task(self._measure(source, at))
        if self._steady.seconds() >= STEADY_FOR and self._ticks() - self._forgot_at >= FORGET_EVERY and not self._busy("forget"):
            self._forgot_at = self._ticks()
            self._running["forget"] = asyncio.create_task(self._forget())

    async def idle(self) -> None:
        """Wait until nothing is being asked."""
        await asyncio.gather(*self._running.values())

    def _slot(self, now: float) -> float:
        """The round that ``now`` belongs to."""
        return (now + self._every * _EARLY) // self._every * self._every

    def _busy(self, name: str) -> bool:
        """Whether it is still being asked. A bug that ended the asking is told, once for each time, and the asking goes on."""
        task = self._running.get(name)
        if task is None or not task.done():
            return task is not None
        del self._running[name]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _LOG.error("measuring %s failed", name, exc_info=error)
        return False

    def _is_due(self, source: Source, at: float) -> bool:
        """A source of every hour is asked in the first round of each hour, and in the first of all."""
        if not source.every:
            return True
        turn = at // source.every
        if self._asked.get(source.name) == turn:
            return False
        self._asked[source.name] = turn
        return True

    async def _measure(self, source: Source, at: float) -> None:
        answer = await probe(source.name, source.measure, source.deadline)
        error = answer if isinstance(answer, VccError) else await self._kept(at, answer)
        state = "" if error is None else error.key
        if self._failing.get(source.name, "") != state:  # told when it changes, not twice a minute
            self._failing[source.name] = state
            _LOG.info("measuring %s: %s", source.name, error or "well again")

    async def _kept(self, at: float, values: Values) -> VccError | None:
        """A state that cannot be written costs this round, not the program."""
        try:
            await self._history.add(at, values)
        except VccError as error:
            return error
        return None

    async def _forget(self) -> None:
        try:
            await self._history.forget()
        except VccError as error:
            _LOG.info("forgetting old figures: %s", error)


class Steady:
    """How long ``clock`` has gone on beside ``ticks`` without a jump."""

    def __init__(self, clock: Clock, ticks: Clock) -> None:
        self._clock = clock
        self._ticks = ticks
        self._apart = clock() - ticks()
        self._since = ticks()

    def seconds(self) -> float:
        """Since the last jump that was seen, or since the beginning."""
        apart = self._clock() - self._ticks()
        if abs(apart - self._apart) > _JUMP:
            self._since = self._ticks()
        self._apart = apart
        return self._ticks() - self._since
