"""The worker's side of a Bull 4 queue on plain Redis: add, take, finish, retry, promote, recover stalled jobs, in Bull's own key layout.

Every change of more than one key is one script, so that a reader never sees a job in two states. Knows nothing of what a job does.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

QUEUE = "image generation"
PREFIX = f"bull:{QUEUE}:"
CLIENT_NAME = f"bull:{base64.b64encode(QUEUE.encode()).decode()}"
ATTEMPTS = 3
BACKOFF_MS = 2000
KEEP_COMPLETED = 50
KEEP_FAILED = 20
MOST_STALLS = 1

# KEYS[1] is the prefix everywhere; the other names are made from it.
_ENQUEUE = """
local p = KEYS[1]
local target = redis.call('EXISTS', p .. 'meta-paused') == 1 and p .. 'paused' or p .. 'wait'
local priority = tonumber(ARGV[2])
if priority == 0 then redis.call('LPUSH', target, ARGV[1]) return end
redis.call('ZADD', p .. 'priority', priority, ARGV[1])
local rank = redis.call('ZCOUNT', p .. 'priority', 0, priority)
local length = redis.call('LLEN', target)
local pivot = redis.call('LRANGE', target, math.max(0, length - (rank - 1)), math.max(0, length - (rank - 1)))[1]
if pivot then redis.call('LINSERT', target, 'BEFORE', pivot, ARGV[1]) else redis.call('RPUSH', target, ARGV[1]) end
"""
_BEGIN = """
local p, id = KEYS[1], ARGV[1]
redis.call('SET', p .. id .. ':lock', ARGV[2], 'PX', ARGV[3])
redis.call('SREM', p .. 'stalled', id)
redis.call('ZREM', p .. 'priority', id)
redis.call('HSET', p .. id, 'processedOn', ARGV[4])
"""
_FINISH = """
local p, id, target = KEYS[1], ARGV[1], KEYS[1] .. ARGV[2]
if redis.call('EXISTS', p .. id) == 0 then redis.call('LREM', p .. 'active', -1, id) return 0 end
redis.call('DEL', p .. id .. ':lock')
redis.call('LREM', p .. 'active', -1, id)
redis.call('ZADD', target, ARGV[3], id)
redis.call('HSET', p .. id, ARGV[4], ARGV[5], 'finishedOn', ARGV[3])
redis.call('PUBLISH', target, cjson.encode({jobId = id, val = ARGV[5]}))
for _, old in ipairs(redis.call('ZREVRANGE', target, ARGV[6], -1)) do
  redis.call('ZREM', target, old)
  redis.call('DEL', p .. old, p .. old .. ':logs')
end
return 1
"""
_DELAY = """
local p, id = KEYS[1], ARGV[1]
redis.call('DEL', p .. id .. ':lock')
redis.call('LREM', p .. 'active', -1, id)
redis.call('ZADD', p .. 'delayed', ARGV[2], id)
redis.call('HSET', p .. id, 'delay', ARGV[3])
"""
_DUE = """
local p = KEYS[1]
local id = redis.call('ZRANGEBYSCORE', p .. 'delayed', 0, ARGV[1], 'LIMIT', 0, 1)[1]
if not id then return false end
redis.call('ZREM', p .. 'delayed', id)
redis.call('HSET', p .. id, 'delay', 0)
return id
"""
_STALLED = """
local p = KEYS[1]
if not redis.call('SET', p .. 'stalled-check', ARGV[1], 'PX', ARGV[2], 'NX') then return {} end
local target = redis.call('EXISTS', p .. 'meta-paused') == 1 and p .. 'paused' or p .. 'wait'
local moved = {}
for _, id in ipairs(redis.call('SMEMBERS', p .. 'stalled')) do
  if redis.call('EXISTS', p .. id .. ':lock') == 0 and redis.call('LREM', p .. 'active', 1, id) > 0 then
    if redis.call('HINCRBY', p .. id, 'stalledCounter', 1) > tonumber(ARGV[3]) then
      redis.call('ZADD', p .. 'failed', ARGV[1], id)
      redis.call('HSET', p .. id, 'failedReason', 'job stalled more than allowable limit', 'finishedOn', ARGV[1])
    else
      redis.call('RPUSH', target, id)
      table.insert(moved, id)
    end
  end
