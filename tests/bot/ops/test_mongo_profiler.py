"""The profiler of a real mongod: switched and read; what runs now is seen, what is ours is not."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator

import pytest
from pymongo.errors import OperationFailure

from bot.errors import OutsideError
from bot.ops.mongo_profiler import Profiling
from bot.ops.mongo_slow import SlowOperation, Source
from bot.testing.waiting import until
from tests.bot.ops.test_mongo import adapter
from tests.servers import RealMongod


@pytest.fixture
def mongod(real_mongod: RealMongod) -> Iterator[RealMongod]:
    """A mongod whose profiler is off before the test and after it; the level outlives a dropped database."""
    with real_mongod.client() as client:
        client[real_mongod.database].jobs.insert_many([{"status": "failed", "prompt": "hush", "n": number} for number in range(200)])
    yield real_mongod
    with real_mongod.client() as client:
        client[real_mongod.database].command("profile", 0, slowms=100, sampleRate=1.0)


async def test_the_profiler_is_switched_with_threshold_and_rate(mongod: RealMongod) -> None:
    async with adapter(mongod.uri) as mongo:
        assert await mongo.profiler.read() == Profiling(0, 100)
        await mongo.profiler.switch(Profiling(2, 250, 0.5))
        assert await mongo.profiler.read() == Profiling(2, 250, 0.5)
    with mongod.client() as client:
        assert client[mongod.database].command("profile", -1)["was"] == 2


async def test_what_was_recorded_comes_back_without_what_is_ours(mongod: RealMongod) -> None:
    async with adapter(mongod.uri) as mongo:
        assert await mongo.profiler.recorded(0) == ()
        await mongo.profiler.switch(Profiling(1, 5))
        began = time.time() - 1
        with mongod.client() as client:
            list(client[mongod.database].jobs.find({"status": "failed", "$where": "sleep(1)||true"}).limit(20))
        await mongo.jobs_by_status()
        (found,) = await mongo.profiler.recorded(began)
        assert (found.source, found.shape.collection, found.shape.pattern) == (Source.PROFILER, "jobs", "{$where: ?, status: ?}")
        assert (found.plan, found.examined, found.returned) == ("COLLSCAN", 20, 20)
        assert found.milliseconds >= 20
        assert abs(found.at - time.time()) < 60
        assert await mongo.profiler.recorded(time.time() + 60) == ()


async def test_an_operation_that_runs_now_is_seen_and_idle_connections_are_not(mongod: RealMongod) -> None:
    def work() -> None:
        with mongod.client() as client:
            list(client[mongod.database].jobs.find({"$where": "sleep(10)||true"}).limit(80))

    async with adapter(mongod.uri) as mongo:
        assert await mongo.profiler.running(0) == ()
        working = asyncio.create_task(asyncio.to_thread(work))
        found: list[SlowOperation] = []

        async def seen() -> bool:
            found[:] = await mongo.profiler.running(100)
            return bool(found)

        await until(seen, "the operation is seen while it runs")
        assert [(each.source, each.shape.operation, each.plan) for each in found] == [(Source.RUNNING, "find", "COLLSCAN")]
        assert found[0].milliseconds >= 100
        await working


async def test_an_account_without_the_right_is_told_which_role_it_needs(mongod: RealMongod) -> None:
    with mongod.client() as client, contextlib.suppress(OperationFailure):
        client[mongod.database].command("dropUser", "reader")
    with mongod.client() as client:
        client[mongod.database].command("createUser", "reader", pwd="reader-word", roles=["read"])
    async with adapter(f"mongodb://reader:reader-word@127.0.0.1:{mongod.port}/{mongod.database}") as mongo:
        profiler = mongo.profiler
        for ask, role in (
            (profiler.read, "dbAdmin"),
            (lambda: profiler.switch(Profiling(1, 100)), "dbAdmin"),
            (lambda: profiler.recorded(0), "dbAdmin"),
            (lambda: profiler.running(0), "clusterMonitor"),
        ):
            with pytest.raises(OutsideError) as caught:
                await ask()
            assert (caught.value.key, caught.value.values["role"]) == ("db.needs_role", role)
