"""The queues are held and let go again, and their jobs written down: readable without a key, whole with one."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pyrage

from bot.backup import queue_part
from bot.backup.queue_part import Stillness, write_queues
from bot.backup.work import Hooks, Threads
from bot.ops.bull import BullQueues
from bot.ops.seal import Seal
from bot.sandbox.bull import BullQueue
from tests.bot.backup.parts import queue_lines
from tests.servers import RealRedis

QUEUE = "image generation"
PROMPT = "a secret garden"


async def filled(redis: RealRedis, count: int) -> BullQueues:
    """A queue with so many waiting jobs."""
    worker = BullQueue(redis.url)
    for number in range(count):
        data = {"jobId": f"{number:024x}", "inputData": {"prompt": PROMPT}}
        await asyncio.to_thread(worker.add, data)
    worker.redis.close()
    return BullQueues(redis.url)


async def written(bull: BullQueues, seal: Seal, folder: Path) -> queue_part.QueuesWritten:
    threads = Threads()
    try:
        return await write_queues(bull, seal, folder, Hooks(), threads)
    finally:
        threads.close()


async def test_every_job_is_written_without_what_it_carries(real_redis: RealRedis, tmp_path: Path) -> None:
    bull = await filled(real_redis, 1_203)
    found = await written(bull, Seal(), tmp_path)
    await bull.close()
    lines = queue_lines(tmp_path / "queue", QUEUE)
    assert [each.waiting for each in found.queues] == [1_203]
    assert {line["document"] for line in lines} == {f"{number:024x}" for number in range(1_203)}
    assert lines[0]["data_names"] == ["jobId", "inputData", "inputData.prompt"]
    (file,) = found.files
    assert (tmp_path / file.path).stat().st_size == file.size
    assert PROMPT not in (tmp_path / file.path).read_text()
    assert queue_lines(tmp_path / "queue", "no such queue") == []


async def test_with_a_key_all_that_the_jobs_carry_is_kept_sealed(real_redis: RealRedis, tmp_path: Path) -> None:
    bull, identity = await filled(real_redis, 3), pyrage.x25519.Identity.generate()
    found = await written(bull, Seal(str(identity.to_public())), tmp_path)
    await bull.close()
    sealed = next(tmp_path / each.path for each in found.files if each.path.endswith(".age"))
    kept = [json.loads(line) for line in pyrage.decrypt(sealed.read_bytes(), [identity]).splitlines()]
    assert {json.loads(each["data"])["inputData"]["prompt"] for each in kept} == {PROMPT}
    assert len(kept) == 3


async def test_what_somebody_else_closed_stays_closed(real_redis: RealRedis) -> None:
    bull = await filled(real_redis, 1)
    told = list[tuple[str, ...]]()

    async def holding(*queues: str) -> None:
        told.append(queues)

    stillness = Stillness(bull, Hooks(holding=holding))
    assert await stillness.hold(5)
    assert (await bull.queue(QUEUE)).is_paused
    assert await stillness.lasts()
    assert await stillness.let_go() == ()
    assert not (await bull.queue(QUEUE)).is_paused
    assert told == [(QUEUE,), ()]
    await bull.pause(QUEUE)
    other = Stillness(bull, Hooks(holding=holding))
    assert await other.hold(5)
    assert await other.let_go() == ()
    assert (await bull.queue(QUEUE)).is_paused
    assert not other.held_any
    await bull.close()