end
redis.call('DEL', p .. 'stalled')
for _, id in ipairs(redis.call('LRANGE', p .. 'active', 0, -1)) do redis.call('SADD', p .. 'stalled', id) end
return moved
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job taken by this worker."""

    id: str
    data: Mapping[str, Any]
    attempts_made: int

    @property
    def number(self) -> int:
        """The id as a number; Bull allows ids of any text."""
        return int(self.id) if self.id.isdigit() else zlib.crc32(self.id.encode())


def now_ms() -> int:
    return int(time.time() * 1000)


def job_fields(data: Mapping[str, Any], timestamp: int, priority: int = 0, delay: int = 0) -> dict[str, str]:
    """The hash of a new job, as Bull writes it."""
    options = {
        "attempts": ATTEMPTS,
        "backoff": {"type": "exponential", "delay": BACKOFF_MS},
        "removeOnComplete": KEEP_COMPLETED,
        "removeOnFail": KEEP_FAILED,
        "priority": priority,
        "delay": delay,
        "timestamp": timestamp,
    }
    return {
        "name": "generateImage",
        "data": json.dumps(data, ensure_ascii=False),
        "opts": json.dumps(options),
        "timestamp": str(timestamp),
        "delay": str(delay),
        "priority": str(priority),
    }


def delayed_score(due_ms: int, job_id: int) -> int:
    return due_ms * 4096 + (job_id & 0xFFF)


class BullQueue:
    """One connection's view of the queue. Its methods block; give each thread its own."""

    def __init__(self, url: str, token: str = "sandbox", lock_seconds: float = 30) -> None:  # noqa: S107 - a worker's name, no credential
        # Any: what a call answers depends on decode_responses, which no type tells. No retries: a lost connection must be noticed.
        self.redis: Any = redis.Redis.from_url(url, decode_responses=True, client_name=CLIENT_NAME, retry=Retry(NoBackoff(), 0))
        self._token = token
        self._lock_ms = max(1_000, round(lock_seconds * 1_000))

    def add(self, data: Mapping[str, Any], priority: int = 0) -> str:
        job_id = str(self.redis.incr(f"{PREFIX}id"))
        self.redis.hset(PREFIX + job_id, mapping=dict(job_fields(data, now_ms(), priority)))
        self._run(_ENQUEUE, job_id, priority)
        return job_id

    def take(self, seconds: int) -> Job | None:
        """The next job, locked; None when there is none in time (a paused queue has no ``wait`` list, so nothing comes)."""
        job_id = self.redis.brpoplpush(f"{PREFIX}wait", f"{PREFIX}active", seconds)
        if not job_id:
            return None
        fields = cast("dict[str, str]", self.redis.hgetall(PREFIX + str(job_id)))
        if not fields.get("data"):  # its hash was deleted from outside: nothing to do but let go of it
            self.redis.lrem(f"{PREFIX}active", 1, str(job_id))
            return None
        self._run(_BEGIN, str(job_id), self._token, self._lock_ms, now_ms())
        data = json.loads(fields["data"])
        return Job(str(job_id), data if isinstance(data, dict) else {}, int(fields.get("attemptsMade", "0")))

    def progress(self, job: Job, percent: int) -> None:
        self.redis.set(f"{PREFIX}{job.id}:lock", self._token, px=self._lock_ms, xx=True)
        self.redis.hset(PREFIX + job.id, "progress", str(percent))

    def complete(self, job: Job, value: Mapping[str, Any]) -> None:
        self._run(_FINISH, job.id, "completed", now_ms(), "returnvalue", json.dumps(value), KEEP_COMPLETED)

    def fail(self, job: Job, reason: str, stack: str) -> bool:
        """Count the attempt; True when it was the last, else the job waits twice as long each time."""
        made = job.attempts_made + 1
        self.redis.hset(
            PREFIX + job.id, mapping={"attemptsMade": str(made), "failedReason": reason, "stacktrace": json.dumps([stack] * made)}
        )
        if made >= ATTEMPTS:
            self._run(_FINISH, job.id, "failed", now_ms(), "failedReason", reason, KEEP_FAILED)
            return True
        delay = BACKOFF_MS * (2**made - 1)
        self._run(_DELAY, job.id, delayed_score(now_ms() + delay, job.number), delay)
        return False

    def promote_due(self) -> None:
        """Delayed jobs whose time has come go back to waiting."""
        while job_id := self._run(_DUE, (now_ms() + 1) * 4096 - 1):
            priority = int(cast("str | None", self.redis.hget(PREFIX + str(job_id), "priority")) or 0)
            self._run(_ENQUEUE, str(job_id), priority)

    def recover_stalled(self, interval_ms: int) -> list[str]:
        """Active jobs seen without a lock at the last check too go back to waiting."""
        return cast("list[str]", self._run(_STALLED, now_ms(), interval_ms, MOST_STALLS))

    def counts(self) -> dict[str, int]:
        pipe = self.redis.pipeline()
        for name in ("wait", "paused", "active"):
            pipe.llen(PREFIX + name)
        for name in ("completed", "failed", "delayed"):
            pipe.zcard(PREFIX + name)
        wait, paused, active, completed, failed, delayed = pipe.execute()
        return {"waiting": wait + paused, "active": active, "completed": completed, "failed": failed, "delayed": delayed}

    def _run(self, script: str, *values: object) -> Any:
        return self.redis.eval(script, 1, PREFIX, *[str(value) for value in values])
