"""Which Bull queues there are, proven by their keys. A walk over hundreds of thousands of keys is not made for every question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from redis.asyncio import Redis

from bot.ops.bull_values import PREFIX, QUEUE_KEYS, QueueKeys, queue_of

SCAN_COUNT = 5_000
# Seconds. A walk that was cheap is made each time; what a costly one found stands for a minute.
CHEAP, STANDS_FOR = 0.05, 60.0


class QueueNames:
    """The queues in the Redis of ``client``; ``ticks`` is a clock that never jumps."""

    def __init__(self, client: Redis, ticks: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ticks = ticks
        self._turn = asyncio.Lock()
        self._found: tuple[str, ...] = ()
        self._until = float("-inf")

    async def walked(self) -> tuple[str, ...]:
        """All there are now, sorted. Walks the keys with SCAN, so the server never stops for it."""
        async with self._turn:
            return await self._walk()

    async def known(self) -> tuple[str, ...]:
        """All there are, sorted; where the last walk was costly, those of it that are still there: a new one is seen within a minute."""
        async with self._turn:  # who waited for somebody else's walk needs none of their own
            if self._ticks() >= self._until:
                return await self._walk()
            return await self._still_there()

    async def _walk(self) -> tuple[str, ...]:
        began = self._ticks()
        self._found = await self._proven()
        took = self._ticks() - began
        self._until = self._ticks() + STANDS_FOR if took > CHEAP else float("-inf")
        return self._found

    async def _proven(self) -> tuple[str, ...]:
        found: dict[str, tuple[str, str]] = {}
        async for key in self._client.scan_iter(match=f"{PREFIX}:*:[a-z]*", count=SCAN_COUNT):
            owner = queue_of(key)
            if owner is not None:
                found[key] = owner
        pipe = self._client.pipeline(transaction=False)
        for key in found:
            pipe.type(key)
        kinds = await pipe.execute()
        proven = {name for (name, part), kind in zip(found.values(), kinds, strict=True) if kind == QUEUE_KEYS[part]}
        return tuple(sorted(proven))

    async def _still_there(self) -> tuple[str, ...]:
        pipe = self._client.pipeline(transaction=False)
        for name in self._found:
            pipe.exists(*(QueueKeys(name).key(part) for part in QUEUE_KEYS))
        there = await pipe.execute()
        return tuple(name for name, keys in zip(self._found, there, strict=True) if keys)
