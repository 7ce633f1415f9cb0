"""Time as the fake sees it: the real clock plus what a test added, and the snowflake ids made from it. Knows nothing else."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Callable

from bot.testing.waiting import PATIENCE

DISCORD_EPOCH = 1_420_070_400.0


class Clock:
    """Runs with the real clock, so that rate limits refill; ``advance`` makes hours pass without waiting."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self._ahead += seconds


class SnowflakeMint:
    """Ids that grow and carry their time, as discord.py reads it back out of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """A new id."""
        wanted = int((self._clock.now() - DISCORD_EPOCH) * 1000) << 22
        self._last = max(wanted, self._last + 1)
        return self._last


class Changes:
    """Lets a test wait for a condition instead of sleeping: everything that changes the fake tells it."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def tell(self) -> None:
        """Something changed: whoever waits looks again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Return when ``condition`` holds; TimeoutError when it does not in time."""
        async with asyncio.timeout(seconds):
            while not condition():
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                await future


def iso(moment: float) -> str:
    """A moment the way Discord writes it."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()
