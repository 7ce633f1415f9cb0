"""The jobs of Bull's queues: where each is by Bull's own rule, a page of one state, one job in full, why jobs failed.

Knows Bull's keys in Redis. Reads only; bounded in work and memory whatever the jobs carry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

import redis.asyncio

from bot.ops.bounded import within
from bot.ops.bull_read import DETAIL, LONG_TEXT, READ, SUMMARY, Hash, arguments, hash_of, job_of, stack_of, whole
from bot.ops.bull_values import PLACES, SORTED_SETS, JobDetail, JobPage, QueueKeys, Where
from bot.ops.redis_errors import REDIS

ACTIVE_AT_MOST = 1000
REASONS_AT_MOST = 1000
LOCK_GRACE = 0.05
_AT_ONCE = 100
# Finding an id in a list walks it, and nobody else is served meanwhile.
_SOUGHT_AT_ONCE = 10
_LISTED = tuple(place for place in PLACES if place not in SORTED_SETS)
_SORTED = tuple(place for place in PLACES if place in SORTED_SETS)


class BullJobs:
    """The jobs of every queue that ``client`` reaches. ``deadline`` (seconds) bounds each question."""

    def __init__(self, client: redis.asyncio.Redis, deadline: float) -> None:
        self._client = client
        self._deadline = deadline

    async def page(self, name: str, state: str, start: int, count: int) -> JobPage:
        """``count`` jobs of one state (``stalled`` too) from ``start``: what comes next first, of finished ones the newest first."""
        keys = QueueKeys(name)
        async with within(REDIS, self._deadline):
            total, found = await self._ids(keys, state, start, count)
            rows = await self._read(keys, [job for job, _ in found], SUMMARY)
        shown = "active" if state == "stalled" else state
        jobs = (job_of((name, job, shown), row, SUMMARY, score) for (job, score), row in zip(found, rows, strict=True))
        return JobPage(total, tuple(jobs))

    async def where(self, name: str, ids: Sequence[str]) -> tuple[Where, ...]:
        """Where each of these jobs is, as Bull's ``getState`` looks for it, but all places of one at one moment."""
        keys = QueueKeys(name)
        async with within(REDIS, self._deadline):
            slices = [ids[at : at + _SOUGHT_AT_ONCE] for at in range(0, len(ids), _SOUGHT_AT_ONCE)]
            return tuple([where for each in slices for where in await self._where(keys, each)])

    async def holders(self, names: Sequence[str], job: str) -> dict[str, Where]:
        """The queues that know a job of this id, and where it is there."""
        found = {name: (await self.where(name, [job]))[0] for name in names}
        return {name: where for name, where in found.items() if where.known}

    async def job(self, name: str, job: str) -> JobDetail | None:
        """One job in full; None when the queue knows none of this id."""
        keys = QueueKeys(name)
        (where,) = await self.where(name, [job])
        if not where.known:
            return None
        async with within(REDIS, self._deadline):
            (row,) = await self._read(keys, [job], DETAIL)
            pipe = self._client.pipeline(transaction=False)
            pipe.exists(keys.key(f"{job}:lock"))
            pipe.zscore(keys.key("delayed"), job)
            pipe.type(keys.key(f"{job}:logs"))
            locked, score, kind = await pipe.execute()
            logs = int(await self._answer(self._client.llen(keys.key(f"{job}:logs")))) if kind == "list" else 0
        return JobDetail(
            job=job_of((name, job, where.place or "stuck"), row, DETAIL, score),
            locked=bool(locked),
            priority=whole(row.text("priority")),
            log_lines=logs,
            stack=stack_of(row.text("stacktrace")),
            data=row.text("data"),
            data_cut=row.cut("data", DETAIL),
        )

    async def failed_reasons(self, name: str, at_most: int = REASONS_AT_MOST) -> tuple[int, list[tuple[str, str]]]:
        """How many jobs have failed, and (id, reason) of the newest of them.

        The reasons are the application's wording: redact them. One whose hash is gone has an empty one.
        """
        keys, fields = QueueKeys(name), {"failedReason": LONG_TEXT}
        async with within(REDIS, self._deadline):
            total, found = await self._ids(keys, "failed", 0, at_most)
        reasons: list[tuple[str, str]] = []
        for at in range(0, len(found), _AT_ONCE):
            ids = [job for job, _ in found[at : at + _AT_ONCE]]
            async with within(REDIS, self._deadline):
                rows = await self._read(keys, ids, fields)
            reasons += [(job, row.text("failedReason")) for job, row in zip(ids, rows, strict=True)]
        return total, reasons

    async def stalled(self, keys: QueueKeys) -> list[str]:
        """Active jobs without a lock, the oldest first. A worker takes the job first and the lock a moment later: so look twice."""
        without = await self._unlocked(keys, await self._active(keys))
        if not without:
            return []
        await asyncio.sleep(LOCK_GRACE)
        still = set(await self._active(keys))
        return await self._unlocked(keys, [job for job in without if job in still])

    async def _active(self, keys: QueueKeys) -> list[str]:
        return [str(job) for job in await self._answer(self._client.lrange(keys.key("active"), -ACTIVE_AT_MOST, -1))][::-1]

    async def _unlocked(self, keys: QueueKeys, ids: Sequence[str]) -> list[str]:
        pipe = self._client.pipeline(transaction=False)
        for job in ids:
            pipe.exists(keys.key(f"{job}:lock"))
        return [job for job, locked in zip(ids, await pipe.execute(), strict=True) if not locked]

    async def _ids(self, keys: QueueKeys, state: str, start: int, count: int) -> tuple[int, list[tuple[str, float | None]]]:
        if state == "stalled":
            stalled = await self.stalled(keys)
            return len(stalled), [(job, None) for job in stalled[start : start + count]]
        key = keys.key(PLACES[state])
        pipe = self._client.pipeline(transaction=True)
        if state in SORTED_SETS:
            pipe.zcard(key)
            pipe.zrange(key, start, start + count - 1, desc=state != "delayed", withscores=True)
            total, scored = await pipe.execute()
            return int(total), [(str(job), float(score)) for job, score in scored]
        # The next one is taken from the right end.
        pipe.llen(key)
        pipe.lrange(key, -(start + count), -(start + 1))
        total, ids = await pipe.execute()
        return int(total), [(str(job), None) for job in reversed(ids)]

    async def _where(self, keys: QueueKeys, ids: Sequence[str]) -> list[Where]:
        pipe = self._client.pipeline(transaction=True)
        for job in ids:
            for place in _SORTED:
                pipe.zscore(keys.key(PLACES[place]), job)
            for place in _LISTED:
                pipe.lpos(keys.key(PLACES[place]), job)
            pipe.type(keys.key(job))
        answers = await pipe.execute()
        width = len(PLACES) + 1
        return [_where(answers[at : at + width]) for at in range(0, len(answers), width)]

    async def _read(self, keys: QueueKeys, ids: Sequence[str], fields: Mapping[str, int]) -> list[Hash]:
        if not ids:
            return []
        named = [keys.key(job) for job in ids]
        rows = await self._answer(self._client.eval(READ, len(named), *named, *arguments(fields)))
        return [hash_of(row, fields) for row in rows]

    @staticmethod
    async def _answer(asked: Any) -> Any:
        """An answer of the client, whose types say that it may not be one to wait for."""
        return await cast(Awaitable[Any], asked)


def _where(found: Sequence[Any]) -> Where:
    """The first place that holds it, in Bull's order."""
    *held, kind = found
    place = next((name for name, position in zip((*_SORTED, *_LISTED), held, strict=True) if position is not None), "")
    return Where(place, str(kind))
