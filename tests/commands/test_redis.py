"""``redis`` on a real Redis, up and down."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from bot.model import Outcome, Tone
from tests.commands.conftest import Bot, MakeBot, stop
from tests.servers import RealRedis

API_KEY = "sk-proj-Zk3vQw8xT1yB7nM4pL9dR2sF6gH0jC5a"


@pytest.fixture
async def own(make_bot: MakeBot, real_redis: RealRedis) -> Bot:
    """A bot whose Redis is the test's own."""
    return await make_bot(REDIS_URL=real_redis.url)


@pytest.fixture
def client(real_redis: RealRedis) -> Iterator[Any]:
    with contextlib.closing(real_redis.client()) as client:
        yield client


async def test_info_judges_the_policy_by_what_bull_needs(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox("redis", "vera")
    assert reply.tone is Tone.GOOD
    assert reply.data["policy_recommended"] is True
    fields = dict(reply.fields)
    assert fields["메모리 정책"] == "noeviction — Bull에 맞습니다"
    assert "사용량이 적어" in fields["단편화"]
    assert "재시작해도 작업이 남습니다" in fields["디스크 저장"]
    assert reply.data["fragmentation_verdict"] == "small"


async def test_a_redis_that_is_down_is_said(bot_on_sandbox: Bot) -> None:
    await stop(bot_on_sandbox, "redis")
    reply = await bot_on_sandbox("redis info")
    assert reply.outcome is Outcome.FAILED
    assert "redis" in reply.text


@pytest.mark.parametrize(("policy", "said"), [("allkeys-lru", "작업이 사라집니다"), ("volatile-lru", "작업은 남지만")])
async def test_each_policy_has_a_plain_verdict(own: Bot, client: Any, policy: str, said: str) -> None:
    client.config_set("maxmemory-policy", policy)
    client.config_set("appendonly", "no")
    fields = dict((await own("redis info")).fields)
    assert said in fields["메모리 정책"]
    assert "사라질 수 있습니다" in fields["디스크 저장"]


async def test_slow_commands_show_keys_and_never_what_was_sent(own: Bot, client: Any) -> None:
    assert (await own("redis slowlog", "vera")).data["entries"] == []
    client.config_set("slowlog-log-slower-than", 0)
    client.set(f"cache:token={API_KEY}", "a secret prompt")
    client.keys("*prompt*")
    client.config_set("slowlog-log-slower-than", 10_000)
    reply = await own("redis slowlog --limit 50")
    assert {"SET", "KEYS"} <= {entry["command"] for entry in reply.data["entries"]}
    assert (reply.tone, "KEYS" in reply.text, "포함하지 않습니다" in reply.text) == (Tone.WARN, True, True)
    assert [secret for secret in (API_KEY, "prompt") if secret in repr(reply)] == []


async def test_keys_tells_the_families_that_weigh_most(own: Bot, client: Any) -> None:
    client.mset({f"bull:image generation:{number}": "x" * 500 for number in range(300)} | {f"apikey:{API_KEY}": "1", "one": "1"})
    reply = await own("redis keys --limit 1", "vera")
    (row,) = reply.tables[0].rows
    assert row[:2] == ("bull:image generation:<id>", "300")
    assert (row[2].startswith("약"), row[3]) == (True, "string")
    assert ("추산" in reply.text, "2종류" in reply.text) == (True, True)
    assert (reply.data["seen"], reply.data["complete"], reply.data["families_total"]) == (302, True, 3)
    assert API_KEY not in repr(await own("redis keys"))


async def test_keys_works_on_the_deployments_own_redis(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox("redis keys")
    assert "bull:image generation:<id>" in {family["name"] for family in reply.data["families"]}
