"""The MongoDB adapter against a real server: what it counts, and how it fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from bot.errors import Denied, TimedOut, Unreachable
from bot.ops.mongo import Mongo
from tests.bot.ops.silent import silent_port
from tests.servers import RealMongod


@contextlib.asynccontextmanager
async def adapter(uri: str, deadline: float = 10) -> AsyncIterator[Mongo]:
    mongo = Mongo(uri, deadline)
    try:
        yield mongo
    finally:
        await mongo.close()


def fill(server: RealMongod) -> None:
    with server.client() as client:
        database = client[server.database]
        statuses = ["completed"] * 3 + ["failed"] * 2 + ["pending"]
        database.imagegenerationjobs.insert_many([{"status": status} for status in statuses])
        database.imagegenerationjobs.create_index("status")
        database.users.insert_one({"email": "a@b.c"})
        database.create_collection("sessions")
        database.command("create", "failedjobs", viewOn="imagegenerationjobs", pipeline=[{"$match": {"status": "failed"}}])


async def test_the_server_tells_what_it_is(real_mongod: RealMongod) -> None:
    async with adapter(real_mongod.uri) as mongo:
        ping = await mongo.ping()
    assert (ping.replica_set, ping.primary, ping.storage_engine, ping.full) == (None, True, "wiredTiger", True)
    assert ping.version[0].isdigit()
    assert ping.connections >= 1
    assert 0 < ping.latency_ms < 10_000
    assert ping.cache_limit_bytes > 0


@pytest.mark.parametrize("exact", [False, True])
async def test_every_collection_is_counted_and_views_are_not(real_mongod: RealMongod, exact: bool) -> None:
    fill(real_mongod)
    async with adapter(real_mongod.uri) as mongo:
        counts = await mongo.counts(exact)
    assert {count.name: count.count for count in counts} == {"imagegenerationjobs": 6, "sessions": 0, "users": 1}
    assert {count.exact for count in counts} == {exact}
    jobs = next(count for count in counts if count.name == "imagegenerationjobs")
    assert (jobs.indexes, jobs.storage_bytes > 0, jobs.index_bytes > 0) == (2, True, True)


async def test_an_empty_database_has_nothing_to_count(real_mongod: RealMongod) -> None:
    async with adapter(real_mongod.uri) as mongo:
        assert await mongo.counts() == ()
        assert await mongo.read_one() == ""
        assert await mongo.jobs_by_status() == {}
        assert (await mongo.stats()).documents == 0


async def test_jobs_are_counted_by_status_and_the_database_measured(real_mongod: RealMongod) -> None:
    fill(real_mongod)
    async with adapter(real_mongod.uri) as mongo:
        assert await mongo.jobs_by_status() == {"completed": 3, "failed": 2, "pending": 1}
        assert await mongo.read_one() == "imagegenerationjobs"
        stats = await mongo.stats()
    # The view is a document too, in the collection where the server keeps views.
    assert (stats.name, stats.documents, stats.data_bytes > 0) == (real_mongod.database, 8, True)


@pytest.mark.parametrize(
    ("uri", "given", "name"),
    [
        ("mongodb://h/shop?authSource=admin", "", "shop"),
        ("mongodb://h/", "", "vcc-manager"),
        ("mongodb://h/shop", "scratch", "scratch"),
    ],
)
async def test_the_database_is_the_addresss_unless_one_is_named(uri: str, given: str, name: str) -> None:
    mongo = Mongo(uri, 1, database=given)
    assert mongo.database == name
    await mongo.close()


async def test_a_wrong_password_is_denied_and_not_repeated_to_anyone(real_mongod: RealMongod) -> None:
    async with adapter(real_mongod.uri.replace(real_mongod.password, "wrongword")) as mongo:
        with pytest.raises(Denied) as caught:
            await mongo.ping()
    assert "wrongword" not in str(caught.value)


async def test_without_a_password_questions_are_denied(real_mongod: RealMongod) -> None:
    async with adapter(f"mongodb://127.0.0.1:{real_mongod.port}/vcc-manager") as mongo:
        with pytest.raises(Denied):
            await mongo.counts()
        with pytest.raises(Denied):
            await mongo.read_one()


async def test_an_account_without_rights_on_the_server_still_learns_that_it_answers(real_mongod: RealMongod) -> None:
    with real_mongod.client() as client:
        client[real_mongod.database].command("createUser", "app", pwd="app-word", roles=["readWrite"])
    async with adapter(f"mongodb://app:app-word@127.0.0.1:{real_mongod.port}/{real_mongod.database}") as mongo:
        ping = await mongo.ping()
        assert (ping.full, ping.primary, ping.version[0].isdigit()) == (False, True, True)
        assert await mongo.jobs_by_status() == {}


async def test_a_server_that_stopped_is_unreachable_inside_the_deadline(real_mongod: RealMongod) -> None:
    async with adapter(real_mongod.uri, 1.5) as mongo:
        await mongo.ping()
        real_mongod.stop()
        started = time.monotonic()
        with pytest.raises(Unreachable):
            await mongo.ping()
        assert time.monotonic() - started < 20


async def test_a_server_that_hangs_times_out_inside_the_deadline() -> None:
    async with silent_port() as port, adapter(f"mongodb://127.0.0.1:{port}/x", 0.5) as mongo:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            await mongo.ping()
        assert time.monotonic() - started < 20
