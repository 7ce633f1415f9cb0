"""Every job of a queue is found with its place, and read byte for byte, so much at a time that no job is too big."""

from __future__ import annotations

import pytest

from bot.ops import bull_whole
from bot.ops.bull import BullQueues
from bot.ops.bull_whole import Placed
from tests.bot.ops.bull_parts import Stock, raw, waiting
from tests.bull import QUEUE
from tests.real_parts import BullMaker
from tests.servers import RealRedis


async def test_every_job_of_every_state_is_found_with_its_place(real_redis: RealRedis, bull_node: BullMaker) -> None:
    stock, queues = Stock(), BullQueues(real_redis.url)
    ids = stock.fill(real_redis, bull_node)
    placed = {each.job: each for each in await queues.whole.placed(QUEUE)}
    assert set(placed) == set(ids)
    assert sorted({each.place for each in placed.values()}) == ["active", "completed", "delayed", "failed", "wait"]
    assert all((each.score is None) is (each.place in ("wait", "active")) for each in placed.values())
    assert placed["odd \udcff"].ahead == sum(each.place == "wait" for each in placed.values()) - 1
    found = {job.placed.job: job async for some in queues.whole.whole(QUEUE, list(placed.values())) for job in some}
    await queues.close()
    assert set(found) == set(ids)
    assert list(found[ids[0]].logs) == ["한 줄", "\udcff"]
    assert found[ids[4]].fields["odd \udcff\0"] == "\udcfe\udc80 bytes"
    assert sorted(job.priority for job in found.values() if job.priority) == [2.0, 3.0, 3.0]


async def test_big_jobs_are_fetched_alone_and_what_is_no_job_is_left_out(real_redis: RealRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bull_whole, "MOST_BYTES", 100_000)
    ids = waiting(real_redis, 250)
    with raw(real_redis) as client:
        for job in ids[::50]:
            client.hset(f"bull:{QUEUE}:{job}", "data", "x" * 150_000)
        client.delete(f"bull:{QUEUE}:{ids[1]}")
        client.delete(f"bull:{QUEUE}:{ids[2]}")
        client.set(f"bull:{QUEUE}:{ids[2]}", "no hash")
        client.hdel(f"bull:{QUEUE}:{ids[3]}", "data")
    queues = BullQueues(real_redis.url)
    groups = [some async for some in queues.whole.data(QUEUE, ids)]
    whole = [some async for some in queues.whole.whole(QUEUE, [Placed(job, "wait") for job in ids])]
    await queues.close()
    assert [job for some in groups for job, _ in some] == [job for job in ids if job not in ids[1:3]]
    assert [[job.placed.job for job in some] for some in whole] == [[job for job, _ in some] for some in groups]
    assert max(sum(len(text or "") for _, text in some) for some in groups) < 250_000
    assert dict(pair for some in groups for pair in some)[ids[3]] is None
