"""What the stories share: the sandbox in working order, and a queue in which nothing runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.ops.bull import BullQueues
from bot.sandbox.deployment import Deployment
from tests.commands.conftest import mend

QUEUE = "image generation"
SECOND = "bull:pipeline run"


@pytest.fixture
async def whole_sandbox(sandbox: Deployment) -> AsyncIterator[None]:
    """Everything runs before the story and after it."""
    await mend(sandbox.env)
    yield
    await mend(sandbox.env)


class QuietQueue:
    """A queue that no worker serves: jobs begin in it only when a test says so."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def make(self) -> None:
        """One job waits."""
        await self._client.set(f"{SECOND}:id", 1)
        await self._client.hset(f"{SECOND}:1", mapping={"name": "runPipeline", "data": "{}", "opts": "{}", "timestamp": "1"})
        await self._client.lpush(f"{SECOND}:wait", "1")

    async def begin_another_job(self) -> None:
        """What a worker does first with a job."""
        await self._client.rpoplpush(f"{SECOND}:wait", f"{SECOND}:active")

    async def remove(self) -> None:
        """The queue was never there."""
        await self._client.delete(*(f"{SECOND}:{part}" for part in ("id", "1", "wait", "active")))


@pytest.fixture
async def quiet_queue(sandbox: Deployment) -> AsyncIterator[QuietQueue]:
    """The sandbox's own queue is closed and empty of work in flight; a second one has a job that nobody takes."""
    queues, client = BullQueues(sandbox.env["REDIS_URL"]), Redis.from_url(sandbox.env["REDIS_URL"])
    quiet = QuietQueue(client)
    await queues.pause(QUEUE)
    await queues.drain(QUEUE, 60, poll=0.1)
    await quiet.make()
    yield quiet
    await quiet.remove()
    await queues.resume(QUEUE)
    await queues.close()
    await client.aclose()
