"""The logs of several containers as one, in the order of time, in the memory of a few lines. Knows nothing of where lines come from.

The lines of one container keep their own order, also where their stamps do not. A log that fails does not take the others with it.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing

from bot.errors import OutsideError
from bot.ops.container_logs import LogStream
from bot.ops.container_values import LogLine

_BREATH = 200
_BATCH_LINES, _BATCH_CHARACTERS = 400, 1 << 18


class MergedLogs:
    """An iterator of lines, once. ``failed`` tells which logs broke off and why, ``clipped`` that one ended at its limit."""

    def __init__(self, sources: Mapping[str, Callable[[], Awaitable[LogStream]]]) -> None:
        self._sources = sources
        self._streams: dict[str, LogStream] = {}
        self.failed: dict[str, OutsideError] = {}

    @property
    def clipped(self) -> bool:
        """Whether some log was not read to its end, as that would have cost too much."""
        return any(stream.clipped for stream in self._streams.values())

    async def lines(self) -> AsyncGenerator[LogLine, None]:
        """Every line; close it when it is not read to its end."""
        try:
            heads = await asyncio.gather(*(self._opened(name) for name in self._sources))
            waiting = [(line.at, number, line) for number, line in enumerate(heads) if line is not None]
            heapq.heapify(waiting)
            names, given = tuple(self._sources), 0
            while waiting:
                _, number, line = waiting[0]
                yield line
                given += 1
                following = await self._next(names[number])
                if following is None:
                    heapq.heappop(waiting)
                else:
                    heapq.heapreplace(waiting, (following.at, number, following))
                if given % _BREATH == 0:
                    await asyncio.sleep(0)  # lines that wait already are given without a pause; others want to live too
        finally:
            for stream in self._streams.values():
                await stream.aclose()

    async def batches(self) -> AsyncGenerator[list[LogLine], None]:
        """The same lines some at a time, for work on them that is better done in a thread: as much as takes it a moment."""
        batch, room = list[LogLine](), _BATCH_CHARACTERS
        async with aclosing(self.lines()) as lines:
            async for line in lines:
                batch.append(line)
                room -= len(line.text)
                if len(batch) == _BATCH_LINES or room <= 0:
                    yield batch
                    batch, room = [], _BATCH_CHARACTERS
        if batch:
            yield batch

    async def _opened(self, name: str) -> LogLine | None:
        """The first line of a log."""
        try:
            self._streams[name] = await self._sources[name]()
        except OutsideError as error:
            self.failed[name] = error
            return None
        return await self._next(name)

    async def _next(self, name: str) -> LogLine | None:
        try:
            return await anext(self._streams[name], None)
        except OutsideError as error:
            self.failed[name] = error
            return None
