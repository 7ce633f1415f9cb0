"""Failed jobs back in line, exactly as Bull's own ``job.retry()`` does it; many in one step. Knows nothing of why they failed.

Unlike Bull it touches nothing of a job that it refuses: Bull forgets a job's times before it sees that it has not failed.
"""

from __future__ import annotations

import enum
import time
import uuid
from collections.abc import Sequence
from typing import Any

import redis.asyncio

from bot.ops.bounded import within
from bot.ops.bull_values import QueueKeys
from bot.ops.redis_errors import REDIS

# A job goes to the end of the line (or, with the option lifo, to its front), without its priority: so does Bull. A job
# whose options or data are no JSON Bull cannot even load, and its workers would die of it: refused.
RETRY = """
local function json(text)
  return pcall(cjson.decode, text or '{}')
end
local function retry(id, job, lock)
  local kind = redis.call('TYPE', job).ok
  if kind == 'none' then return 0 end
  if kind ~= 'hash' then return -3 end
  if redis.call('EXISTS', lock) == 1 then return -1 end
  if not redis.call('ZSCORE', KEYS[1], id) then return -2 end
  local good, options = json(redis.call('HGET', job, 'opts'))
  if not good or type(options) ~= 'table' then return -3 end
  if not options.preventParsingData and not json(redis.call('HGET', job, 'data')) then return -3 end
  local lifo = options.lifo
  redis.call('HDEL', job, 'finishedOn', 'processedOn', 'failedReason')
  redis.call('HSET', job, 'retriedOn', ARGV[2])
  redis.call('ZREM', KEYS[1], id)
  local target = redis.call('EXISTS', KEYS[3]) == 1 and KEYS[4] or KEYS[2]
  local last = not lifo or lifo == cjson.null or lifo == 0 or lifo == ''
  redis.call(last and 'LPUSH' or 'RPUSH', target, id)
  redis.call('PUBLISH', KEYS[2] .. 'ing@' .. ARGV[1], id)
  return 1
end
local answers = {}
for at = 3, #ARGV do
  local key = 5 + (at - 3) * 2
  answers[at - 2] = retry(ARGV[at], KEYS[key], KEYS[key + 1])
end
return answers
"""


class Retried(enum.IntEnum):
    """What came of it."""

    DONE = 1
    MISSING = 0
    LOCKED = -1
    NOT_FAILED = -2
    BROKEN = -3


async def retry(client: redis.asyncio.Redis, deadline: float, name: str, ids: Sequence[str]) -> dict[str, Retried]:
    """Put these failed jobs of one queue back in line, all in one step; what came of each."""
    keys = QueueKeys(name)
    named = [keys.key(part) for part in ("failed", "wait", "meta-paused", "paused")]
    named += [key for job in ids for key in (keys.key(job), keys.key(f"{job}:lock"))]
    async with within(REDIS, deadline):
        answers: Any = await client.eval(RETRY, len(named), *named, str(uuid.uuid4()), str(int(time.time() * 1000)), *ids)
    return {job: Retried(int(answer)) for job, answer in zip(ids, answers, strict=True)}
