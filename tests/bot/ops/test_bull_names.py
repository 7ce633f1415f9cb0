"""Which queues there are: found by a walk, which is not made again at once where it was costly."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.ops.bull_names import CHEAP, STANDS_FOR, QueueNames
from bot.ops.redis_errors import connect
from bot.testing.clock import Clock
from tests.servers import RealRedis


class Walks(QueueNames):
    """Counts its walks, each of which takes ``seconds`` of its clock."""

    clock: Clock
    seconds = 0.0
    walks = 0

    async def _proven(self) -> tuple[str, ...]:
        self.walks += 1
        self.clock.forward(self.seconds)
        return await super()._proven()


@pytest.fixture
async def names(real_redis: RealRedis) -> AsyncIterator[Walks]:
    client, clock = connect(real_redis.url, 5), Clock()
    await client.set("bull:pictures:id", 1)
    found = Walks(client, clock)
    found.clock = clock
    yield found
    await client.aclose()


async def test_a_cheap_walk_is_made_each_time(names: Walks) -> None:
    assert [await names.known(), await names.known()] == [("pictures",)] * 2
    assert names.walks == 2


async def test_what_a_costly_walk_found_stands_for_a_minute(names: Walks) -> None:
    names.seconds = 2 * CHEAP
    assert await names.known() == ("pictures",)
    await names._client.set("bull:새 큐: films:id", 1)
    assert await names.known() == ("pictures",)
    names.clock.forward(STANDS_FOR)
    assert await names.known() == ("pictures", "새 큐: films")
    assert names.walks == 2


async def test_a_queue_that_is_gone_is_gone_at_once(names: Walks) -> None:
    names.seconds = 2 * CHEAP
    await names.known()
    await names._client.delete("bull:pictures:id")
    assert await names.known() == ()


async def test_who_asks_for_all_there_are_now_gets_them(names: Walks) -> None:
    names.seconds = 2 * CHEAP
    await names.known()
    await names._client.set("bull:films:id", 1)
    assert await names.walked() == await names.known() == ("films", "pictures")
