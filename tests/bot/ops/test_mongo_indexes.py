"""Indexes as a real server counts them; redundant is only what another one serves entirely."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from bot.ops.mongo_indexes import Index, with_covers
from tests.bot.ops.test_mongo import adapter
from tests.servers import RealMongod

NOW = 1_790_000_000.0
DAY = 86_400.0


def index(name: str, *keys: tuple[str, Any], **options: Any) -> Index:
    return Index("jobs", name, keys, **options)


async def test_size_use_and_flags_are_the_server_s_own(real_mongod: RealMongod) -> None:
    with real_mongod.client() as client:
        jobs = client[real_mongod.database].jobs
        jobs.insert_many([{"status": "failed", "n": number, "email": str(number)} for number in range(100)])
        jobs.create_index("status")
        jobs.create_index([("status", 1), ("n", -1)])
        jobs.create_index("email", unique=True, sparse=True)
        jobs.create_index("at", expireAfterSeconds=3600)
        jobs.create_index("n", partialFilterExpression={"n": {"$gt": 5}})
        for _ in range(3):
            jobs.find_one({"email": "7"})
        real = {row["name"]: row["accesses"]["ops"] for row in jobs.aggregate([{"$indexStats": {}}])}
        sizes = client[real_mongod.database].command("collStats", "jobs")["indexSizes"]
    async with adapter(real_mongod.uri) as mongo:
        found = {each.name: each for each in await mongo.indexes.look(("jobs", "gone"), 10)}
    assert {name: each.uses for name, each in found.items()} == real
    assert {name: each.size_bytes for name, each in found.items()} == sizes
    assert found["email_1"].uses == 3
    assert (found["email_1"].unique, found["email_1"].sparse, found["at_1"].expires_s, found["n_1"].partial) == (True, True, 3600, True)
    assert {name for name, each in found.items() if each.covered_by} == {"status_1"}
    assert found["status_1"].covered_by == "status_1_n_-1"
    since = found["status_1"].since
    assert since is not None
    assert abs(since - time.time()) < 3_600


async def test_an_account_that_may_not_see_the_use_sees_the_rest(real_mongod: RealMongod) -> None:
    with real_mongod.client() as client:
        database = client[real_mongod.database]
        database.jobs.insert_one({"a": 1})
        with contextlib.suppress(OperationFailure):
            database.command("dropUser", "looker")
        database.command("createUser", "looker", pwd="looker-word", roles=["read"])
    async with adapter(f"mongodb://looker:looker-word@127.0.0.1:{real_mongod.port}/{real_mongod.database}") as mongo:
        (found,) = await mongo.indexes.look(("jobs",), 10)
    assert (found.name, found.uses, found.since, found.size_bytes > 0, found.unused(time.time())) == ("_id_", None, None, True, None)


@pytest.mark.parametrize(
    ("uses", "since", "unused"),
    [(0, NOW - DAY, True), (0, NOW - DAY + 60, None), (5, NOW - 60, False), (None, None, None)],
)
def test_unused_is_said_only_after_a_day(uses: int | None, since: float | None, unused: bool | None) -> None:
    assert index("a_1", ("a", 1), uses=uses, since=since).unused(NOW) is unused


@pytest.mark.parametrize(
    ("short", "long", "covered"),
    [
        (index("s", ("a", 1)), index("l", ("a", 1), ("b", 1)), True),
        (index("s", ("a", -1)), index("l", ("a", 1), ("b", 1)), True),
        (index("s", ("a", 1), ("b", -1)), index("l", ("a", -1), ("b", 1), ("c", 1)), True),
        (index("s", ("a", 1), ("b", -1)), index("l", ("a", 1), ("b", 1), ("c", 1)), False),
        (index("s", ("b", 1)), index("l", ("a", 1), ("b", 1)), False),
        (index("s", ("a", 1), unique=True), index("l", ("a", 1), ("b", 1)), False),
        (index("s", ("a", 1), sparse=True), index("l", ("a", 1), ("b", 1)), False),
        (index("s", ("a", 1), partial=True), index("l", ("a", 1), ("b", 1)), False),
        (index("s", ("a", 1), expires_s=0.0), index("l", ("a", 1), ("b", 1)), False),
        (index("s", ("a", 1)), index("l", ("a", 1), ("b", 1), partial=True), False),
        (index("s", ("a", 1)), index("l", ("a", 1), ("b", 1), sparse=True), False),
        (index("s", ("a", 1)), index("l", ("a", 1), ("b", 1), hidden=True), False),
        (index("s", ("a", 1)), index("l", ("a", 1), ("b", 1), unique=True), True),
        (index("s", ("a", 1)), index("l", ("a", 1), ("b", 1), collation={"locale": "ko"}), False),
        (index("s", ("a", "text")), index("l", ("a", "text"), ("b", 1)), False),
        (index("s", ("a", "hashed")), index("l", ("a", 1)), False),
        (index("_id_", ("_id", 1)), index("l", ("_id", 1), ("b", 1)), False),
    ],
)
def test_redundant_is_only_what_another_index_serves_entirely(short: Index, long: Index, covered: bool) -> None:
    marked = with_covers((short, long))
    assert [each.covered_by for each in marked] == [long.name if covered else "", ""]


def test_of_two_alike_only_one_is_redundant() -> None:
    marked = with_covers((index("a_-1", ("a", -1)), index("a_1", ("a", 1))))
    assert sorted(each.covered_by for each in marked) == ["", "a_-1"]
