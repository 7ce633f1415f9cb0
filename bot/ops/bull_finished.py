"""How many jobs ended lately, from what Bull keeps of them; and whether some of that time may be gone already.

Bull keeps as many ended jobs as each job's own options say (``removeOnComplete``, ``removeOnFail``), the newest ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis.asyncio

from bot.ops.bull_read import moment
from bot.ops.bull_values import Finished, QueueKeys

_SETS = {"completed": "removeOnComplete", "failed": "removeOnFail"}


@dataclass(frozen=True, slots=True)
class _Kept:
    """One set of ended jobs; times in seconds."""

    since: int
    size: int
    oldest: float | None
    newest: float | None


async def finished(client: redis.asyncio.Redis, keys: QueueKeys, since: float) -> Finished:
    """Jobs ended after ``since``. Costs two counts, and a few small reads when Bull may have let some go."""
    pipe = client.pipeline(transaction=True)
    for part in _SETS:
        pipe.zcount(keys.key(part), f"({round(since * 1000)}", "+inf")
        pipe.zcard(keys.key(part))
        pipe.zrange(keys.key(part), 0, 0, withscores=True)
        pipe.zrange(keys.key(part), -1, -1, withscores=True)
    answers = await pipe.execute()
    kept = {part: _kept(answers[4 * at : 4 * at + 4]) for at, part in enumerate(_SETS)}
    unsure = {part: each for part, each in kept.items() if each.oldest is None or each.oldest > since}
    options = await _options(client, keys) if unsure else {}
    trimmed = [each for part, each in unsure.items() if _trimmed(each, options, _SETS[part], since)]
    return Finished(
        completed=kept["completed"].since,
        failed=kept["failed"].since,
        at_least=bool(trimmed),
        whole_since=_whole_since(trimmed, since),
    )


def _whole_since(trimmed: Sequence[_Kept], since: float) -> float | None:
    moments = [each.oldest for each in trimmed]
    return None if None in moments else max((moment for moment in moments if moment is not None), default=since)


def _kept(answer: Sequence[Any]) -> _Kept:
    since, size, oldest, newest = answer
    first, last = (moment(end[0][1] / 1000) if end else None for end in (oldest, newest))
    return _Kept(int(since), int(size), first, last)


async def _options(client: redis.asyncio.Redis, keys: QueueKeys) -> dict[str, Any] | None:
    """The options of some job of the queue, as all of a queue's jobs usually have the same; None when no job can tell."""
    pipe = client.pipeline(transaction=False)
    for part in (*_SETS, "delayed"):
        pipe.zrange(keys.key(part), -1, -1)
    for part in ("active", "wait", "paused"):
        pipe.lrange(keys.key(part), 0, 0)
    pipe.exists(keys.key("id"))
    *found, counted = await pipe.execute()
    for job in [str(each[0]) for each in found if each]:
        if await cast(Awaitable[Any], client.type(keys.key(job))) == "hash":
            options = _parsed(await cast(Awaitable[Any], client.hget(keys.key(job), "opts")))
            if options is not None:
                return options
    return None if counted else {}


def _parsed(text: str | None) -> dict[str, Any] | None:
    try:
        options = json.loads(text or "")
    except ValueError:
        return None
    return options if isinstance(options, dict) else None


def _trimmed(kept: _Kept, options: dict[str, Any] | None, name: str, since: float) -> bool:
    """Whether jobs that ended after ``since`` may be gone: nothing older is left, and the set is as full as it gets."""
    if options is None:
        return True
    count, age = limits(options.get(name))
    if kept.size >= count:
        return True
    return age is not None and (kept.newest is None or since < kept.newest - age)


def limits(option: Any) -> tuple[float, float | None]:
    """How many ended jobs Bull keeps with this option, and for how many seconds; without a limit: infinity, None."""
    if isinstance(option, dict):
        count, age = option.get("count"), option.get("age")
        kept, _ = limits(count if count is not True else None)
        return kept, float(age) if isinstance(age, int | float) else None
    if option is True:
        return 0, None
    if isinstance(option, int | float) and option is not False:
        return (option if option >= 0 else math.inf), None
    return math.inf, None
