"""A follow that outlives its Discord token: what is written later, and the end, still arrive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.connectors import discord_courier
from bot.sandbox.deployment import Deployment
from commands import cancel
from tests.commands.logs.quick import PACE, quick
from tests.stories.stage import Stage, stage, texts

SETTINGS = {"VCC_OPERATORS": "discord:{olga}"}
TWENTY_MINUTES = 20 * 60.0


def _below(on: Stage) -> list[str]:
    """The messages of the thread."""
    answers = on.discord.messages(on.room)
    return [" ".join(texts([each.content, each.embeds])) for each in on.discord.messages(answers[0].id)] if answers else []


async def _something_is_logged(sandbox: Deployment) -> None:
    address = sandbox.env["VCC_HEALTH_URLS"].split(",")[0].partition("=")[2].removesuffix("/health")
    async with aiohttp.ClientSession() as session, session.get(f"{address}/nothing") as answer:
        assert answer.status == 404


async def test_twenty_minutes_on_discord_end_with_an_answer(sandbox: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = (quick(replace(PACE, minute=3.0)), cancel.group)
    async with stage(tmp_path, ("olga",), {**sandbox.env, **SETTINGS}, groups) as on:
        await on.discord.slash(on.members["olga"], on.room, "vcc logs follow")
        await on.discord.until(lambda: len(_below(on)) > 0)
        # The token is dead for Discord from now on; whether the courier reckons with it or is told makes no difference.
        on.discord.clock.advance(TWENTY_MINUTES)
        monkeypatch.setattr(discord_courier, "TOKEN_LIFE", 0.0)
        before = len(_below(on))
        await _something_is_logged(sandbox)
        await on.discord.until(lambda: any("Live log ended" in said for said in on.said_in_discord()))
        assert len(_below(on)) > before
        assert sum("Live log ended" in said for said in on.said_in_discord()) == 1
