"""Every job of a queue, whatever its state, and all that Redis holds of it, byte for byte: to judge it, and to write it down.

Knows Bull's keys in Redis. What jobs carry, prompts and keys, leaves here: for judging and for archives, and for nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio

from bot.ops.bounded import within
from bot.ops.bull_values import PLACES, SORTED_SETS, QueueKeys
from bot.ops.redis_errors import REDIS

_AT_ONCE = 100
# So much is fetched at once, but always one job at least.
MOST_BYTES = 8 << 20
# Of an id list so much is fetched at once that a queue of a million takes some seconds, not one long answer.
_LONG = 10.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a job is: Bull's word for its list; its score, or how many of its list are taken before it."""

    job: str
    place: str
    score: float | None = None
    ahead: int | None = None


@dataclass(frozen=True, slots=True)
class WholeJob:
    """A job's hash, its log, and its priority's score. Odd bytes are kept by ``surrogateescape``."""

    placed: Placed
    fields: Mapping[str, str] = field(repr=False)
    logs: Sequence[str] = field(repr=False)
    priority: float | None = None


class WholeJobs:
    """The jobs of every queue that ``client`` reaches. ``deadline`` (seconds) bounds each question."""

    def __init__(self, client: redis.asyncio.Redis, deadline: float) -> None:
        self._client: Any = client
        self._deadline = deadline

    async def placed(self, name: str) -> list[Placed]:
        """Every job that is in a list, all at one moment."""
        pipe, keys = self._client.pipeline(transaction=True), QueueKeys(name)
        for state, place in PLACES.items():
            if state in SORTED_SETS:
                pipe.zrange(keys.key(place), 0, -1, withscores=True)
            else:
                pipe.lrange(keys.key(place), 0, -1)
        async with within(REDIS, max(_LONG, self._deadline)):
            answers = await pipe.execute()
        return [placed for (state, place), answer in zip(PLACES.items(), answers, strict=True) for placed in _placed(state, place, answer)]

    async def data(self, name: str, ids: Sequence[str]) -> AsyncIterator[list[tuple[str, str | None]]]:
        """(id, what it carries) of these jobs, some at a time; None when there is nothing."""
        keys = QueueKeys(name)
        async for some in self._bounded(keys, ids):
            pipe = self._client.pipeline(transaction=False)
            for job in some:
                pipe.hget(keys.key(job), "data")
            async with within(REDIS, max(_LONG, self._deadline)):
                yield list(zip(some, await pipe.execute(), strict=True))

    async def whole(self, name: str, jobs: Sequence[Placed]) -> AsyncIterator[list[WholeJob]]:
        """All of these jobs that are still there, some at a time."""
        keys, places = QueueKeys(name), {each.job: each for each in jobs}
        async for some in self._bounded(keys, list(places)):
            pipe = self._client.pipeline(transaction=True)
            for job in some:
                pipe.hgetall(keys.key(job))
                pipe.lrange(keys.key(f"{job}:logs"), 0, -1)
                pipe.zscore(keys.key("priority"), job)
            async with within(REDIS, max(_LONG, self._deadline)):
                answers = await pipe.execute()
            rows = zip(some, answers[::3], answers[1::3], answers[2::3], strict=True)
            yield [WholeJob(places[job], fields, logs, score) for job, fields, logs, score in rows if fields]

    async def _bounded(self, keys: QueueKeys, ids: Sequence[str]) -> AsyncIterator[list[str]]:
        """The ids that are jobs, in slices that are not too big to be fetched."""
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            pipe = self._client.pipeline(transaction=False)
            for job in some:
                pipe.type(keys.key(job))
                pipe.memory_usage(keys.key(job), samples=0)
            async with within(REDIS, self._deadline):
                answers = await pipe.execute()
            hashes = [(job, int(size or 0)) for job, kind, size in zip(some, answers[::2], answers[1::2], strict=True) if kind == "hash"]
            for group in _groups(hashes):
                yield group


def _groups(sized: Sequence[tuple[str, int]]) -> list[list[str]]:
    found, room = list[list[str]](), 0
    for job, size in sized:
        if size > room:
            found.append([])
            room = MOST_BYTES
        found[-1].append(job)
        room -= size
    return found


def _placed(state: str, place: str, answer: Sequence[Any]) -> list[Placed]:
    if state in SORTED_SETS:
        return [Placed(str(job), place, score=float(score)) for job, score in answer]
    return [Placed(str(job), place, ahead=len(answer) - at - 1) for at, job in enumerate(answer)]
