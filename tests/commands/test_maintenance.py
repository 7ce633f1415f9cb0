"""``maintenance`` on a real deployment: for a service that exists, and for none that does not."""

from __future__ import annotations

from bot.model import Outcome
from tests.commands.conftest import Bot


async def test_maintenance_of_a_service_is_begun_listed_and_ended(bot_on_sandbox: Bot) -> None:
    begun = await bot_on_sandbox("maintenance start backend --for 30m")
    assert begun.title.startswith("점검 중: backend")
    assert round((begun.data["until"] - begun.data["begun_at"]) / 60) == 30
    (listed,) = (await bot_on_sandbox("maintenance", "vera")).data
    assert (listed["service"], listed["ended_at"]) == ("backend", None)
    ended = await bot_on_sandbox("maintenance stop")
    assert ended.data["ended_at"] is not None
    assert (await bot_on_sandbox("maintenance", "vera")).data == []


async def test_a_service_that_does_not_exist_is_named(bot_on_sandbox: Bot) -> None:
    refused = await bot_on_sandbox("maintenance start backnd")
    assert refused.outcome in (Outcome.REFUSED, Outcome.FAILED)
    assert "backnd" in refused.text
    assert (await bot_on_sandbox("maintenance", "vera")).data == []


async def test_which_one_is_to_end_must_be_said_when_there_are_two(bot_on_sandbox: Bot) -> None:
    for name in ("backend", "redis"):
        await bot_on_sandbox(f"maintenance start {name}")
    assert (await bot_on_sandbox("maintenance stop")).data["reason"] == "maintenance.which"
    for number in (1, 2):
        assert (await bot_on_sandbox(f"maintenance stop {number}")).outcome is Outcome.DONE
