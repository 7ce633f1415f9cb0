"""``service`` on a real deployment: real processes die and come back, and real jobs are in the queue meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from bson import ObjectId

from bot.errors import Unreachable
from bot.model import Outcome, Reply, Tone
from bot.ops import safe_restart
from bot.ops.bull_values import QueueStatus
from bot.ops.container_values import Service
from bot.sandbox.bull import BullQueue
from tests.commands.conftest import Bot, stop, until

QUEUE = "image generation"


async def container(bot: Bot, name: str) -> Service:
    return await bot.app.ops.containers.service(name)


async def queue(bot: Bot) -> QueueStatus:
    return await bot.app.ops.bull.queue(QUEUE)


async def add_jobs(bot: Bot, count: int) -> set[str]:
    """Jobs as the backend adds them; their ids, once a job is worked on."""
    worker = BullQueue(bot.app.settings.redis_url.get_secret_value())
    added = set[str]()
    for _ in range(count):
        data = {"jobId": str(ObjectId()), "inputData": {"prompt": "a cat", "userId": str(ObjectId())}}
        added.add(await asyncio.to_thread(worker.add, data))
    worker.redis.close()

    async def working() -> bool:
        return (await queue(bot)).active > 0

    await until(working, "a job is worked on")
    return added


def fields(reply: Reply) -> str:
    return "\n".join(f"{name}: {value}" for name, value in reply.fields)


async def test_the_backend_is_restarted_without_losing_a_job(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    before = await container(bot, "backend")
    added = await add_jobs(bot, 3)
    asked = await bot("restart backend")
    assert asked.outcome is Outcome.PENDING
    assert asked.data["facts"]["containers"] == [["backend", before.container_id]]
    assert asked.data["facts"]["active"] >= 1
    assert (await bot(f"approve {asked.ticket}", "olga")).outcome is Outcome.REFUSED
    assert (await container(bot, "backend")).pid == before.pid
    reply = await bot(f"approve {asked.ticket}", "ada")
    assert (reply.outcome, reply.tone) == (Outcome.DONE, Tone.GOOD), reply.text
    assert "olga" in reply.footer
    assert "ada" in reply.footer
    after = await container(bot, "backend")
    assert after.pid != before.pid
    assert (after.state, after.health) == ("running", "healthy")
    assert reply.data["jobs"]["missing"] == 0
    assert reply.data["jobs"]["left"] == 0
    assert [step["name"] for step in reply.data["steps"]] == ["pause", "drain", "restart", "healthy", "resume"]
    assert not (await queue(bot)).is_paused
    assert {job.id for job in (await bot.app.ops.bull.jobs.page(QUEUE, "stalled", 0, 1000)).jobs} & added == set()


async def test_restarting_redis_brings_the_backend_back_too(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    redis, backend = await container(bot, "redis"), await container(bot, "backend")
    asked = await bot("restart redis")
    assert "backend" in fields(asked)
    assert "backend도 함께" in asked.text
    reply = await bot(f"approve {asked.ticket}", "ada")
    assert reply.outcome is Outcome.DONE, reply.text
    assert (await container(bot, "redis")).pid != redis.pid
    now = await container(bot, "backend")
    assert (now.state, now.health) == ("running", "healthy")
    assert now.pid != backend.pid
    assert not (await queue(bot)).is_paused
    assert reply.data["jobs"]["missing"] == 0


async def test_restarting_all_takes_databases_first_and_the_frontend_last(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox.approved("service restart all")
    assert reply.outcome is Outcome.DONE, reply.text
    assert [each["name"] for each in reply.data["restarted"]] == ["mongodb", "redis", "backend", "frontend"]
    assert all(each["pid"] != each["pid_before"] for each in reply.data["restarted"])
    assert (await bot_on_sandbox("status")).tone is Tone.GOOD


async def test_the_frontend_is_restarted_without_touching_the_queue(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox.approved("restart frontend")
    assert [step["name"] for step in reply.data["steps"]] == ["restart", "healthy"]


async def test_a_queue_that_was_paused_before_stays_paused(bot_on_sandbox: Bot) -> None:
    await bot_on_sandbox("queue pause")
    try:
        reply = await bot_on_sandbox.approved("restart backend")
        assert reply.outcome is Outcome.DONE
        assert (await queue(bot_on_sandbox)).is_paused
        assert "/vcc queue resume" in reply.text
    finally:
        await bot_on_sandbox("queue resume")


async def test_an_approval_is_void_when_the_service_restarted_meanwhile(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    asked = await bot("restart frontend")
    frontend = await container(bot, "frontend")
    await bot.app.ops.containers.restart(frontend.container_id)
    meanwhile = await container(bot, "frontend")
    reply = await bot(f"approve {asked.ticket}", "ada")
    assert reply.outcome is Outcome.PENDING
    assert reply.ticket != asked.ticket
    assert (await container(bot, "frontend")).pid == meanwhile.pid


async def test_a_queue_paused_meanwhile_makes_the_approval_void(bot_on_sandbox: Bot) -> None:
    asked = await bot_on_sandbox("restart backend")
    await bot_on_sandbox("queue pause")
    try:
        assert (await bot_on_sandbox(f"approve {asked.ticket}", "ada")).outcome is Outcome.PENDING
    finally:
        await bot_on_sandbox("queue resume")


async def test_a_redis_that_is_down_can_still_be_restarted(bot_on_sandbox: Bot) -> None:
    await stop(bot_on_sandbox, "redis")
    asked = await bot_on_sandbox("restart redis")
    assert "큐를 읽을 수 없어" in asked.text
    reply = await bot_on_sandbox(f"approve {asked.ticket}", "ada")
    assert reply.outcome is Outcome.DONE, reply.text
    assert (await container(bot_on_sandbox, "redis")).running


async def test_a_stopped_database_leaves_the_queue_paused_until_it_is_resumed(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    stopped = await bot.approved("service stop mongodb")
    assert stopped.outcome is Outcome.DONE, stopped.text
    assert not (await container(bot, "mongodb")).running
    assert (await queue(bot)).is_paused
    started = await bot("service start mongodb")
    assert (await container(bot, "mongodb")).running
    assert [button.types for button in started.buttons] == ["queue resume"]
    await bot(started.buttons[0].types)
    assert not (await queue(bot)).is_paused


async def test_stopping_the_backend_leaves_the_queue_open(bot_on_sandbox: Bot) -> None:
    reply = await bot_on_sandbox.approved("service stop backend")
    assert reply.outcome is Outcome.DONE, reply.text
    assert not (await container(bot_on_sandbox, "backend")).running
    assert not (await queue(bot_on_sandbox)).is_paused
    assert (await bot_on_sandbox("service start backend")).data["started"] == ["backend"]


async def test_starting_what_runs_changes_nothing(bot_on_sandbox: Bot) -> None:
    before = await container(bot_on_sandbox, "frontend")
    assert (await bot_on_sandbox("service start frontend")).data["started"] == []
    assert (await container(bot_on_sandbox, "frontend")).pid == before.pid


@pytest.mark.parametrize("line", ["restart backend", "service stop backend", "service start backend"])
async def test_a_viewer_is_refused(bot_on_sandbox: Bot, line: str) -> None:
    assert (await bot_on_sandbox(line, "vera")).outcome is Outcome.REFUSED


@pytest.mark.parametrize("line", ["restart bakend", "service stop", "restart backend --wait 5s", "restart backend --wait 11m"])
async def test_what_cannot_be_meant_is_refused(bot_on_sandbox: Bot, line: str) -> None:
    assert (await bot_on_sandbox(line)).data["usage"] is True


async def test_the_card_says_what_force_costs(bot_on_sandbox: Bot) -> None:
    asked = await bot_on_sandbox("restart backend --wait 10s --force")
    assert "--force" in asked.text
    assert "늘어나면 다시 승인" in fields(asked)


async def test_a_service_that_keeps_dying_can_still_be_approved(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    await stop(bot, "redis")

    async def has_died(more_than: int) -> bool:
        return (await container(bot, "backend")).restarts > more_than

    await until(lambda: has_died(0), "the backend dies without redis")
    asked = await bot("restart backend")
    deaths = (await container(bot, "backend")).restarts
    await until(lambda: has_died(deaths), "the backend dies again")
    again = await bot("restart backend")
    assert again.data["facts"] == asked.data["facts"]


async def test_a_job_that_does_not_end_keeps_the_backend_running_and_opens_the_queue_again(bot_on_sandbox: Bot) -> None:
    bot = bot_on_sandbox
    backend = await container(bot, "backend")
    client = BullQueue(bot.app.settings.redis_url.get_secret_value()).redis
    client.set(f"bull:{QUEUE}:endless:lock", "somebody", px=120_000)
    client.lpush(f"bull:{QUEUE}:active", "endless")
    try:
        reply = await bot.approved("restart backend --wait 10s")
    finally:
        client.lrem(f"bull:{QUEUE}:active", 0, "endless")
        client.delete(f"bull:{QUEUE}:endless:lock")
        client.close()
    assert (reply.outcome, reply.tone) == (Outcome.FAILED, Tone.BAD)
    assert "--force" in reply.text
    assert reply.data["jobs"]["left"] >= 1
    assert reply.data["restarted"] == []
    assert (await container(bot, "backend")).pid == backend.pid
    assert not (await queue(bot)).is_paused


async def test_a_queue_that_cannot_be_opened_again_is_said_loudly_with_the_command(
    bot_on_sandbox: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(name: str) -> int:
        raise Unreachable("redis")

    monkeypatch.setattr(safe_restart, "OPENED_WITHIN", 0.1)
    monkeypatch.setattr(bot_on_sandbox.app.ops.bull, "resume", refuse)
    try:
        reply = await bot_on_sandbox.approved("restart backend")
    finally:
        monkeypatch.undo()
        await bot_on_sandbox("queue resume")
    assert (reply.outcome, reply.tone) == (Outcome.FAILED, Tone.BAD)
    assert "/vcc queue resume" in reply.text.splitlines()[0]
    assert [button.types for button in reply.buttons] == ["queue resume"]
    assert reply.data["still_paused"] == [QUEUE]
