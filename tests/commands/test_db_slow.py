"""``db slow`` on a real mongod: each teller is named, each operation counted once, and nothing anybody looked for is shown."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from bot.model import Outcome, Reply, Tone
from bot.sandbox.deployment import Deployment
from tests.commands.conftest import Bot, MakeBot, until

Database = pymongo.database.Database[dict[str, Any]]
PERSONAL = "gildong.hong@personal.example"
SCAN = "{$where: ?, personal: ?}"


@pytest.fixture
def database(sandbox: Deployment) -> Iterator[Database]:
    """VCC's database with the profiler off and a collection of the test's own, before and after."""
    with pymongo.MongoClient[dict[str, Any]](sandbox.env["MONGODB_URI"], appname="backend") as client:
        database = client.get_default_database()

        def clean() -> None:
            database.command("profile", 0, slowms=100)
            database.drop_collection("system.profile")
            database.drop_collection("slowtest")

        clean()
        database.slowtest.insert_many([{"n": number, "personal": PERSONAL} for number in range(400)])
        yield database
        clean()


def crawl(database: Database, count: int = 60, sleep: int = 2) -> None:
    """A query that takes its time."""
    list(database.slowtest.find({"personal": PERSONAL, "$where": f"sleep({sleep})||true"}).limit(count))


def group_of(reply: Reply, collection: str = "slowtest") -> dict[str, Any]:
    found = [each for each in reply.data["groups"] if (each["collection"], each["operation"]) == (collection, "find")]
    assert len(found) == 1, reply.data
    return dict(found[0])


def shown(reply: Reply) -> str:
    return json.dumps(asdict(reply), default=str, ensure_ascii=False)


async def test_the_log_alone_tells_of_slow_queries(make_bot: MakeBot, database: Database) -> None:
    bot = await make_bot(VCC_LANG="en")
    await asyncio.to_thread(crawl, database)

    async def told() -> bool:
        return any(each["collection"] == "slowtest" for each in (await bot("db slow --since 5m --limit 50")).data["groups"])

    await until(told, "the log tells of the query")
    reply = await bot("db slow --since 5m --limit 50", "vera")
    group = group_of(reply)
    assert (group["sources"], group["scans"], group["shape"], reply.tone) == ({"log": group["count"]}, True, SCAN, Tone.WARN)
    assert group["slowest_ms"] >= 120
    assert dict(reply.fields)["Profiler"].endswith("switched off")
    assert "full scan" in shown(reply)
    assert PERSONAL not in shown(reply)


async def test_what_the_profiler_and_the_log_both_tell_counts_once(make_bot: MakeBot, database: Database) -> None:
    bot = await make_bot(VCC_LANG="en")
    assert (await bot("db profile on --slowms 20 --minutes 5")).outcome is Outcome.DONE
    before = _count(await bot("db slow --since 5m --limit 50"))
    for _ in range(3):
        await asyncio.to_thread(crawl, database, 20)

    async def told_twice() -> bool:
        reply = await bot("db slow --since 5m --limit 50")
        return reply.data["sources"]["log"]["operations"] >= 3 and _count(reply) >= before + 3 and "log" in group_of(reply)["sources"]

    await until(told_twice, "profiler and log tell of the queries")
    reply = await bot("db slow --since 5m --limit 50")
    group = group_of(reply)
    assert (group["count"], group["sources"]["profiler"]) == (before + 3, 3)
    assert group["examined_per_returned"] == 1
    assert {source for source, each in reply.data["sources"].items() if each["used"]} == {"profiler", "running", "log"}
    assert PERSONAL not in shown(reply)
    await bot("db profile off")


def _count(reply: Reply) -> int:
    return sum(each["count"] for each in reply.data["groups"] if each["collection"] == "slowtest")


async def test_what_runs_now_is_shown_and_the_bot_s_own_questions_are_not(make_bot: MakeBot, database: Database) -> None:
    bot = await make_bot(VCC_LANG="en")
    crawling = asyncio.create_task(asyncio.to_thread(crawl, database, 90, 10))

    async def seen() -> bool:
        return "running" in str([each["sources"] for each in (await bot("db slow --since 1m --limit 50")).data["groups"]])

    await until(seen, "the running query is shown")
    reply = await bot("db slow --since 1m --limit 50")
    await crawling
    assert PERSONAL not in shown(reply)
    assert not [each for each in reply.data["groups"] if each["operation"] in ("profile", "explain", "hello")]


async def test_an_account_without_rights_still_learns_from_the_log_and_which_roles_are_missing(
    make_bot: MakeBot, sandbox: Deployment, database: Database
) -> None:
    with pymongo.MongoClient[dict[str, Any]](sandbox.env["MONGODB_URI"]) as client:
        with contextlib.suppress(OperationFailure):
            client.admin.command("dropUser", "plain")
        client.admin.command("createUser", "plain", pwd="plain-word", roles=[{"role": "read", "db": database.name}])
    address = sandbox.env["MONGODB_URI"].split("@", 1)[1]
    bot: Bot = await make_bot(VCC_LANG="en", MONGODB_URI=f"mongodb://plain:plain-word@{address}")
    await asyncio.to_thread(crawl, database)
    reply = await bot("db slow --since 5m")
    denied = await bot("db profile on")
    with pymongo.MongoClient[dict[str, Any]](sandbox.env["MONGODB_URI"]) as client:
        client.admin.command("dropUser", "plain")
    assert (reply.outcome, reply.data["sources"]["log"]["used"], reply.data["sources"]["profiler"]["used"]) == (Outcome.DONE, True, False)
    assert ("dbAdmin" in dict(reply.fields)["Profiler"], "clusterMonitor" in dict(reply.fields)["Running now"]) == (True, True)
    assert (denied.outcome, "dbAdmin" in denied.text) == (Outcome.FAILED, True)


async def test_without_docker_the_other_two_still_tell(make_bot: MakeBot, database: Database, tmp_path_factory: Any) -> None:
    bot = await make_bot(VCC_LANG="en", DOCKER_HOST=f"unix://{tmp_path_factory.mktemp('none')}/docker.sock")
    await bot("db profile on --slowms 20 --minutes 5")
    await asyncio.to_thread(crawl, database)
    reply = await bot("db slow --since 5m")
    await bot("db profile off")
    assert (reply.outcome, reply.data["sources"]["log"]["used"]) == (Outcome.DONE, False)
    assert group_of(reply)["sources"] == {"profiler": 1}
