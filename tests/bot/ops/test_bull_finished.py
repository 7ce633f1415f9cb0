"""How many jobs ended lately: exact while Bull keeps them all, "at least" when it may have let some go."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bot.ops.bull import BullQueues
from bot.ops.bull_finished import limits
from bot.ops.bull_values import Finished
from tests.real_parts import BullMaker
from tests.servers import RealRedis

QUEUE = "image generation"
PREFIX = f"bull:{QUEUE}:"
NOW = 1_790_000_000.0


@pytest.fixture
def client(real_redis: RealRedis) -> Iterator[Any]:
    with contextlib.closing(real_redis.client()) as client:
        yield client


@pytest.fixture
async def queues(real_redis: RealRedis) -> AsyncIterator[BullQueues]:
    queues = BullQueues(real_redis.url, 10)
    yield queues
    await queues.close()


def ended(client: Any, part: str, moments: list[float], **opts: Any) -> None:
    """Jobs in a set of ended ones, at these seconds from NOW."""
    client.set(f"{PREFIX}id", "100")
    for number, moment in enumerate(moments):
        client.zadd(f"{PREFIX}{part}", {f"{part}{number}": round((NOW + moment) * 1000)})
        client.hset(f"{PREFIX}{part}{number}", "opts", json.dumps(opts))


async def test_without_a_limit_the_count_is_exact(client: Any, queues: BullQueues) -> None:
    ended(client, "completed", [-50, -40, -10])
    ended(client, "failed", [-45])
    assert await queues.finished_since(QUEUE, NOW - 60) == Finished(3, 1, False, NOW - 60)
    assert await queues.finished_since(QUEUE, NOW - 40) == Finished(1, 0, False, NOW - 40)


async def test_a_full_set_that_reaches_back_far_enough_is_exact(client: Any, queues: BullQueues) -> None:
    ended(client, "completed", [-90, -40, -10], removeOnComplete=3, removeOnFail=20)
    assert await queues.finished_since(QUEUE, NOW - 60) == Finished(2, 0, False, NOW - 60)


async def test_a_full_set_that_does_not_says_at_least_and_from_when_it_is_whole(client: Any, queues: BullQueues) -> None:
    ended(client, "completed", [-50, -40, -10], removeOnComplete=3, removeOnFail=20)
    found = await queues.finished_since(QUEUE, NOW - 60)
    assert found == Finished(3, 0, True, NOW - 50)
    assert await queues.finished_since(QUEUE, found.whole_since or 0) == Finished(2, 0, False, NOW - 50)


async def test_a_queue_that_keeps_nothing_tells_nothing(client: Any, queues: BullQueues) -> None:
    client.set(f"{PREFIX}id", "5")
    assert await queues.finished_since(QUEUE, NOW - 60) == Finished(0, 0, True, None)
    client.lpush(f"{PREFIX}wait", "5")
    client.hset(f"{PREFIX}5", "opts", json.dumps({"removeOnComplete": True}))
    assert (await queues.finished_since(QUEUE, NOW - 60)).at_least


async def test_a_queue_that_was_never_used_is_exact(queues: BullQueues) -> None:
    assert await queues.finished_since("no such queue", NOW) == Finished(0, 0, False, NOW)


async def test_jobs_kept_for_a_while_are_exact_within_it(client: Any, queues: BullQueues) -> None:
    ended(client, "completed", [-50, -10], removeOnComplete={"age": 100})
    assert not (await queues.finished_since(QUEUE, NOW - 60)).at_least
    assert (await queues.finished_since(QUEUE, NOW - 600)).at_least


async def test_bull_itself_trims_as_we_expect(real_redis: RealRedis, bull_node: BullMaker, queues: BullQueues) -> None:
    bull = bull_node(real_redis.url)
    bull.add({}, {}, {}, {}, {}, removeOnComplete=3, removeOnFail=2)
    bull.run("work")
    found = await queues.finished_since(QUEUE, 0)
    assert (found.completed, found.at_least) == (3, True)


@pytest.mark.parametrize(
    ("option", "kept"),
    [
        (None, (math.inf, None)),
        (False, (math.inf, None)),
        (True, (0, None)),
        (0, (0, None)),
        (50, (50, None)),
        (-1, (math.inf, None)),
        ({"count": 5}, (5, None)),
        ({"age": 60}, (math.inf, 60.0)),
        ({"count": 5, "age": 60}, (5, 60.0)),
        ("nonsense", (math.inf, None)),
    ],
)
def test_bulls_option_says_how_many_are_kept_and_how_long(option: Any, kept: tuple[float, float | None]) -> None:
    assert limits(option) == kept
