"""Bull's queues as Bull 4 itself sees them: counts, pause and resume, throughput, retrying, waiting for active jobs to end.

Knows Bull's keys in Redis; nothing of MongoDB or of what the jobs do. Job data holds prompts and keys: none leaves here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from bot.errors import NotFound
from bot.ops.bounded import within
from bot.ops.bull_aside import BullAside
from bot.ops.bull_finished import finished
from bot.ops.bull_jobs import BullJobs
from bot.ops.bull_names import QueueNames
from bot.ops.bull_read import seconds
from bot.ops.bull_retry import Retried, retry
from bot.ops.bull_snapshot import QueueLines
from bot.ops.bull_values import QUEUE_KEYS, Finished, QueueKeys, QueueStatus
from bot.ops.bull_whole import WholeJobs
from bot.ops.redis_errors import REDIS, connect

# The whole change in one step, as workers and producers look at the same keys all the time. Bull renames one list to the
# other and so drops what is in the target; here what is in the target stays first in line.
SWITCH = """
local source, target = KEYS[1], KEYS[2]
if redis.call('EXISTS', target) == 0 then
  if redis.call('EXISTS', source) == 1 then redis.call('RENAME', source, target) end
else
  while redis.call('RPOPLPUSH', source, target) do end
end
if ARGV[1] == 'paused' then
  redis.call('SET', KEYS[3], 1)
  redis.call('HSET', KEYS[4], 'paused', 1)
else
  redis.call('DEL', KEYS[3])
  redis.call('HDEL', KEYS[4], 'paused')
end
redis.call('PUBLISH', KEYS[5], ARGV[1])
return redis.call('LLEN', target)
"""

Report = Callable[[int], Awaitable[None]]


class BullQueues:
    """All Bull queues of the Redis at ``url``, and their jobs. ``deadline`` (seconds) bounds each question."""

    def __init__(self, url: str, deadline: float = 2.5) -> None:
        self._client = connect(url, deadline)
        self._deadline = deadline
        self._queue_names = QueueNames(self._client)
        self.jobs = BullJobs(self._client, deadline)
        self.lines = QueueLines(self._client, deadline)
        self.aside = BullAside(self._client, deadline)
        self.whole = WholeJobs(self._client, deadline)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def names(self) -> tuple[str, ...]:
        """The queues there are, sorted. Walks the keys with SCAN, so the server never stops for it."""
        async with within(REDIS, self._deadline):
            return await self._queue_names.walked()

    async def queues(self) -> tuple[QueueStatus, ...]:
        """The state of every queue. Among very many keys a queue that is new is seen within a minute."""
        async with within(REDIS, self._deadline):
            names = await self._queue_names.known()
            return tuple(await asyncio.gather(*(self._status(QueueKeys(name)) for name in names)))

    async def queue(self, name: str) -> QueueStatus:
        """The state of one queue; NotFound when there is none of that name."""
        async with within(REDIS, self._deadline):
            await self._require(name)
            return await self._status(QueueKeys(name))

    async def pause(self, name: str) -> int:
        """Let no worker take a new job; active ones go on. Returns how many jobs wait. Pausing twice changes nothing."""
        return await self._switch(name, "wait", "paused", "paused")

    async def resume(self, name: str) -> int:
        """Let workers take jobs again. Returns how many jobs wait."""
        return await self._switch(name, "paused", "wait", "resumed")

    async def finished_since(self, name: str, since: float) -> Finished:
        """Jobs of one queue that ended after ``since``, as far as Bull keeps them; cheap enough to ask every few seconds."""
        async with within(REDIS, self._deadline):
            return await finished(self._client, QueueKeys(name), since)

    async def retry(self, name: str, ids: Sequence[str]) -> dict[str, Retried]:
        """Put failed jobs back in line as Bull does, all in one step: a hundred at most, so that the server never stops for it."""
        return await retry(self._client, self._deadline, name, ids)

    async def drain(self, name: str, deadline: float, poll: float = 1.0, on_progress: Report | None = None) -> int:
        """Wait until no job is active, at most ``deadline`` seconds; how many still are. Pause first, or it may never end."""
        ends = time.monotonic() + deadline
        before = -1
        while True:
            async with within(REDIS, self._deadline):
                remaining = int(await self._client.llen(QueueKeys(name).key("active")))
            if on_progress is not None and remaining != before:
                await on_progress(remaining)
            before = remaining
            left = ends - time.monotonic()
            if remaining == 0 or left <= 0:
                return remaining
            await asyncio.sleep(min(poll, left))

    async def _switch(self, name: str, source: str, target: str, word: str) -> int:
        keys = QueueKeys(name)
        named = [keys.key(part) for part in (source, target, "meta-paused", "meta", word)]
        async with within(REDIS, self._deadline):
            await self._require(name)
            return int(await self._client.eval(SWITCH, len(named), *named, word))

    async def _require(self, name: str) -> None:
        """NotFound when no key proves the queue: pausing a name mistyped would make a queue of it."""
        keys = QueueKeys(name)
        if not await self._client.exists(*(keys.key(part) for part in QUEUE_KEYS)):
            raise NotFound("redis", name)

    async def _status(self, keys: QueueKeys) -> QueueStatus:
        pipe = self._client.pipeline(transaction=True)
        for part in ("wait", "active", "paused"):
            pipe.llen(keys.key(part))
        for part in ("delayed", "completed", "failed", "priority"):
            pipe.zcard(keys.key(part))
        pipe.exists(keys.key("meta-paused"))
        pipe.hexists(keys.key("meta"), "paused")
        waiting, active, paused, delayed, completed, failed, prioritised, marked, marked_too = await pipe.execute()
        return QueueStatus(
            name=keys.name,
            waiting=waiting,
            active=active,
            delayed=delayed,
            completed=completed,
            failed=failed,
            paused=paused,
            is_paused=bool(marked or marked_too),
            stalled=len(await self.jobs.stalled(keys)) if active else 0,
            oldest_waiting_at=await self._oldest(keys, prioritised) if waiting or paused else None,
        )

    async def _oldest(self, keys: QueueKeys, prioritised: int) -> float | None:
        """The next job is at the right end, and so is the oldest of its kind; behind all with a priority comes the
        oldest without one. Looking at these two ends of each list is enough to be right within one priority."""
        pipe = self._client.pipeline(transaction=False)
        for part in ("wait", "paused"):
            pipe.lindex(keys.key(part), -1)
            pipe.lindex(keys.key(part), -1 - prioritised)
        ids = {job for job in await pipe.execute() if job is not None}
        for job in ids:
            pipe.hget(keys.key(job), "timestamp")
        stamps = [seconds(stamp) for stamp in await pipe.execute()]
        return min((stamp for stamp in stamps if stamp is not None), default=None)
