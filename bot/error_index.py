"""The index of errors: reads what is new in the services' logs every minute, and keeps what it found longer than the logs last.

Knows neither how a log is read nor what an error looks like; nothing unredacted is kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from bot.errors import OutsideError, RecordUnwritable
from bot.ops.container_values import Service
from bot.ops.error_log import ErrorGroup, ErrorGrouper
from bot.ops.log_position import LogPosition
from bot.ops.log_text import LogText
from bot.services import CaughtUp
from bot.store import error_rows
from bot.store.codec import dumps, loads
from bot.store.engine import Store
from bot.store.error_rows import FORGOTTEN_AFTER, HOUR, MINUTE, FoundErrors, IndexedErrors, Losses, Reading

_LOG = logging.getLogger("vcc.errors")
EVERY = 60.0
PATIENCE, MOST_PATIENCE = 45.0, 900.0
AGE_EVERY = 3_600.0
BUCKETS_AT_MOST = 50_000
_DAY = 86_400
_TRIES = 3
_EXAMPLE, _TRACE_LINE = 600, 300


class ErrorLogs(Protocol):
    """Where errors are read."""

    async def errors(
        self,
        service: Service,
        grouper: ErrorGrouper,
        *,
        since: float | None = None,
        until: float | None = None,
        after: LogPosition | None = None,
    ) -> LogPosition:
        """Feed them to ``grouper``; where it got to."""


class CountingGrouper(ErrorGrouper):
    """Counts by the minute too, and by larger spans when there are too many of those: bounded however long the log."""

    def __init__(self, buckets_at_most: int = BUCKETS_AT_MOST) -> None:
        super().__init__()
        self._buckets_at_most = buckets_at_most
        self._span = MINUTE
        self._counts: dict[tuple[str, int], int] = {}

    def counted(self, fingerprint: str, at: float) -> None:
        """One more error in its span."""
        key = (fingerprint, int(at) // self._span * self._span)
        self._counts[key] = self._counts.get(key, 0) + 1
        if len(self._counts) > self._buckets_at_most and self._span < _DAY:
            self._coarsen()

    def _coarsen(self) -> None:
        self._span = HOUR if self._span == MINUTE else _DAY
        finer, self._counts = self._counts, {}
        for (fingerprint, begin), count in finer.items():
            key = (fingerprint, begin // self._span * self._span)
            self._counts[key] = self._counts.get(key, 0) + count

    def found(self, text: LogText) -> list[FoundErrors]:
        """All that was counted, fit to be kept."""
        counts: dict[str, dict[tuple[int, int], int]] = {}
        for (fingerprint, begin), count in self._counts.items():
            counts.setdefault(fingerprint, {})[(begin, self._span)] = count
        return [_kept(group, text, counts[group.fingerprint]) for group in self.groups(known=True)]


def _kept(group: ErrorGroup, text: LogText, counts: dict[tuple[int, int], int]) -> FoundErrors:
    trace = tuple(text.line(line, _TRACE_LINE) for line in group.trace)
    example = text.line(group.newest_example, _EXAMPLE)
    return FoundErrors(group.fingerprint, group.kind.value, example, trace, group.first_seen, group.last_seen, counts)


class ErrorIndex:
    """``present`` lists the containers there are now. Reads beside others on the same store: what one has read the other leaves."""

    def __init__(
        self,
        store: Store,
        present: Callable[[], Awaitable[Sequence[Service]]],
        logs: ErrorLogs,
        text: LogText,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._present = present
        self._logs = logs
        self._text = text
        self._clock = clock
        self._turns: dict[str, asyncio.Lock] = {}
        self._patience: dict[str, float] = {}
        self._aged_at = 0.0

    async def run(self, every: float = EVERY) -> None:
        """Catch up with every container now and then, until cancelled; one that takes long keeps no other waiting."""
        reading: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                containers = await self._containers()
                for service in containers:
                    if service.container_id not in reading or reading[service.container_id].done():
                        reading[service.container_id] = asyncio.create_task(self._in_background(service))
                        reading[service.container_id].add_done_callback(_tell_failure)
                if containers:
                    self._forget_gone({service.container_id for service in containers}, reading)
                await self._age()
                await asyncio.sleep(every)
        finally:
            for task in reading.values():
                task.cancel()
            await asyncio.gather(*reading.values(), return_exceptions=True)

    async def _containers(self) -> Sequence[Service]:
        try:
            return await self._present()
        except OutsideError as error:
            _LOG.info("no logs are read: %s", error)
            return ()

    def _forget_gone(self, present: set[str], reading: dict[str, asyncio.Task[None]]) -> None:
        for gone in [each for each in reading if each not in present and reading[each].done()]:
            reading.pop(gone)
            self._turns.pop(gone, None)
            self._patience.pop(gone, None)

    async def _in_background(self, service: Service) -> None:
        container, patience = service.container_id, self._patience.get(service.container_id, PATIENCE)
        try:
            caught = await self.catch_up((service,), patience)
        except RecordUnwritable as error:
            _LOG.warning("what was found in the log of %s could not be kept: %s", service.container_name, error.detail)
            return
        if caught.late:  # the more there is to read, the longer it may take the next time
            self._patience[container] = min(MOST_PATIENCE, patience * 2)
            _LOG.warning("the log of %s was not read within %.0f s", service.container_name, patience)
        else:
            self._patience.pop(container, None)

    async def _age(self) -> None:
        now = self._clock()
        if now - self._aged_at < AGE_EVERY:
            return
        try:
            await self._store.write(lambda db: error_rows.age(db, now))
            self._aged_at = now
        except RecordUnwritable as error:
            _LOG.warning("the index of errors was not tidied: %s", error.detail)

    async def catch_up(self, services: Sequence[Service], seconds: float) -> CaughtUp:
        """Read what is new in these logs, each within so many seconds. What cannot be read is told; RecordUnwritable is raised."""
        caught = CaughtUp()
        ended = await asyncio.gather(*(self._caught(service, seconds, caught) for service in services), return_exceptions=True)
        for failure in ended:
            if isinstance(failure, BaseException):
                raise failure
        return caught

    async def _caught(self, service: Service, seconds: float, caught: CaughtUp) -> None:
        try:
            async with asyncio.timeout(seconds), self._turns.setdefault(service.container_id, asyncio.Lock()):
                lines = await self._read_on(service)
                caught.lines += lines
        except OutsideError as error:
            caught.failed[service.container_id] = error
        except TimeoutError:
            caught.late.add(service.container_id)

    async def _read_on(self, service: Service) -> int:
        """Lines read since the last time. Whoever was overtaken by another program looks again from where that one got to."""
        lines = 0
        for _ in range(_TRIES):
            before, at = await self._store.read(lambda db: error_rows.position(db, service.container_id))
            grouper = CountingGrouper()
            place = _place(before)
            # Rather a few lines twice, or not at all, than a whole log once again.
            since = None if place else at or self._clock() - FORGOTTEN_AFTER
            after = await self._logs.errors(service, grouper, since=since, after=place)
            lines += grouper.lines
            if await self._keep(service, before, after, grouper):
                break
        return lines

    async def _keep(self, service: Service, before: str, after: LogPosition, grouper: CountingGrouper) -> bool:
        found = await asyncio.to_thread(grouper.found, self._text)
        position = dumps(replace(after, gap=False).to_json())
        reading = Reading(service.name, service.container_id, before, position, self._clock(), found, grouper.overflow, after.gap)
        return await self._store.write(lambda db: error_rows.add(db, reading))

    async def groups(self, names: Sequence[str], since: float) -> Sequence[IndexedErrors]:
        """The errors of these services since then, most frequent first."""
        return await self._store.read(lambda db: error_rows.groups(db, names, since))

    async def losses(self, names: Sequence[str], since: float) -> Losses:
        """What is missing of these services."""
        return await self._store.read(lambda db: error_rows.losses(db, names, since))

    async def services(self) -> Sequence[str]:
        """Every service that was ever read, also those that are no more."""
        return await self._store.read(error_rows.services)


def _tell_failure(task: asyncio.Task[None]) -> None:
    """A log that we cannot make sense of is tried again a minute later, and keeps no other from being read."""
    if not task.cancelled() and task.exception() is not None:
        _LOG.error("reading a log broke", exc_info=task.exception())


def _place(before: str) -> LogPosition | None:
    """None for none, and for one that only a newer program understands."""
    with contextlib.suppress(ValueError):
        return LogPosition.from_json(loads(before)) if before else None
    return None
