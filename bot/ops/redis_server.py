"""The Redis server itself: whether it answers, its memory, persistence and clients. Knows nothing of queues."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.ops.bounded import within
from bot.ops.redis_errors import REDIS, connect
from bot.ops.redis_keys import KeyReport, census
from bot.ops.redis_slowlog import SlowLog, slow_log

LOSSLESS_POLICY = "noeviction"
# Below this much memory the ratio of what the system gave and what is used tells nothing: a few free pages make it large.
FRAGMENTATION_MATTERS_FROM = 64 * 1024 * 1024
FRAGMENTED, SWAPPED = 1.5, 0.9
MEMORY_POLICIES_THAT_KEEP_QUEUES = frozenset({LOSSLESS_POLICY, "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"})


@dataclass(frozen=True, slots=True)
class RedisInfo:
    """The server at one moment. Sizes in bytes, times in seconds; ``last_save`` since the epoch; ``latency_ms`` of a PING.

    ``maxmemory`` 0 means no limit. ``policy_ok_for_bull`` is false when a full server would drop queue data: Bull's keys
    have no expiry except its locks, so ``allkeys-*`` loses jobs and ``volatile-*`` only locks; ``policy_recommended`` is
    true for ``noeviction`` alone.
    """

    version: str
    uptime_s: int
    used_memory: int
    used_memory_rss: int
    used_memory_peak: int
    maxmemory: int
    policy: str
    policy_ok_for_bull: bool
    policy_recommended: bool
    fragmentation: float
    aof_enabled: bool
    aof_last_write_ok: bool
    last_save: float
    last_save_ok: bool
    changes_since_save: int
    loading: bool
    clients: int
    blocked_clients: int
    ops_per_sec: int
    evicted_keys: int
    rejected_connections: int
    keys: int
    role: str
    latency_ms: float

    @property
    def memory_percent(self) -> float | None:
        """Share of the limit in use; None without a limit."""
        return 100 * self.used_memory / self.maxmemory if self.maxmemory else None

    @property
    def fragmentation_verdict(self) -> str:
        """``small`` (too little memory to tell), ``swapped`` (less in memory than is used), ``high`` or ``good``."""
        if self.used_memory < FRAGMENTATION_MATTERS_FROM:
            return "small"
        if self.fragmentation < SWAPPED:
            return "swapped"
        return "high" if self.fragmentation >= FRAGMENTED else "good"


class RedisServer:
    """One Redis server at ``url`` (``redis://:password@host:port/0``). ``deadline`` (seconds) bounds each question."""

    def __init__(self, url: str, deadline: float = 2.5) -> None:
        self._client = connect(url, deadline)
        self._deadline = deadline

    async def ping(self) -> float:
        """How long the server takes to answer, in milliseconds."""
        async with within(REDIS, self._deadline):
            return await self._latency()

    async def info(self) -> RedisInfo:
        """The server at this moment."""
        async with within(REDIS, self._deadline):
            latency = await self._latency()
            answer = await self._client.info()
            keys = await self._client.dbsize()
        return info_from(answer, int(keys), latency)

    async def slow_log(self, limit: int) -> SlowLog:
        """The newest slow commands, without what users typed."""
        async with within(REDIS, self._deadline):
            return await slow_log(self._client, limit)

    async def key_families(self, seconds: float, on_page: Callable[[int, int], None]) -> KeyReport:
        """What fills the server, by families of keys; looked at for so many seconds at most."""
        return await census(self._client, self._deadline, seconds, on_page)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _latency(self) -> float:
        await self._client.ping()
        started = time.perf_counter()
        await self._client.ping()
        return (time.perf_counter() - started) * 1000


def info_from(answer: Mapping[str, Any], keys: int, latency_ms: float) -> RedisInfo:
    """``INFO`` as our value; what an older server does not say is 0, or well."""
    policy = str(answer.get("maxmemory_policy", ""))
    return RedisInfo(
        version=str(answer.get("redis_version", "")),
        uptime_s=int(answer.get("uptime_in_seconds", 0)),
        used_memory=int(answer.get("used_memory", 0)),
        used_memory_rss=int(answer.get("used_memory_rss", 0)),
        used_memory_peak=int(answer.get("used_memory_peak", 0)),
        maxmemory=int(answer.get("maxmemory", 0)),
        policy=policy,
        policy_ok_for_bull=policy in MEMORY_POLICIES_THAT_KEEP_QUEUES,
        policy_recommended=policy == LOSSLESS_POLICY,
        fragmentation=float(answer.get("mem_fragmentation_ratio", 0.0)),
        aof_enabled=bool(int(answer.get("aof_enabled", 0))),
        aof_last_write_ok=answer.get("aof_last_write_status", "ok") == "ok",
        last_save=float(answer.get("rdb_last_save_time", 0)),
        last_save_ok=answer.get("rdb_last_bgsave_status", "ok") == "ok",
        changes_since_save=int(answer.get("rdb_changes_since_last_save", 0)),
        loading=bool(int(answer.get("loading", 0))),
        clients=int(answer.get("connected_clients", 0)),
        blocked_clients=int(answer.get("blocked_clients", 0)),
        ops_per_sec=int(answer.get("instantaneous_ops_per_sec", 0)),
        evicted_keys=int(answer.get("evicted_keys", 0)),
        rejected_connections=int(answer.get("rejected_connections", 0)),
        keys=keys,
        role=str(answer.get("role", "")),
        latency_ms=latency_ms,
    )
