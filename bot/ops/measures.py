"""What is measured again and again: for each outside system one question, and its answer as figures. Knows no schedule, no store.

A figure that is not known now is left out, so that it becomes a gap: never a zero that nobody measured.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from bot.errors import NotFound
from bot.ops.bull import BullQueues
from bot.ops.bull_values import QueueStatus
from bot.ops.bundle import Ops
from bot.ops.container_values import Sampled, Service, Usage
from bot.ops.host import Busy, FileSystem
from bot.plain_text import writable
from bot.series import Series

Values = Mapping[Series, float]
HOURLY = 3_600.0
WALK = 60.0
# A rate over a longer gap than this many seconds says nothing about now.
LONGEST_RATE = 600.0
# The walk through all keys that finds the queues is worth doing now and then only.
NAMES_FOR = 300.0


@dataclass(frozen=True, slots=True)
class Source:
    """One system. ``measure`` is asked every ``every`` seconds (0: each round) and given up after ``deadline``."""

    name: str
    measure: Callable[[], Awaitable[Values]]
    deadline: float = 5.0
    every: float = 0.0


def sources(ops: Ops, ticks: Callable[[], float] = time.monotonic) -> tuple[Source, ...]:
    """All there are. ``ticks`` is a clock that never jumps: rates are reckoned by it."""
    return (
        Source("docker", Services(ops, ticks).measure),
        Source("host", Machine(ops).measure),
        Source("redis", lambda: _redis(ops)),
        Source("queues", Queues(lambda: ops.bull, ticks).measure),
        Source("mongodb", lambda: _mongodb(ops)),
        Source("uploads", lambda: _uploads(ops), deadline=WALK + 2, every=HOURLY),
    )


def of_service(name: str, number: int) -> str:
    """A service's name as a subject; a further replica's with its number."""
    return name if number <= 1 else f"{name}#{number}"


class Rates:
    """Counters as amounts per second. A counter that fell began anew: until it was seen twice its rate is not known."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._before: dict[tuple[str, ...], tuple[float, float]] = {}

    def per_second(self, key: tuple[str, ...], count: float) -> float | None:
        """How fast the counter grew since the last time; None when that cannot be known."""
        now = self._ticks()
        then, before = self._before.get(key, (now, count))
        self._before[key] = now, count
        passed = now - then
        return (count - before) / passed if 0 < passed <= LONGEST_RATE and count >= before else None

    def keep(self, first: set[str]) -> None:
        """Forget counters whose key does not begin with one of these: containers that are gone."""
        self._before = {key: value for key, value in self._before.items() if key[0] in first}


class Services:
    """The running containers; each remembers nothing, so the counters of the last round are kept here."""

    def __init__(self, ops: Ops, ticks: Callable[[], float]) -> None:
        self._ops = ops
        self._rates = Rates(ticks)
        self._before: Mapping[str, Sampled] = {}

    async def measure(self) -> Values:
        """Every running container."""
        found = await self._ops.containers.measured(self._before)
        values = {series: value for each in found for series, value in self._figures(each)}
        self._before = {each.service.container_id: each for each in found}
        self._rates.keep(set(self._before))
        return values

    def _figures(self, sampled: Sampled) -> Iterator[tuple[Series, float]]:
        usage, subject = sampled.usage, of_service(sampled.service.name, sampled.service.number)
        plain: dict[str, float] = {
            "memory_bytes": usage.memory_bytes,
            "memory_limit_bytes": usage.memory_limit_bytes,
            "processes": usage.processes,
            "restarts": sampled.service.restarts,
        }
        if usage.cpu_percent is not None:
            plain["cpu_percent"] = usage.cpu_percent
        for figure, value in plain.items():
            yield Series("service", subject, figure), value
        for figure, count in _counters(usage).items():
            rate = self._rates.per_second((usage.container_id, _start(sampled.service), figure), count)
            if rate is not None:
                yield Series("service", subject, figure), rate


def _start(service: Service) -> str:
    return str(service.started_at)


def _counters(usage: Usage) -> dict[str, int]:
    return {
        "network_received_per_s": usage.network_received_bytes,
        "network_sent_per_s": usage.network_sent_bytes,
        "block_read_per_s": usage.block_read_bytes,
        "block_written_per_s": usage.block_written_bytes,
    }


