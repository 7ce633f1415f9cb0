"""The Redis adapter against a real server: what it says, and how it fails."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from bot.errors import Denied, TimedOut, Unreachable
from bot.ops.redis_server import RedisServer, info_from
from tests.bot.ops.silent import silent_port
from tests.servers import RealRedis


@contextlib.asynccontextmanager
async def adapter(url: str, deadline: float = 5) -> AsyncIterator[RedisServer]:
    server = RedisServer(url, deadline)
    try:
        yield server
    finally:
        await server.close()


async def test_the_server_tells_what_it_is_and_how_it_keeps_its_data(real_redis: RealRedis) -> None:
    with contextlib.closing(real_redis.client()) as client:
        client.set("a", "b")
        client.config_set("maxmemory", 100_000_000)
    async with adapter(real_redis.url) as server:
        info = await server.info()
        assert await server.ping() < 5000
    assert (info.aof_enabled, info.aof_last_write_ok, info.role, info.keys, info.loading) == (True, True, "master", 1, False)
    assert (info.policy, info.policy_ok_for_bull, info.policy_recommended) == ("noeviction", True, True)
    assert info.version.split(".")[0] in ("6", "7", "8")
    assert info.memory_percent == pytest.approx(info.used_memory / 1_000_000)
    assert info.last_save_ok
    assert info.clients >= 1


async def test_a_policy_that_evicts_jobs_is_told(real_redis: RealRedis) -> None:
    with contextlib.closing(real_redis.client()) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    async with adapter(real_redis.url) as server:
        info = await server.info()
    assert (info.policy, info.policy_ok_for_bull, info.policy_recommended) == ("allkeys-lru", False, False)


def test_without_a_limit_there_is_no_share_of_it() -> None:
    assert info_from({"used_memory": 5, "maxmemory": 0}, 0, 1).memory_percent is None


@pytest.mark.parametrize("password", ["wrong", ""])
async def test_a_wrong_or_missing_password_is_denied(real_redis: RealRedis, password: str) -> None:
    credentials = f":{password}@" if password else ""
    async with adapter(f"redis://{credentials}127.0.0.1:{real_redis.port}") as server:
        with pytest.raises(Denied) as caught:
            await server.info()
    assert "wrong" not in str(caught.value)


async def test_a_server_that_stopped_is_unreachable_and_found_again_when_back(real_redis: RealRedis) -> None:
    async with adapter(real_redis.url) as server:
        await server.ping()
        real_redis.stop()
        with pytest.raises(Unreachable):
            await server.info()
        real_redis.start()
        assert (await server.info()).role == "master"


async def test_a_server_that_hangs_times_out_inside_the_deadline() -> None:
    async with silent_port() as port, adapter(f"redis://127.0.0.1:{port}", 0.3) as server:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            await server.info()
        assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("used", "ratio", "verdict"), [(1_000_000, 12.0, "small"), (1e9, 1.1, "good"), (1e9, 1.5, "high"), (1e9, 0.5, "swapped")]
)
def test_fragmentation_is_judged_only_where_it_means_something(used: float, ratio: float, verdict: str) -> None:
    assert info_from({"used_memory": int(used), "mem_fragmentation_ratio": ratio}, 0, 1).fragmentation_verdict == verdict
