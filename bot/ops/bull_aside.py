"""Jobs out of Bull's sight without being lost: moved to keys of the bot's own, put back exactly, or forgotten for good.

Knows Bull's keys in Redis; nothing of why a job goes. What is aside is found again after a crash, without a look at every key.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio
import redis.exceptions

from bot.errors import TimedOut
from bot.ops.bounded import within
from bot.ops.bull_aside_scripts import GONE, LINES, RETURN, SETS, TAKE
from bot.ops.bull_jobs import LOCK_GRACE
from bot.ops.bull_line import Stood, rejoined
from bot.ops.bull_values import QueueKeys
from bot.ops.redis_errors import REDIS, SYSTEM

INDEX = "vccbot:aside"
_AT_ONCE = 100
_IDS_AT_ONCE = 1000
# The ids of a line of a million take some seconds, not one long answer.
_LONG = 10.0
# So long a line that others change all the time is tried to be put together again.
REJOINED_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class AsideKeys:
    """Our keys of one queue under one mark. The length of the name comes first, so that no queue's keys begin with another's."""

    mark: str
    name: str

    @property
    def field(self) -> str:
        """In the index; a mark has no colon."""
        return f"{self.mark}:{self.name}"

    def key(self, part: str, job: str = "") -> str:
        """``jobs`` (id to note), ``line`` (places, in the order in which they were left), ``new.…`` (lists being made); a job's own."""
        return f"{INDEX}:{self.mark}:{len(self.name)}:{self.name}:{part}:{job}"


