"""The queue adapter against queues that the real Bull made, and Bull's own opinion of what we did to them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from redis.client import PubSub

from bot.errors import Denied, NotFound, TimedOut, Unreachable
from bot.ops.bull import BullQueues
from tests.bot.ops.silent import silent_port
from tests.bot.ops.waiting import until
from tests.real_parts import BullMaker
from tests.servers import RealRedis

QUEUE = "image generation"


@contextlib.asynccontextmanager
async def adapter(url: str, deadline: float = 5) -> AsyncIterator[BullQueues]:
    queues = BullQueues(url, deadline)
    try:
        yield queues
    finally:
        await queues.close()


async def test_counts_are_bulls_own(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    before = time.time()
    bull.add({"fail": True}, {"fail": True}, {})
    bull.run("work")
    bull.add({}, {}, priority=3)
    bull.add({}, {}, {})
    bull.add({}, delay=60_000)
    async with adapter(real_redis.url) as queues:
        (status,) = await queues.queues()
    counts = bull.counts()
    for name in ("waiting", "active", "delayed", "completed", "failed", "paused"):
        assert getattr(status, name) == counts[name], name
    assert (status.waiting, status.delayed, status.completed, status.failed) == (5, 1, 1, 2)
    assert (status.is_paused, status.stalled) == (False, 0)
    assert status.oldest_waiting_at is not None
    assert before - 1 < status.oldest_waiting_at < time.time() + 1


async def test_queues_are_found_whatever_their_names_and_nothing_else_is_taken_for_one(real_redis: RealRedis, bull_node: BullMaker) -> None:
    for name in (QUEUE, "pipeline run", "a:b:c", "이미지 생성"):
        bull_node(real_redis.url, name).add({})
    with contextlib.closing(real_redis.client()) as client:
        client.hset("bull:no queue:id", "job", "1")
        client.set("cache:image:id", "1")
    async with adapter(real_redis.url) as queues:
        assert await queues.names() == tuple(sorted((QUEUE, "pipeline run", "a:b:c", "이미지 생성")))


async def test_an_empty_redis_has_no_queues(real_redis: RealRedis) -> None:
    async with adapter(real_redis.url) as queues:
        assert await queues.queues() == ()


async def test_bull_agrees_that_it_is_paused_and_resumed_and_no_job_is_lost(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    ids = bull.add({}, {}, {})
    async with adapter(real_redis.url) as queues:
        assert await queues.pause(QUEUE) == 3
        counts = bull.counts()
        assert (counts["isPaused"], counts["paused"], counts["waiting"]) == (True, 3, 0)
        ids += bull.add({})
        status = await queues.queue(QUEUE)
        assert (status.is_paused, status.paused, status.waiting) == (True, 4, 0)
        assert status.oldest_waiting_at is not None
        assert await queues.pause(QUEUE) == 4
        assert await queues.resume(QUEUE) == 4
        assert await queues.resume(QUEUE) == 4
    counts = bull.counts()
    assert (counts["isPaused"], counts["paused"], counts["waiting"]) == (False, 0, 4)
    assert bull.run("ids", state="waiting") == ids


async def test_what_bull_paused_we_resume_and_the_other_way_round(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    bull.add({})
    bull.run("pause")
    async with adapter(real_redis.url) as queues:
        assert (await queues.queue(QUEUE)).is_paused
        await queues.resume(QUEUE)
        assert not bull.counts()["isPaused"]
        await queues.pause(QUEUE)
        bull.run("resume")
        assert not (await queues.queue(QUEUE)).is_paused


async def test_jobs_left_in_both_lists_are_joined_not_dropped(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    ids = bull.add({}, {}, {})
    with contextlib.closing(real_redis.client()) as client:
        client.rpoplpush(f"bull:{QUEUE}:wait", f"bull:{QUEUE}:paused")
    async with adapter(real_redis.url) as queues:
        await queues.pause(QUEUE)
        await queues.resume(QUEUE)
    assert bull.run("ids", state="waiting") == ids


async def test_pausing_is_announced_as_bull_announces_it(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull_node(real_redis.url).add({})
    with contextlib.closing(real_redis.client()) as client:
        heard = PubSub(client.connection_pool, ignore_subscribe_messages=True)
        heard.subscribe(f"bull:{QUEUE}:paused", f"bull:{QUEUE}:resumed")
        messages: list[tuple[str, str]] = []

        def listen() -> bool:
            message = heard.get_message(timeout=0.01)
            if message:
                messages.append((message["channel"], message["data"]))
            return len(messages) == 2

        listen()
        async with adapter(real_redis.url) as queues:
            await queues.pause(QUEUE)
            await queues.resume(QUEUE)
        await until(listen, "both announcements")
        heard.close()
    assert messages == [(f"bull:{QUEUE}:paused", "paused"), (f"bull:{QUEUE}:resumed", "resumed")]


async def test_a_paused_queue_finishes_its_active_jobs_and_takes_no_other(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    bull.add({"ms": 1500, "jobId": "65aa"}, {"ms": 1500, "jobId": "65bb"}, {"ms": 1}, {"ms": 1})
    heard: list[int] = []

    async def hear(remaining: int) -> None:
        heard.append(remaining)

    async with adapter(real_redis.url) as queues:
        with bull.worker(concurrency=2):
            for _ in range(500):
                if (active := await queues.jobs.page(QUEUE, "active", 0, 10)).total == 2:
                    break
            assert {job.data_job_id for job in active.jobs} == {"65aa", "65bb"}
            await queues.pause(QUEUE)
            assert await queues.drain(QUEUE, 20, 0.05, hear) == 0
            assert (heard[0], heard[-1]) == (2, 0)
            status = await queues.queue(QUEUE)
            assert (status.active, status.paused, status.completed) == (0, 2, 2)
            await queues.resume(QUEUE)
            assert await queues.drain(QUEUE, 20, 0.05) == 0
            for _ in range(500):
                if (status := await queues.queue(QUEUE)).completed == 4:
                    break
            assert status.completed == 4


async def test_draining_gives_up_at_its_deadline_and_says_how_many_are_left(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    bull.add({}, {})
    bull.run("take", count=2, lock=True)
    async with adapter(real_redis.url) as queues:
        started = time.monotonic()
        assert await queues.drain(QUEUE, 0.3, 0.1) == 2
        assert 0.2 < time.monotonic() - started < 20


async def test_an_active_job_that_nobody_holds_is_stalled(real_redis: RealRedis, bull_node: BullMaker) -> None:
    bull = bull_node(real_redis.url)
    bull.add({"jobId": "65cc"}, {"prompt": "a secret prompt"})
    (dead,) = bull.run("take", count=1)
    (held,) = bull.run("take", count=1, lock=True)
    async with adapter(real_redis.url) as queues:
        assert (await queues.queue(QUEUE)).stalled == 1
        stalled, active = [await queues.jobs.page(QUEUE, state, 0, 10) for state in ("stalled", "active")]
    assert [(job.id, job.data_job_id) for job in stalled.jobs] == [(dead, "65cc")]
    assert [(job.id, job.data_job_id) for job in active.jobs] == [(dead, "65cc"), (held, None)]
    assert all(abs((job.started_at or 0) - time.time()) < 60 for job in active.jobs)
    assert "secret" not in repr(active)


async def test_pausing_a_name_mistyped_makes_no_queue_of_it(real_redis: RealRedis) -> None:
    async with adapter(real_redis.url) as queues:
        with pytest.raises(NotFound):
            await queues.pause("imge generation")
        with pytest.raises(NotFound):
            await queues.queue("imge generation")
        assert await queues.names() == ()


async def test_a_wrong_password_is_denied_and_a_stopped_server_unreachable(real_redis: RealRedis) -> None:
    async with adapter(f"redis://:wrong@127.0.0.1:{real_redis.port}") as queues:
        with pytest.raises(Denied):
            await queues.queues()
    real_redis.stop()
    async with adapter(real_redis.url) as queues:
        with pytest.raises(Unreachable):
            await queues.drain(QUEUE, 5)


async def test_a_server_that_hangs_times_out() -> None:
    async with silent_port() as port, adapter(f"redis://127.0.0.1:{port}", 0.3) as queues:
        with pytest.raises(TimedOut):
            await queues.queues()
