"""The adapters of MongoDB, Redis, Bull, HTTP and the uploads, on both grounds: their figures are the vendors' own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import NotFound, OutsideError, TimedOut, Unreachable
from bot.ops.bundle import Ops
from bot.ops.health import HealthProbes, HealthReason
from bot.ops.mongo_log import logged
from bot.ops.mongo_slow import SlowOperation
from bot.testing.waiting import until
from tests.grounds.ground import Ground
from tests.grounds.jobs import Jobs

QUEUE = "image generation"
COUNTED = ("waiting", "active", "delayed", "completed", "failed", "paused")


async def test_mongodb_is_the_server_that_answers(ground: Ground, ops: Ops) -> None:
    ping = await ops.mongo.ping()
    with ground.mongo() as mongo:
        status = mongo.admin.command("serverStatus")
    assert (ping.version, ping.storage_engine) == (status["version"], "wiredTiger")
    assert (ping.primary, ping.replica_set, ping.full) == (True, None, True)
    assert abs(ping.uptime_s - status["uptime"]) <= 2
    assert ping.connections >= 1
    assert 0 < ping.latency_ms < 2500


async def test_documents_are_counted_as_mongodb_itself_counts_them(ground: Ground, ops: Ops, still: Jobs) -> None:
    with ground.mongo() as mongo:
        database = mongo["vcc-manager"]
        database["imagegenerationjobs"].insert_many([{"status": "failed"}, {"status": "cancelled"}])
        names = [name for name in database.list_collection_names() if not name.startswith("system.")]
        real = {name: database[name].count_documents({}) for name in names}
        rows = database["imagegenerationjobs"].aggregate([{"$group": {"_id": "$status", "count": {"$sum": 1}}}])
        by_status = {str(row["_id"]): row["count"] for row in rows}
        stats = database.command("dbStats")
    assert {count.name: count.count for count in await ops.mongo.counts(exact=True)} == real
    assert {count.name for count in await ops.mongo.counts()} == set(real)
    assert await ops.mongo.jobs_by_status() == by_status
    ours = await ops.mongo.stats()
    assert (ours.name, ours.documents, ours.collections) == ("vcc-manager", stats["objects"], stats["collections"])


async def test_a_slow_query_is_found_in_the_server_s_own_log(ground: Ground, ops: Ops) -> None:
    began = time.time() - 60
    with ground.mongo() as mongo:
        slow = mongo["vcc-manager"]["slowtest"]
        slow.insert_many([{"personal": "gildong@personal.example"} for _ in range(40)])
        list(slow.find({"personal": "gildong@personal.example", "$where": "sleep(5)||true"}))
        slow.drop()
    found: list[SlowOperation] = []

    async def told() -> bool:
        log = await logged(ops.containers, ops.logs, "vcc-manager", began, 20)
        found[:] = [each for each in log.operations if each.shape.collection == "slowtest"] if log else []
        return bool(found)

    await until(told, "the log tells of the query")
    assert [(each.shape.pattern, each.plan, each.returned) for each in found] == [("{$where: ?, personal: ?}", "COLLSCAN", 40)]
    assert found[0].milliseconds >= 200


async def test_redis_is_the_server_that_answers(ground: Ground, ops: Ops, still: Jobs) -> None:
    info = await ops.redis.info()
    with ground.redis() as client:
        real: Any = client.info()
        keys: Any = client.dbsize()
    assert (info.version, info.policy, info.maxmemory) == (real["redis_version"], real["maxmemory_policy"], real["maxmemory"])
    assert (info.role, info.aof_enabled, info.policy_ok_for_bull) == ("master", True, True)
    assert abs(info.keys - keys) <= 2  # Bull's guard of the stalled check comes and goes
    assert info.used_memory == pytest.approx(real["used_memory"], rel=0.2)


async def test_queue_figures_are_the_real_bulls(ops: Ops, still: Jobs) -> None:
    still.make(3)
    before, (status,) = still.counts(), await ops.bull.queues()
    assert {name: getattr(status, name) for name in COUNTED} == {name: before[name] for name in COUNTED}
    assert (status.name, status.is_paused, status.waiting) == (QUEUE, True, 0)
    assert status.paused >= 3
    assert status.oldest_waiting_at is not None
    assert status == await ops.bull.queue(QUEUE)


async def test_a_pause_is_obeyed_by_the_worker_and_a_resume_loses_no_job(ops: Ops, jobs: Jobs) -> None:
    await ops.bull.pause(QUEUE)
    jobs.wait_idle()
    made = jobs.make(4)
    assert jobs.counts()["isPaused"] is True
    await asyncio.sleep(1.5)  # long enough for a worker that does not obey to take one
    assert set(jobs.bull.run("states", ids=made.ids).values()) == {"paused"}
    await ops.bull.resume(QUEUE)
    assert jobs.counts()["isPaused"] is False
    jobs.check_once(made)


async def test_draining_waits_for_the_jobs_in_flight_and_leaves_the_rest(ops: Ops, jobs: Jobs) -> None:
    made = jobs.make(10)
    jobs.wait_active()
    active = [job.id for job in (await ops.bull.jobs.page(QUEUE, "active", 0, 1000)).jobs]
    assert active
    await ops.bull.pause(QUEUE)
    said: list[int] = []

    async def progress(remaining: int) -> None:
        said.append(remaining)

    assert await ops.bull.drain(QUEUE, 30, poll=0.1, on_progress=progress) == 0
    assert said == sorted(said, reverse=True)
    assert said[-1] == 0
    states = jobs.bull.run("states", ids=active)
    assert set(states.values()) <= {"completed", "delayed", "failed", None}  # None: Bull keeps only so many done ones
    assert jobs.counts()["active"] == 0
    await ops.bull.resume(QUEUE)
    jobs.check_once(made)


async def test_a_drain_gives_up_in_time_and_says_how_many_still_work(ops: Ops, jobs: Jobs) -> None:
    made = jobs.make(2, milliseconds=4000)
    jobs.wait_active()
    assert await ops.bull.drain(QUEUE, 0.1, poll=0.05) >= 1
    jobs.check_once(made)


async def test_a_queue_nobody_knows_is_not_made_by_asking(ground: Ground, ops: Ops, jobs: Jobs) -> None:
    for asked in (ops.bull.queue("nobody"), ops.bull.pause("nobody"), ops.bull.resume("nobody")):
        with pytest.raises(NotFound):
            await asked
    assert await ops.bull.names() == (QUEUE,)


async def test_health_asks_the_backend_itself_and_is_not_fooled_by_a_page(ground: Ground, ops: Ops) -> None:
    backend, frontend = await ops.health.check()
    assert (backend.name, backend.up, backend.status, frontend.up) == ("backend", True, 200, True)
    probes = HealthProbes({"page": f"{ground.addresses['frontend']}/health", "missing": f"{ground.addresses['backend']}/api/health"})
    page, missing = await probes.check()
    assert (page.up, page.status, page.reason) == (False, 200, HealthReason.NOT_HEALTH)
    assert (missing.up, missing.status) == (False, 404)
    ground.stop("backend")
    backend, frontend = await ops.health.check()
    assert (backend.up, frontend.up) == (False, True)


async def test_stopped_databases_are_unreachable_within_the_deadline_and_come_back(ground: Ground, ops: Ops, still: Jobs) -> None:
    await ops.mongo.ping()
    await ops.redis.ping()
    ground.stop("mongodb")
    ground.stop("redis")
    for ask in (ops.mongo.ping, ops.redis.info, ops.bull.queues):
        assert await at_best(ask) < 3
    ground.mend()
    assert (await ops.mongo.ping()).primary
    assert (await ops.redis.info()).role == "master"
    assert [queue.name for queue in await ops.bull.queues()] == [QUEUE]


async def at_best(ask: Callable[[], Awaitable[object]]) -> float:
    """The seconds until it gives up, at best: what is late once only may be the machine's fault."""
    took = float("inf")
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises((Unreachable, TimedOut)):
            await ask()
        took = min(took, time.monotonic() - began)
        if took < 3:
            break
    return took


async def test_the_uploads_are_counted_as_they_lie_there(ground: Ground, ops: Ops, still: Jobs) -> None:
    still.bull.run("resume")
    made = still.make(1)
    still.wait_ended(made)
    still.bull.run("pause")
    still.wait_idle()
    folder = Path(ground.environment["VCC_UPLOADS_DIR"]) / "generated"
    files = [entry for entry in folder.iterdir() if entry.is_file() and entry.name != ".gitkeep"]
    usage = await ops.uploads.usage()
    (generated,) = (kind for kind in usage.kinds if kind.kind == "generated")
    assert (generated.total.count, generated.total.bytes) == (len(files), sum(file.stat().st_size for file in files))
    assert generated.total.count >= 1


async def test_an_adapter_says_what_is_wrong_without_saying_a_secret(ground: Ground, ops: Ops, still: Jobs) -> None:
    ground.stop("redis")
    with pytest.raises(OutsideError) as caught:
        await ops.redis.ping()
    assert not [secret for secret in ground.secrets if secret in f"{caught.value} {caught.value.values}"]
