"""Lines of several containers as they are written, through restarts, recreations, rotations and a lost engine.

Knows nothing of what lines mean or who reads them. Each line is given once: where a stream was opened again, the lines that
come a second time are known by their time and text.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.errors import NotFound, OutsideError
from bot.ops.container_logs import LogStream, LogWindow
from bot.ops.container_values import LogLine, Service

RECENT_AT_MOST = 2_000
_OVERLAP = 2.0
_BREATH = 500
_Key = tuple[float, str, int]


class EngineLogs(Protocol):
    """The containers there are, and their logs."""

    async def services(self) -> tuple[Service, ...]:
        """All of them."""

    async def logs(self, container_id: str, window: LogWindow) -> LogStream:
        """The lines of one."""


@dataclass(frozen=True, slots=True)
class LivePace:
    """In seconds: between two looks for containers that came or came back, and how long a silence is before it is doubted."""

    look: float = 1.0
    silence: float = 10.0


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: with the last ``tail`` lines of what is there at the time ``at``, and with all of what comes after."""

    at: float
    tail: int


class Seam:
    """What was given last of one container's log. Engines give a line again at a rotation, and so do we ask for some after a break:
    a line with the time, stream and text of one that was given is that one."""

    def __init__(self) -> None:
        self._recent: deque[_Key] = deque()
        self._known: set[_Key] = set()
        self._newest = 0.0
        self._floor = 0.0

    def since(self) -> float | None:
        """From when to read on after a break; None when nothing was given yet."""
        if not self._recent:
            return None
        self._floor = max(self._recent[0][0], self._newest - _OVERLAP)
        return self._floor

    def passes(self, line: LogLine) -> bool:
        """Whether it was not given before; then it counts as given."""
        key = _key(line)
        if line.at <= self._newest and (key in self._known or line.at < self._floor):
            return False
        self._newest = max(self._newest, line.at)
        self._recent.append(key)
        self._known.add(key)
        if len(self._recent) > RECENT_AT_MOST:
            self._known.discard(self._recent.popleft())
        return True

    def knows(self, line: LogLine) -> bool:
        """Whether it is among the last ones given."""
        return _key(line) in self._known


def _key(line: LogLine) -> _Key:
    return line.at, line.stream, hash(line.text)


@dataclass(slots=True)
class _Track:
    """One container: what was seen of it, and the task that reads it now. ``opened_for`` is the start that it was opened after."""

    seam: Seam = field(default_factory=Seam)
    task: asyncio.Task[None] | None = None
    opened_for: float | None = None
    heard_at: float = 0.0
    broken: bool = False


class LiveLogs:
    """Gives every line to ``take``. ``names`` are services; none means all.

    ``reconnects`` counts streams that were opened again; ``trouble`` is why nothing can be read just now.
    """

    def __init__(self, engine: EngineLogs, names: Sequence[str], take: Callable[[LogLine], None], start: Start, pace: LivePace) -> None:
        self._engine = engine
        self._names = frozenset(names)
        self._take = take
        self._start = start
        self._pace = pace
        self._tracks: dict[str, _Track] = {}
        self.reconnects = 0
        self.trouble: OutsideError | None = None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            window = LogWindow(tail=self._start.tail, follow=True)
            while True:
                for service in await self._present():
                    await self._attend(group, service, window)
                window = LogWindow(since=self._start.at, follow=True)  # what comes later was not there when we began
                await asyncio.sleep(self._pace.look)

    async def _present(self) -> Sequence[Service]:
        try:
            found = await self._engine.services()
        except OutsideError as error:
            self.trouble = error
            return ()
        self.trouble = None
        return [each for each in found if not self._names or each.name in self._names]

    async def _attend(self, group: asyncio.TaskGroup, service: Service, first: LogWindow) -> None:
        """Open what is not open; doubt what is silent."""
        new = service.container_id not in self._tracks
        track = self._tracks.setdefault(service.container_id, _Track())
        if track.task is not None and not track.task.done():
            if not await self._stuck(service, track):
                return
            track.task.cancel()
        elif not (new or service.running or track.broken or service.started_at != track.opened_for):
            return
        self.reconnects += not new
        since = track.seam.since()
        window = first if new else LogWindow(since=self._start.at if since is None else since, follow=True)
        track.opened_for, track.broken, track.heard_at = service.started_at, False, time.monotonic()
        track.task = group.create_task(self._read(service, track, window))

    async def _read(self, service: Service, track: _Track, window: LogWindow) -> None:
        """One stream to its end, which comes when the container stops."""
        try:
            stream = await self._engine.logs(service.container_id, window)
            try:
                given = 0
                async for line in stream:
                    track.heard_at = time.monotonic()
                    if track.seam.passes(line):
                        self._take(line)
                    given += 1
                    if given % _BREATH == 0:
                        await asyncio.sleep(0)
            finally:
                await stream.aclose()
        except NotFound:
            track.broken = False  # it was removed: whatever replaces it has another id
        except OutsideError as error:
            track.broken, self.trouble = True, error

    async def _stuck(self, service: Service, track: _Track) -> bool:
        """Whether the log went on and the stream did not tell: engines have lost one at a rotation."""
        if time.monotonic() - track.heard_at < self._pace.silence:
            return False
        track.heard_at = time.monotonic()
        try:
            stream = await self._engine.logs(service.container_id, LogWindow(tail=1, idle=5))
            last = [line async for line in stream]
        except OutsideError:
            return False
        return any(not track.seam.knows(line) and line.at > self._start.at for line in last)