class Machine:
    """The machine and its file systems."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops
        self._busy = Busy()

    async def measure(self) -> Values:
        """Processor since the round before, the rest as of now."""
        host = await self._ops.host.status(self._busy)
        figures = {
            "cpu_percent": host.cpu_percent,
            "memory_percent": host.memory_percent,
            "memory_available_bytes": host.memory_available,
            "load_1m": host.load[0],
            "swap_used_bytes": host.swap_used,
        }
        values = {Series("host", "", figure): float(value) for figure, value in figures.items()}
        for entry in host.file_systems:
            values.update({Series("disk", writable(entry.path), figure): value for figure, value in _disk(entry).items()})
        return values


def _disk(entry: FileSystem) -> dict[str, float]:
    figures: dict[str, float] = {"percent": entry.percent, "used_bytes": entry.used_bytes, "free_bytes": entry.free_bytes}
    return figures if entry.inodes_percent is None else {**figures, "inodes_percent": entry.inodes_percent}


class Queues:
    """Every Bull queue. Which there are is asked anew every few minutes, since that walks through all keys."""

    def __init__(self, bull: Callable[[], BullQueues], ticks: Callable[[], float], clock: Callable[[], float] = time.time) -> None:
        self._bull = bull
        self._ticks = ticks
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._named_at = float("-inf")
        self._asked: dict[str, float] = {}

    async def measure(self) -> Values:
        """Counts, how long the oldest waiting job waits (0 when none does), and how many ended since the round before."""
        bull = self._bull()
        if not self._names or self._ticks() - self._named_at > NAMES_FOR:
            self._names, self._named_at = await bull.names(), self._ticks()
        values: dict[Series, float] = {}
        for name in self._names:
            try:
                figures = {**_queue(await bull.queue(name), self._clock()), **await self._ended(bull, name)}
            except NotFound:
                self._named_at = float("-inf")
                continue
            values.update({Series("queue", writable(name), figure): value for figure, value in figures.items()})
        self._asked = {name: at for name, at in self._asked.items() if name in self._names}
        return values

    async def _ended(self, bull: BullQueues, name: str) -> dict[str, float]:
        """Jobs per minute since the round before; where Bull let some of them go already, since the moment it kept all of them."""
        now = self._clock()
        since, self._asked[name] = self._asked.get(name, now), now
        if not 0 < now - since <= LONGEST_RATE:
            return {}
        ended = await bull.finished_since(name, since)
        if ended.whole_since is None or ended.whole_since >= now:
            return {}
        minutes = (now - max(since, ended.whole_since)) / 60
        return {"finished_per_min": (ended.completed + ended.failed) / minutes, "failed_per_min": ended.failed / minutes}


def _queue(status: QueueStatus, now: float) -> dict[str, float]:
    oldest = status.oldest_waiting_at
    return {
        "waiting": status.waiting + status.paused,
        "active": status.active,
        "delayed": status.delayed,
        "failed": status.failed,
        "stalled": status.stalled,
        "oldest_waiting_s": 0.0 if oldest is None else max(0.0, now - oldest),
    }


async def _redis(ops: Ops) -> Values:
    info = await ops.redis.info()
    figures = {
        "used_memory": info.used_memory,
        "fragmentation": info.fragmentation,
        "clients": info.clients,
        "ops_per_sec": info.ops_per_sec,
        "keys": info.keys,
        "evicted_keys": info.evicted_keys,
    }
    return {Series("redis", "", figure): float(value) for figure, value in figures.items()}


async def _mongodb(ops: Ops) -> Values:
    ping, database = await ops.mongo.ping(), await ops.mongo.stats()
    figures = {"data_bytes": database.data_bytes, "storage_bytes": database.storage_bytes}
    if ping.full:  # else the account may not ask, and what it was not told is no zero
        figures |= {"connections": ping.connections, "resident_bytes": ping.resident_bytes, "cache_bytes": ping.cache_bytes}
    return {Series("mongodb", "", figure): float(value) for figure, value in figures.items()}


async def _uploads(ops: Ops) -> Values:
    """A walk that did not come to its end says nothing of the whole."""
    usage = await ops.uploads.usage(WALK)
    if usage.partial:
        return {}
    return {Series("uploads", "", "bytes"): usage.total.bytes, Series("uploads", "", "files"): usage.total.count}
