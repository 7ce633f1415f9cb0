"""Every job of a queue that still means something (waiting, delayed, active, failed), all ids at one moment, then job by job.

Knows Bull's keys in Redis. What jobs carry, prompts and keys, leaves here: for backups that are sealed, and for nothing else.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis.asyncio

from bot.ops.bounded import within
from bot.ops.bull_read import READ, SUMMARY, SUMMARY_DATA, arguments, hash_of, job_of
from bot.ops.bull_values import PLACES, SORTED_SETS, Job, QueueKeys
from bot.ops.redis_errors import REDIS

STATES = ("waiting", "paused", "active", "delayed", "failed")
MOST_DATA = 1 << 20
_AT_ONCE = 100
# Of an id list so much is fetched at once that a queue of a million takes some seconds, not one long answer.
_LONG = 10.0


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job, with its options as Bull has them. ``data`` is all it carries; empty when that is too much (``data_cut``)."""

    job: Job
    options: Mapping[str, Any]
    data: str = field(default="", repr=False)
    data_cut: bool = False


class QueueLines:
    """The jobs of every queue that ``client`` reaches. ``deadline`` (seconds) bounds each question."""

    def __init__(self, client: redis.asyncio.Redis, deadline: float) -> None:
        self._client = client
        self._deadline = deadline

    async def ids(self, name: str) -> dict[str, list[tuple[str, float | None]]]:
        """(id, score of its sorted set) of all jobs by state, at one moment; the next one of a list first."""
        pipe, keys = self._client.pipeline(transaction=True), QueueKeys(name)
        for state in STATES:
            if state in SORTED_SETS:
                pipe.zrange(keys.key(PLACES[state]), 0, -1, withscores=True)
            else:
                pipe.lrange(keys.key(PLACES[state]), 0, -1)
        async with within(REDIS, max(_LONG, self._deadline)):
            answers = await pipe.execute()
        return {state: _listed(state, answer) for state, answer in zip(STATES, answers, strict=True)}

    async def lines(
        self, name: str, state: str, ids: Sequence[tuple[str, float | None]], *, with_data: bool = False
    ) -> AsyncIterator[JobLine]:
        """These jobs, ``with_data`` however much they carry (up to a megabyte each); one that ended meanwhile is left out."""
        keys = QueueKeys(name)
        fields = {**SUMMARY, "data": MOST_DATA if with_data else SUMMARY_DATA}
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            named = [keys.key(job) for job, _ in some]
            async with within(REDIS, self._deadline):
                rows: Any = await self._client.eval(READ, len(named), *named, *arguments(fields))
            for (job, score), row in zip(some, rows, strict=True):
                found = hash_of(row, fields)
                if found.kind != "none":
                    cut = found.cut("data", fields)
                    data = "" if cut else found.text("data")
                    yield JobLine(job_of((name, job, state), found, fields, score), _options(found.text("opts")), data, cut)


def _listed(state: str, answer: Sequence[Any]) -> list[tuple[str, float | None]]:
    if state in SORTED_SETS:
        return [(str(job), float(score)) for job, score in answer]
    return [(str(job), None) for job in reversed(answer)]


def _options(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
