"""``checklist`` on a real deployment: what is stopped or full is found, told worst first, and signed by people."""

from __future__ import annotations

import asyncio
import json

from bot.connectors import discord_embeds, slack_blocks
from bot.model import Outcome, Reply, Tone
from bot.sandbox.bull import BullQueue
from tests.commands.conftest import Bot, stop

QUEUE = "image generation"


def verdicts(reply: Reply) -> dict[str, str]:
    return {each["item"]: each["verdict"] for each in reply.data["items"]}


async def test_the_daily_list_finds_a_stopped_service_and_a_full_queue(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    jobs = BullQueue(bot.app.settings.redis_url.get_secret_value())
    full = [f"full{number}" for number in range(600)]
    await bot("queue pause")
    try:
        await asyncio.to_thread(jobs.redis.lpush, f"bull:{QUEUE}:paused", *full)
        first = await bot("checklist run daily")
        assert verdicts(first)["queue"] == "fail"
        assert [each["value"] is None for each in first.data["items"] if each["item"] == "errors"] == [False]
        assert "✘ 큐 대기 작업" in first.text
    finally:
        await asyncio.to_thread(jobs.redis.ltrim, f"bull:{QUEUE}:paused", len(full), -1)
        jobs.redis.close()
        await bot("queue resume")
    await stop(bot, "frontend")
    reply = await bot("checklist run daily")
    found = verdicts(reply)
    assert found["services"] == "fail"
    assert "frontend" in reply.text.split("\n")[0] + reply.text.split("\n")[1]
    assert found["queue"] == "pass"
    assert reply.tone is Tone.BAD
    assert reply.text.index("서비스 상태") < reply.text.index("큐 대기 작업")
    assert "[지난번 실패]" in reply.text
    assert (await bot("checklist run daily", "vera")).outcome is Outcome.REFUSED
    for rendered in (slack_blocks.render(reply, bot.app.words).blocks, discord_embeds.render(reply, bot.app.words).body):
        assert "서비스 상태" in json.dumps(rendered, ensure_ascii=False)


async def test_every_shipped_list_measures_what_it_names(bot_on_sandbox: Bot) -> None:
    for name in ("weekly", "monthly", "predeploy"):
        reply = await bot_on_sandbox(f"checklist run {name}")
        assert reply.outcome is Outcome.DONE, reply.text
        assert "unknown" not in verdicts(reply).values(), reply.text
    figures = {each["item"]: each["value"] for each in (await bot_on_sandbox("checklist show monthly")).data["items"]}
    assert all(figures[item] > 0 for item in ("capacity-mongodb", "capacity-redis", "capacity-uploads"))
