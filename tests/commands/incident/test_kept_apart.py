"""An isolated service stays so whatever else the bot does: a restart by the engine would put it back into its network."""

from __future__ import annotations

from bot.model import Outcome, Tone
from tests.commands.conftest import Bot


async def networks(bot: Bot, service: str) -> int:
    containers = bot.app.ops.containers
    found = await containers.service(service)
    return len((await containers.networks.standing(service, found.container_id)).attachments)


async def test_neither_a_restart_nor_a_start_lets_an_isolated_service_out(bot_on_sandbox: Bot) -> None:
    await bot_on_sandbox("incident open security somebody got in")
    await bot_on_sandbox.approved("incident isolate frontend")
    try:
        restarted = await bot_on_sandbox.approved("service restart frontend")
        assert restarted.outcome is not Outcome.DONE
        assert await networks(bot_on_sandbox, "frontend") == 0
        await bot_on_sandbox.app.ops.containers.stop((await bot_on_sandbox.app.ops.containers.service("frontend")).container_id)
        assert (await bot_on_sandbox("service start frontend")).data["reason"] == "error.cut_off"
        assert await networks(bot_on_sandbox, "frontend") == 0
    finally:
        back = await bot_on_sandbox.approved("incident rejoin frontend")
    assert (back.outcome, back.data["answers"]) == (Outcome.DONE, True)


async def test_a_restart_that_is_refused_leaves_the_queues_open_and_the_end_of_the_incident_reminds_of_it(bot_on_sandbox: Bot) -> None:
    ops = bot_on_sandbox.app.ops
    await bot_on_sandbox("incident open security somebody got in")
    await bot_on_sandbox.approved("incident isolate backend")
    try:
        restarted = await bot_on_sandbox.approved("service restart backend --wait 10s")
        assert restarted.outcome is not Outcome.DONE
        assert await networks(bot_on_sandbox, "backend") == 0
        assert not any(queue.is_paused for queue in await ops.bull.queues())
        ended = await bot_on_sandbox("incident resolve that was it")
        assert (ended.outcome, ended.tone) == (Outcome.DONE, Tone.WARN)
        assert "incident rejoin backend" in ended.text
    finally:
        back = await bot_on_sandbox.approved("incident rejoin backend")
    assert back.outcome is Outcome.DONE
