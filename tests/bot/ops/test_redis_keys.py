"""Which keys fill a server: families by name, sizes from a sample, and never without end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from bot.ops.redis_keys import MEASURED_EACH, Census, family_of
from bot.ops.redis_server import RedisServer
from tests.servers import RealRedis


@pytest.fixture
def client(real_redis: RealRedis) -> Iterator[Any]:
    with contextlib.closing(real_redis.client()) as client:
        yield client


@pytest.mark.parametrize(
    ("key", "family"),
    [
        ("bull:image generation:12", "bull:image generation:<id>"),
        ("bull:image generation:12:lock", "bull:image generation:<id>:lock"),
        ("bull:이미지 생성:wait", "bull:이미지 생성:wait"),
        ("bull:image generation:stalled-check", "bull:image generation:stalled-check"),
        ("sess:6f9619ff-8b86-d011-b42d-00cf4fc964ff", "sess:<id>"),
        ("cache:65aa00000000000000000001:page2", "cache:<id>:page<n>"),
        ("token:eyJhbGciOiJIUzI1NiJ9-abc_def", "token:<id>"),
        ("plain", "plain"),
        ("", ""),
        ("a" * 5000, "a" * 160),
    ],
)
def test_a_family_is_what_is_left_without_ids(key: str, family: str) -> None:
    assert family_of(key) == family


def test_memory_is_bounded_however_many_families_there_are() -> None:
    counted = Census(families_at_most=20)
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"{first}{second}:{third}" for first in letters for second in letters for third in letters[:4]]
    counted.count(names)
    families = counted.families()
    assert sum(family.count for family in families) == len(names) == counted.seen
    assert len(families) <= 2 * 20 + 1
    assert {"*"} < {family.name for family in families}


async def test_a_servers_keys_are_counted_typed_and_weighed(real_redis: RealRedis, client: Any) -> None:
    pipe = client.pipeline()
    for number in range(2_500):
        pipe.hset(f"bull:image generation:{number}", mapping={"data": "x" * 1_000})
        pipe.lpush("bull:image generation:wait", number)
    pipe.set("small", "1")
    pipe.execute()
    server = RedisServer(real_redis.url)
    pages: list[tuple[int, int]] = []
    try:
        found = await server.key_families(10, lambda seen, total: pages.append((seen, total)))
    finally:
        await server.close()
    families = {family.name: family for family in found.families}
    jobs = families["bull:image generation:<id>"]
    assert (found.complete, found.seen, found.total) == (True, 2_502, 2_502)
    assert (jobs.count, jobs.kinds, jobs.measured) == (2_500, ("hash",), MEASURED_EACH)
    assert jobs.bytes == pytest.approx(2_500 * client.memory_usage("bull:image generation:7"), rel=0.1)
    assert (families["bull:image generation:wait"].kinds, families["small"].kinds) == (("list",), ("string",))
    assert found.families[0] is jobs
    assert (len(pages) >= 2, pages[-1]) == (True, (2_502, 2_502))


async def test_what_was_not_looked_at_in_time_is_said(real_redis: RealRedis, client: Any) -> None:
    client.mset({f"key:{number}": "1" for number in range(3_000)})
    server = RedisServer(real_redis.url)
    try:
        found = await server.key_families(0, lambda seen, total: None)
    finally:
        await server.close()
    assert (found.complete, found.total) == (False, 3_000)
    assert 0 < found.seen < 3_000


async def test_an_empty_server_has_no_families(real_redis: RealRedis) -> None:
    server = RedisServer(real_redis.url)
    try:
        found = await server.key_families(5, lambda seen, total: None)
    finally:
        await server.close()
    assert (found.families, found.complete) == ((), True)
