"""Jobs that real Bull made go aside and come back byte for byte, wherever they were, and real Bull goes on with them in order."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.errors import TimedOut
from bot.ops import bull_aside
from bot.ops.bull import BullQueues
from bot.ops.bull_aside import BullAside
from bot.ops.redis_errors import connect
from tests.bot.ops.bull_parts import Stock, keyspace, line_of, waiting
from tests.bull import QUEUE
from tests.real_parts import BullMaker
from tests.servers import RealRedis


@contextlib.asynccontextmanager
async def adapter(url: str) -> AsyncIterator[BullQueues]:
    queues = BullQueues(url, 5)
    try:
        yield queues
    finally:
        await queues.close()


@pytest.fixture(scope="module")
def stock() -> Stock:
    """Filled by the first test that needs it."""
    return Stock()


async def test_what_was_taken_comes_back_byte_for_byte(real_redis: RealRedis, bull_node: BullMaker, stock: Stock) -> None:
    names = (QUEUE, "a:b", "이미지 생성")
    for name in names:
        ids = stock.fill(real_redis, bull_node, name)
    before = keyspace(real_redis)
    async with adapter(real_redis.url) as queues:
        for name, every in itertools.product(names, (1, 2, 3)):
            wanted = ids[every - 1 :: every]
            taken = await queues.aside.take(name, "m1", [*wanted, "no such job"])
            assert sorted(taken) == sorted(set(wanted) - {stock.locked})
            counts = await queues.queue(name)
            there = counts.waiting + counts.active + counts.delayed + counts.completed + counts.failed
            assert there == len(ids) - len(taken)
            assert not any(where.known for where in await queues.jobs.where(name, taken))
            assert await queues.aside.marks() == {"m1"}
            assert await queues.aside.queues("m1") == {name: len(taken)}
            for _ in range(2):
                assert await queues.aside.put_back(name, "m1") == ()
                assert keyspace(real_redis) == before
            assert await queues.aside.marks() == frozenset()


async def test_bull_takes_what_came_back_in_the_order_it_had(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    *ids, first = bull.run("add", jobs=[*({"data": {"ms": 2}} for _ in range(8)), {"data": {"ms": 2}, "opts": {"priority": 1}}])
    async with adapter(real_redis.url) as queues:
        await queues.aside.take(QUEUE, "m1", [first, *ids[1:6]])
        assert line_of(real_redis) == [ids[0], *ids[6:]]
        await queues.aside.put_back(QUEUE, "m1")
    bull.run("work", concurrency=1)
    with contextlib.closing(real_redis.client()) as client:
        assert client.zrange(f"bull:{QUEUE}:completed", 0, -1) == [first, *ids]


async def test_a_queue_that_was_held_or_let_go_meanwhile_has_them_in_the_line_in_force(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    ids = waiting(real_redis, 6)
    async with adapter(real_redis.url) as queues:
        for change, place in ((queues.pause, "paused"), (queues.resume, "wait")):
            before = line_of(real_redis, "wait") + line_of(real_redis, "paused")
            await queues.aside.take(QUEUE, "m1", ids[1:4])
            await change(QUEUE)
            await queues.aside.put_back(QUEUE, "m1")
            assert line_of(real_redis, place) == before
        await queues.pause(QUEUE)
        await queues.aside.take(QUEUE, "m1", ids)
        await queues.resume(QUEUE)
        late = bull.add({})
        await queues.aside.put_back(QUEUE, "m1")
    assert line_of(real_redis) == [*ids, *late]


async def test_jobs_that_came_or_ended_meanwhile_do_not_change_the_order(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    ids = bull.add(*({} for _ in range(8)))
    async with adapter(real_redis.url) as queues:
        await queues.aside.take(QUEUE, "m1", [ids[2], ids[3], ids[5]])
        await queues.aside.take(QUEUE, "m1", [ids[6], ids[1]])
        assert bull.run("take", count=2, lock=True) == [ids[0], ids[4]]
        late = bull.add({})
        await queues.aside.put_back(QUEUE, "m1")
    assert line_of(real_redis) == [ids[1], ids[2], ids[3], ids[5], ids[6], ids[7], *late]


class Killed(BaseException):
    """Stands for the end of the process: nothing cleans up."""


class Mortal(BullAside):
    """Dies before its n-th change."""

    def __init__(self, url: str, lives: int) -> None:
        self._connection = connect(url, 5)
        super().__init__(self._connection, 5)
        self.lives = lives

    async def close(self) -> None:
        await self._connection.aclose()

    def _live(self) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    async def _take(self, keys: Any, ours: Any, jobs: Any) -> list[Any]:
        self._live()
        return await super()._take(keys, ours, jobs)

    async def _return(self, keys: Any, ours: Any, ids: Any) -> list[str]:
        self._live()
        return await super()._return(keys, ours, ids)

    async def _build(self, line: str, new: str, taken: Any) -> None:
        await super()._build(line, new, taken)
        self._live()

    async def _changed(self, pipe: Any) -> bool:
        self._live()
        return await super()._changed(pipe)

    async def _forget(self, ours: Any) -> None:
        self._live()
        await super()._forget(ours)


async def test_wherever_it_is_killed_the_next_one_puts_everything_back(real_redis: RealRedis, bull_node: BullMaker, stock: Stock) -> None:
    ids = stock.fill(real_redis, bull_node) + waiting(real_redis, 330)
    before, deaths = keyspace(real_redis), 0
    async with adapter(real_redis.url) as queues:
        for lives in range(20):
            mortal = Mortal(real_redis.url, lives)
            try:
                await mortal.take(QUEUE, "m1", ids[::2] + ids[1::4])
                await mortal.put_back(QUEUE, "m1")
            except Killed:
                deaths += 1
            finally:
                await mortal.close()
            alive = await queues.queue(QUEUE)
            aside = (await queues.aside.queues("m1")).get(QUEUE, 0)
            assert alive.waiting + alive.active + alive.delayed + alive.completed + alive.failed <= len(ids)
            assert aside == 0 or await queues.aside.marks() == {"m1"}
            assert await queues.aside.put_back(QUEUE, "m1") == ()
            assert keyspace(real_redis) == before, lives
    assert deaths > 8


async def test_a_line_that_changes_while_it_is_made_anew_is_made_once_more(real_redis: RealRedis) -> None:
    ids = waiting(real_redis, 4)
    async with adapter(real_redis.url) as queues:
        await queues.aside.take(QUEUE, "m1", ids[:2])
        with contextlib.closing(real_redis.client()) as client:

            class Busy(Mortal):
                async def _build(self, line: str, new: str, taken: Any) -> None:
                    await super()._build(line, new, taken)
                    if self.lives > 97:
                        client.lpush(line, f"late{self.lives}")

            busy = Busy(real_redis.url, 100)
            await busy.put_back(QUEUE, "m1")
            await busy.close()
    assert line_of(real_redis)[:4] == ids
    assert len(line_of(real_redis)) > 4


async def test_a_line_that_never_rests_is_told_and_nothing_is_lost(real_redis: RealRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = waiting(real_redis, 2)
    monkeypatch.setattr(bull_aside, "REJOINED_WITHIN", 0.1)

    class Restless(Mortal):
        async def _changed(self, pipe: Any) -> bool:
            await pipe.reset()
            return False

    async with adapter(real_redis.url) as queues:
        await queues.aside.take(QUEUE, "m1", ids)
        restless = Restless(real_redis.url, 1_000_000)
        with pytest.raises(TimedOut):
            await restless.put_back(QUEUE, "m1")
        await restless.close()
        assert await queues.aside.queues("m1") == {QUEUE: 2}
        await queues.aside.put_back(QUEUE, "m1")
    assert line_of(real_redis) == ids


async def test_a_job_whose_id_is_in_use_again_waits_until_it_is_free(real_redis: RealRedis) -> None:
    ids = waiting(real_redis, 3)
    before = keyspace(real_redis)
    async with adapter(real_redis.url) as queues:
        await queues.aside.take(QUEUE, "m1", ids)
        with contextlib.closing(real_redis.client()) as client:
            client.hset(f"bull:{QUEUE}:{ids[1]}", "name", "another")
            assert await queues.aside.put_back(QUEUE, "m1") == (ids[1],)
            assert client.hgetall(f"bull:{QUEUE}:{ids[1]}") == {"name": "another"}
            assert await queues.aside.queues("m1") == {QUEUE: 1}
            client.delete(f"bull:{QUEUE}:{ids[1]}")
        assert await queues.aside.put_back(QUEUE, "m1") == ()
    assert keyspace(real_redis) == before


async def test_what_is_dropped_leaves_nothing_and_other_marks_stay(real_redis: RealRedis, bull_node: BullMaker, stock: Stock) -> None:
    ids = stock.fill(real_redis, bull_node)
    async with adapter(real_redis.url) as queues:
        taken = await queues.aside.take(QUEUE, "m1", ids[:-2])
        (kept,) = await queues.aside.take(QUEUE, "m2", ids[-2:-1])
        assert await queues.aside.marks() == {"m1", "m2"}
        await queues.aside.drop(QUEUE, "m1")
        await queues.aside.drop(QUEUE, "m1")
        assert await queues.aside.marks() == {"m2"}
        assert await queues.aside.put_back(QUEUE, "m1") == ()
        assert await queues.aside.put_back(QUEUE, "m2") == ()
        assert (await queues.jobs.where(QUEUE, [kept]))[0].state == "delayed"
    names = b" ".join(keyspace(real_redis))
    assert b"vccbot" not in names
    assert not any(f"bull:{QUEUE}:{job}:logs".encode() in names for job in taken)


async def test_ten_thousand_jobs_go_and_come_without_holding_redis_up(real_redis: RealRedis) -> None:
    ids = waiting(real_redis, 10_000)
    with contextlib.closing(real_redis.client()) as client:
        async with adapter(real_redis.url) as queues:
            started = time.monotonic()
            taken = await queues.aside.take(QUEUE, "m1", ids[::2])
            went = time.monotonic()
            await queues.aside.put_back(QUEUE, "m1")
            came = time.monotonic()
        slowest = max((int(entry["duration"]) for entry in client.slowlog_get(50)), default=0)
    assert line_of(real_redis) == ids
    assert len(taken) == 5_000
    print(f"5,000 of 10,000 jobs: taken {went - started:.2f} s, back {came - went:.2f} s, longest step {slowest / 1000:.0f} ms")
