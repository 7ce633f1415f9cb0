"""An isolated service stays so whatever else the bot does: a restart by the engine would put it back into its network."""

from __future__ import annotations

from bot.model import Outcome
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
