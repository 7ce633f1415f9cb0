"""The server's slow commands: names and keys, and nothing of what was sent along."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.ops.redis_server import RedisServer
from bot.ops.redis_slowlog import SlowLog
from tests.servers import RealRedis

SECRET = "hunter2-hunter2"


@pytest.fixture
def client(real_redis: RealRedis) -> Iterator[Any]:
    with contextlib.closing(real_redis.client()) as client:
        yield client


async def seen(real_redis: RealRedis, limit: int = 20) -> SlowLog:
    server = RedisServer(real_redis.url)
    try:
        return await server.slow_log(limit)
    finally:
        await server.close()


async def test_each_tells_its_name_and_its_first_key_only(real_redis: RealRedis, client: Any) -> None:
    client.client_setname("bull:aW1hZ2U=")
    client.config_set("slowlog-log-slower-than", 0)
    client.hset("bull:image generation:5", "data", SECRET)
    client.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, "bull:q:wait list", SECRET)
    client.eval("return ARGV[1]", 0, SECRET)
    client.config_set("maxmemory-samples", 5)
    client.keys(f"*{SECRET}*")
    client.set("그림 1", SECRET * 100)
    client.config_set("slowlog-log-slower-than", 10_000)
    found = await seen(real_redis)
    told = [(entry.command, entry.key) for entry in found.entries]
    assert ("HSET", "bull:image generation:5") in told
    assert ("EVAL", "bull:q:wait list") in told
    assert ("EVAL", "") in told
    assert ("CONFIG SET", "") in told
    assert ("KEYS", "") in told
    assert ("SET", "그림 1") in told
    assert SECRET not in repr(found)
    assert found.threshold == 0.01
    assert found.remembered == len(found.entries)
    assert {entry.client for entry in found.entries} == {"bull:aW1hZ2U=", ""}
    assert all(abs(entry.at - time.time()) < 60 and entry.seconds < 5 for entry in found.entries)


async def test_only_the_newest_are_told_and_an_empty_log_is_empty(real_redis: RealRedis, client: Any) -> None:
    assert (await seen(real_redis)).entries == ()
    client.config_set("slowlog-log-slower-than", 0)
    for number in range(10):
        client.get(f"key{number}")
    client.config_set("slowlog-log-slower-than", -1)
    found = await seen(real_redis, 4)
    assert [entry.key for entry in found.entries] == ["key9", "key8", "key7", "key6"]
    assert (found.remembered, found.threshold) == (11, None)