class BullAside:
    """The jobs of every queue that ``client`` reaches. ``deadline`` (seconds) bounds each question."""

    def __init__(self, client: redis.asyncio.Redis, deadline: float) -> None:
        self._client: Any = client
        self._deadline = deadline

    async def marks(self) -> frozenset[str]:
        """The marks that something is aside under."""
        async with within(REDIS, self._deadline):
            return frozenset(str(field).partition(":")[0] for field in await self._client.hkeys(INDEX))

    async def queues(self, mark: str) -> dict[str, int]:
        """How many jobs are aside under this mark, by queue."""
        async with within(REDIS, self._deadline):
            found: dict[str, str] = await self._client.hgetall(INDEX)
        parted = ((field.partition(":"), count) for field, count in found.items())
        return {name: int(count) for (owner, _, name), count in parted if owner == mark}

    async def take(self, name: str, mark: str, ids: Sequence[str]) -> tuple[str, ...]:
        """Take these jobs out, a hundred in one step; those that were. One that a worker holds, or that is not there, stays."""
        places, taken = await self._places(name), list[str]()
        # A worker takes a job first and the lock a moment later.
        await asyncio.sleep(LOCK_GRACE)
        # From the end of each line on, so that the places of those that follow, counted from its front, stay true.
        ordered = sorted(dict.fromkeys(ids), key=lambda job: places.get(job, [(0, 0)])[0])
        for at in range(0, len(ordered), _AT_ONCE):
            some = ordered[at : at + _AT_ONCE]
            answers = await self._take(QueueKeys(name), AsideKeys(mark, name), [(job, places.get(job, [])) for job in some])
            taken += [job for job, answer in zip(some, answers, strict=True) if int(answer) == 1]
        return tuple(taken)

    async def put_back(self, name: str, mark: str) -> tuple[str, ...]:
        """Everything of this mark to where it was, also after a crash half-way; the ids that could not go back: other jobs have them by
        now, so that these stay aside, or Redis lost them meanwhile."""
        keys, ours = QueueKeys(name), AsideKeys(mark, name)
        left = [job async for some in self._noted(ours) for job in await self._return(keys, ours, some)]
        ends = time.monotonic() + REJOINED_WITHIN
        while not await self._rejoined(keys, ours, frozenset(left)):
            if time.monotonic() >= ends:
                raise TimedOut(SYSTEM, REJOINED_WITHIN, "the line changes faster than it is put together")
        if left:
            async with within(REDIS, self._deadline):
                await self._client.hset(INDEX, ours.field, len(left))
        else:
            await self._forget(ours)
        return tuple(left)

    async def drop(self, name: str, mark: str) -> None:
        """Forget what is aside under this mark, for good."""
        ours = AsideKeys(mark, name)
        async for some in self._noted(ours):
            pipe = self._client.pipeline(transaction=True)
            pipe.unlink(*(ours.key(part, job) for job in some for part in ("job", "logs")))
            pipe.hdel(ours.key("jobs"), *some)
            async with within(REDIS, self._deadline):
                await pipe.execute()
        await self._forget(ours)

    async def _places(self, name: str) -> dict[str, list[tuple[int, int]]]:
        """Where each job stands, in all lines at one moment: (number of the line, place from the right)."""
        pipe = self._client.pipeline(transaction=True)
        for line in LINES:
            pipe.lrange(QueueKeys(name).key(line), 0, -1)
        async with within(REDIS, max(_LONG, self._deadline)):
            lines = await pipe.execute()
        found = defaultdict[str, list[tuple[int, int]]](list)
        for number, line in enumerate(lines, 1):
            for at, job in enumerate(line):
                found[str(job)].append((number, at - len(line)))
        return found

    async def _take(self, keys: QueueKeys, ours: AsideKeys, jobs: Sequence[tuple[str, Sequence[tuple[int, int]]]]) -> list[Any]:
        named = [keys.key(part) for part in (*LINES, *SETS, "priority", "meta-paused")]
        named += [INDEX, ours.key("jobs"), ours.key("line")]
        words = [GONE, ours.field]
        for job, places in jobs:
            named += [keys.key(job), keys.key(f"{job}:logs"), keys.key(f"{job}:lock"), ours.key("job", job), ours.key("logs", job)]
            words += [job, ",".join(f"{line}:{at}" for line, at in places)]
        async with within(REDIS, self._deadline):
            answers: list[Any] = await self._client.eval(TAKE, len(named), *named, *words)
        return answers

    async def _noted(self, ours: AsideKeys) -> AsyncIterator[list[str]]:
        """The jobs that are aside, some at a time."""
        async with within(REDIS, max(_LONG, self._deadline)):
            # A scan may give one twice.
            jobs = list({str(job): None async for job, _ in self._client.hscan_iter(ours.key("jobs"), count=_IDS_AT_ONCE)})
        for at in range(0, len(jobs), _AT_ONCE):
            yield jobs[at : at + _AT_ONCE]

    async def _return(self, keys: QueueKeys, ours: AsideKeys, ids: Sequence[str]) -> list[str]:
        """The jobs themselves, and all but their places in a line, where each still needs to be; the ids that are in use again."""
        named = [keys.key(part) for part in (*SETS, "priority")] + [ours.key("jobs")]
        for job in ids:
            named += [keys.key(job), keys.key(f"{job}:logs"), ours.key("job", job), ours.key("logs", job)]
        async with within(REDIS, self._deadline):
            answers = await self._client.eval(RETURN, len(named), *named, *ids)
        return [job for job, answer in zip(ids, answers, strict=True) if int(answer) == 0]

    async def _rejoined(self, keys: QueueKeys, ours: AsideKeys, left: frozenset[str]) -> bool:
        """Make the lines anew beside the old ones, and change them all at once; False when somebody changed one meanwhile."""
        lines = [keys.key(line) for line in LINES]
        async with self._client.pipeline(transaction=True) as pipe:
            async with within(REDIS, self._deadline):
                await pipe.watch(*lines, keys.key("meta-paused"), ours.key("line"))
            async with within(REDIS, max(_LONG, self._deadline)):
                notes = await self._client.lrange(ours.key("line"), 0, -1)
                held = bool(await self._client.exists(keys.key("meta-paused")))
            if not notes:
                return True
            noted = [_stood(note) for note in notes]
            home = await self._home(keys, (stood.job for stood in noted if stood.job not in left))
            pipe.multi()
            for line in LINES:
                theirs = [stood for stood in reversed(noted) if stood.target(held) == line and stood.job in home]
                if theirs:
                    await self._build(keys.key(line), ours.key(f"new.{line}"), theirs)
                    pipe.rename(ours.key(f"new.{line}"), keys.key(line))
            pipe.unlink(ours.key("line"))
            if left:
                pipe.rpush(ours.key("line"), *(note for note, stood in zip(notes, noted, strict=True) if stood.job in left))
            return await self._changed(pipe)

    async def _changed(self, pipe: Any) -> bool:
        async with within(REDIS, self._deadline):
            try:
                await pipe.execute()
            except redis.exceptions.WatchError:
                return False
        return True

    async def _home(self, keys: QueueKeys, ids: Iterable[str]) -> frozenset[str]:
        """Those of the jobs that there are: one may have been removed by hand since a crash."""
        listed, found = list(ids), set[str]()
        for at in range(0, len(listed), _IDS_AT_ONCE):
            some = listed[at : at + _IDS_AT_ONCE]
            pipe = self._client.pipeline(transaction=False)
            for job in some:
                pipe.exists(keys.key(job))
            async with within(REDIS, self._deadline):
                found.update(job for job, there in zip(some, await pipe.execute(), strict=True) if there)
        return frozenset(found)

    async def _build(self, line: str, new: str, taken: Iterable[Stood]) -> None:
        async with within(REDIS, max(_LONG, self._deadline)):
            ids = rejoined([str(job) for job in await self._client.lrange(line, 0, -1)], taken)
            await self._client.unlink(new)
        for at in range(0, len(ids), _IDS_AT_ONCE):
            async with within(REDIS, self._deadline):
                await self._client.rpush(new, *ids[at : at + _IDS_AT_ONCE])

    async def _forget(self, ours: AsideKeys) -> None:
        pipe = self._client.pipeline(transaction=True)
        pipe.unlink(ours.key("jobs"), ours.key("line"), *(ours.key(f"new.{line}") for line in LINES))
        pipe.hdel(INDEX, ours.field)
        async with within(REDIS, self._deadline):
            await pipe.execute()


def _stood(note: str) -> Stood:
    job, place, held, ahead, behind = json.loads(note)
    return Stood(job, place, held, ahead or None, behind or None)
