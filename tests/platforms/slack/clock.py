"""Time inside the fake workspace: real time plus what a test skipped, so deadlines pass without sleeping.

Knows nothing of Slack.
"""

from __future__ import annotations

import asyncio
import time


class Clock:
    """``now`` is monotonic and ``wall`` is the epoch; ``advance`` moves both and wakes whoever waits."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Seconds on a monotonic scale, with everything skipped so far."""
        return time.monotonic() + self._skipped

    def wall(self) -> float:
        """Seconds since the epoch, moved together with ``now``."""
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self._skipped += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_until(self, moment: float) -> None:
        """Return once ``now`` has reached ``moment``, by waiting or by ``advance``."""
        while (left := moment - self.now()) > 0:
            try:
                await asyncio.wait_for(self._moved.wait(), left)
            except TimeoutError:
                continue
