"""``queue pause`` and ``queue resume`` on a real Bull queue."""

from __future__ import annotations

from bot.model import Outcome, Tone
from tests.commands.conftest import Bot


async def test_a_paused_queue_is_a_warning_until_it_is_resumed(bot_on_sandbox: Bot) -> None:
    paused = await bot_on_sandbox("queue pause")
    assert paused.data[0]["is_paused"] is True
    warned = await bot_on_sandbox("queue status")
    assert warned.tone is Tone.WARN
    assert "/vcc queue resume" in warned.text
    resumed = await bot_on_sandbox('queue resume "image generation"')
    assert resumed.data[0]["is_paused"] is False


async def test_a_viewer_may_look_but_not_pause(bot_on_sandbox: Bot) -> None:
    assert (await bot_on_sandbox("queue pause", "vera")).outcome is Outcome.REFUSED
    assert (await bot_on_sandbox("queue status")).data[0]["is_paused"] is False


async def test_pausing_an_unknown_queue_makes_none(bot_on_sandbox: Bot) -> None:
    refused = await bot_on_sandbox("queue pause nonsense")
    assert (refused.outcome, "image generation" in refused.text) == (Outcome.REFUSED, True)
    assert [queue["name"] for queue in (await bot_on_sandbox("queue status")).data] == ["image generation"]
