"""One look at the whole deployment: every part asked side by side, each within the same deadline. Judges nothing.

A part that fails is its error, in the place where its answer would be: the rest of the look is still there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import TimedOut, VccError
from bot.ops.bull_values import QueueStatus
from bot.ops.bundle import Ops
from bot.ops.container_values import Service, Usage
from bot.ops.health import HealthResult
from bot.ops.host import HostStatus
from bot.ops.mongo_values import MongoPing
from bot.ops.redis_server import RedisInfo

T = TypeVar("T")
# Three seconds from typing to reading, of which starting the program at a terminal takes one.
DEADLINE = 1.6
# Each address has a deadline of its own, and is told by its name when it hangs: so it must come to that.
HEALTH_LONGER = 0.1
_TO_TELL = 0.1  # so that what is known when the time is over comes in time


@dataclass(frozen=True, slots=True)
class Overview:
    """What each part answered, or why it did not."""

    services: tuple[Service, ...] | VccError
    usage: tuple[Usage, ...] | VccError
    mongodb: MongoPing | VccError
    redis: RedisInfo | VccError
    queues: tuple[QueueStatus, ...] | VccError
    host: HostStatus | VccError
    health: tuple[HealthResult, ...] | VccError


async def look(ops: Ops, deadline: float = DEADLINE) -> Overview:
    """Ask every part at once; back within ``deadline`` seconds, or a little more for health addresses, whatever hangs."""
    (services, usage, health), (mongodb, redis, queues, host) = await asyncio.gather(
        asyncio.gather(
            probe("docker", ops.containers.services, deadline),
            probe("docker", lambda: ops.containers.stats(within=deadline - _TO_TELL), deadline),
            probe("http", ops.health.check, deadline + HEALTH_LONGER),
        ),
        asyncio.gather(
            probe("mongodb", lambda: ops.mongo.ping(), deadline),
            probe("redis", lambda: ops.redis.info(), deadline),
            probe("redis", lambda: ops.bull.queues(), deadline),
            probe("host", ops.host.status, deadline),
        ),
    )
    return Overview(services, usage, mongodb, redis, queues, host, health)


async def probe(system: str, ask: Callable[[], Awaitable[T]], deadline: float) -> T | VccError:
    """The answer, or what kept it from coming. ``ask`` is called inside, as a missing setting shows itself only then."""
    try:
        async with asyncio.timeout(deadline):
            return await ask()
    except TimeoutError:
        return TimedOut(system, deadline)
    except VccError as error:
        return error
