"""Jobs by state, page by page, and one in full: whatever is missing or broken in a job is told and breaks nothing."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bot.ops.bull import BullQueues
from bot.ops.bull_values import Fault
from tests.real_parts import BullMaker
from tests.servers import RealRedis

QUEUE = "a: 큐"
PREFIX = f"bull:{QUEUE}:"
NOW = 1_790_000_000_000


@pytest.fixture
def client(real_redis: RealRedis) -> Iterator[Any]:
    with contextlib.closing(real_redis.client()) as client:
        yield client


@pytest.fixture
async def queues(real_redis: RealRedis) -> AsyncIterator[BullQueues]:
    queues = BullQueues(real_redis.url, 10)
    yield queues
    await queues.close()


def whole(**fields: Any) -> dict[str, Any]:
    """A job's hash with nothing wrong, but for the fields given."""
    opts = json.dumps({"attempts": 3})
    return {"name": "generateImage", "timestamp": NOW, "delay": 0, "opts": opts, "data": json.dumps({"jobId": "65aa"}), **fields}


def fail(client: Any, job: str, at: int, fields: dict[str, Any] | None) -> None:
    client.zadd(f"{PREFIX}failed", {job: at})
    if fields:
        client.hset(f"{PREFIX}{job}", mapping=fields)


async def test_what_bull_takes_next_stands_first(real_redis: RealRedis, bull_node: BullMaker, queues: BullQueues) -> None:
    bull = bull_node(real_redis.url, QUEUE)
    ids = bull.add(*[{"jobId": f"65{number}"} for number in range(12)], attempts=4)
    first = await queues.jobs.page(QUEUE, "waiting", 0, 5)
    last = await queues.jobs.page(QUEUE, "waiting", 10, 5)
    beyond = await queues.jobs.page(QUEUE, "waiting", 15, 5)
    assert ([job.id for job in first.jobs], [job.id for job in last.jobs]) == (ids[:5], ids[10:])
    assert (first.total, beyond.total, beyond.jobs) == (12, 12, ())
    (next_one,) = bull.run("take", count=1)
    assert next_one == first.jobs[0].id
    job = first.jobs[0]
    assert (job.attempts_made, job.attempts, job.data_job_id, job.name, job.fault) == (0, 4, "650", "generateImage", Fault.NONE)
    assert abs((job.made_at or 0) - time.time()) < 60


async def test_a_delayed_job_tells_when_it_is_due(real_redis: RealRedis, bull_node: BullMaker, queues: BullQueues) -> None:
    bull = bull_node(real_redis.url, QUEUE)
    late = bull.add({}, delay=7_200_000)
    soon = bull.add({}, delay=3_600_000)
    page = await queues.jobs.page(QUEUE, "delayed", 0, 10)
    assert [job.id for job in page.jobs] == soon + late
    assert page.jobs[0].due_at == pytest.approx(time.time() + 3600, abs=60)


async def test_ended_jobs_stand_newest_first(client: Any, queues: BullQueues) -> None:
    for number in range(4):
        fail(client, str(number), NOW + number, whole(failedReason=f"reason {number}", finishedOn=NOW + number))
    page = await queues.jobs.page(QUEUE, "failed", 1, 2)
    assert [(job.id, job.failed_reason) for job in page.jobs] == [("2", "reason 2"), ("1", "reason 1")]


async def test_whatever_is_broken_in_a_job_is_told(client: Any, queues: BullQueues) -> None:
    broken = {
        "gone": (None, Fault.MISSING),
        "half": ({"attemptsMade": 3, "failedReason": "half"}, Fault.HALF),
        "data": (whole(data="not JSON {"), Fault.NOT_JSON),
        "options": (whole(opts="[1]"), Fault.NOT_JSON),
        "deep": (whole(data="[" * 50_000), Fault.NOT_JSON),
        "odd": (whole(attemptsMade="many", timestamp="yesterday", progress='{"step": 2}'), Fault.NONE),
        "bytes": (whole(failedReason=b"\xff\xfe broken", progress="NaN"), Fault.NONE),
    }
    for at, (job, (fields, _)) in enumerate(broken.items()):
        fail(client, job, NOW + at, fields)
    client.set(f"{PREFIX}text", "no job")
    client.zadd(f"{PREFIX}failed", {"text": NOW})
    page = await queues.jobs.page(QUEUE, "failed", 0, 20)
    found = {job.id: job for job in page.jobs}
    assert {name: job.fault for name, job in found.items()} == {
        **{name: fault for name, (_, fault) in broken.items()},
        "text": Fault.NOT_A_HASH,
    }
    assert (found["odd"].attempts_made, found["odd"].made_at, found["odd"].progress) == (0, None, None)
    assert found["half"].failed_reason == "half"
    for name in found:
        detail = await queues.jobs.job(QUEUE, name)
        assert detail is not None
        assert detail.job.fault is found[name].fault


async def test_only_the_beginning_of_a_huge_job_is_read(client: Any, queues: BullQueues) -> None:
    data = json.dumps({"jobId": "65cc", "inputData": {"prompt": "가" * 2_000_000}}, ensure_ascii=False)
    fail(client, "1", NOW, whole(data=data, failedReason="x" * 5_000_000))
    (job,) = (await queues.jobs.page(QUEUE, "failed", 0, 10)).jobs
    assert (job.fault, job.data_job_id, job.data_bytes) == (Fault.NONE, "65cc", len(data.encode()))
    assert len(job.failed_reason) == 2_000
    detail = await queues.jobs.job(QUEUE, "1")
    assert detail is not None
    assert detail.data_cut
    assert len(detail.data) < 1_048_577
    assert "가" not in repr(detail)


async def test_one_job_tells_its_newest_trace_its_lock_and_its_log(client: Any, queues: BullQueues) -> None:
    fields = whole(stacktrace=json.dumps(["Error: first", "Error: newest"]), priority=4, processedOn=NOW + 5, failedReason="newest")
    client.hset(f"{PREFIX}7", mapping=fields)
    client.lpush(f"{PREFIX}active", "7")
    client.set(f"{PREFIX}7:lock", "a worker")
    client.rpush(f"{PREFIX}7:logs", "one", "two")
    found = await queues.jobs.job(QUEUE, "7")
    assert found is not None
    assert (found.job.state, found.locked, found.priority, found.log_lines, found.stack) == ("active", True, 4, 2, "Error: newest")
    assert await queues.jobs.job(QUEUE, "8") is None


async def test_a_job_is_where_bull_says_also_when_nothing_is_left_but_its_number(client: Any, queues: BullQueues) -> None:
    client.hset(f"{PREFIX}stray", mapping=whole())
    client.lpush(f"{PREFIX}wait", "gone")
    stray, gone, unknown = await queues.jobs.where(QUEUE, ["stray", "gone", "unknown"])
    assert (stray.state, stray.known) == ("stuck", True)
    assert (gone.state, gone.place, gone.known) == (None, "waiting", True)
    assert (unknown.state, unknown.known) == (None, False)
    assert set(await queues.jobs.holders([QUEUE, "another"], "gone")) == {QUEUE}


async def test_reasons_are_read_in_slices_and_no_more_than_asked_for(client: Any, queues: BullQueues) -> None:
    for number in range(230):
        fail(client, str(number), NOW + number, whole(failedReason=f"code {number}"))
    total, reasons = await queues.jobs.failed_reasons(QUEUE, 220)
    assert (total, len(reasons), reasons[0], reasons[-1]) == (230, 220, ("229", "code 229"), ("10", "code 10"))
