"""The stage of a story: the bot connected to a fake Slack and a fake Discord at once, over whatever deployment the settings name."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import config
from bot.app import App
from bot.command import Group
from bot.testing.bot import with_words, words_of
from bot.testing.clock import Clock
from tests.parts import no_schedules
from tests.platforms.discord import FakeDiscord
from tests.platforms.slack import FakeSlack

CHANNEL = "C1"


@dataclass(frozen=True)
class Stage:
    """Both platforms with their people, and the bot between them."""

    app: App
    slack: FakeSlack
    discord: FakeDiscord
    room: int
    members: Mapping[str, int]

    def said_in_slack(self) -> list[str]:
        """Everything the bot's messages show in the Slack channel, a text for each message."""
        return ["\n".join(texts([each.text, each.blocks])) for each in self.slack.messages(CHANNEL)]

    def said_in_discord(self) -> list[str]:
        """Everything the bot's messages show in the Discord channel, a text for each message."""
        messages = self.discord.messages(self.room)
        return ["\n".join(texts([each.content, each.embeds, each.components])) for each in messages if each.ephemeral_to is None]


def texts(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    if isinstance(node, Mapping):
        return [text for value in node.values() for text in texts(value)]
    return [text for item in node for text in texts(item)] if isinstance(node, Sequence) else []


def people(slack: FakeSlack, discord: FakeDiscord, names: Sequence[str]) -> Mapping[str, int]:
    """The same people in both places; their Discord ids."""
    for name in names:
        slack.add_user(f"U{name.upper()}", name)
    return {name: discord.add_member(name) for name in names}


@asynccontextmanager
async def stage(
    home: Path,
    names: Sequence[str],
    settings: Mapping[str, str],
    groups: Sequence[Group] | None = None,
    rate_limits: bool = False,
    clock: Clock | None = None,
) -> AsyncIterator[Stage]:
    """Everything connected. In ``settings``, ``{ada}`` stands for Ada's Discord id. With a ``clock``, a test looks and escalates itself."""
    logging.getLogger("discord").setLevel(logging.CRITICAL)
    async with FakeSlack() as slack, FakeDiscord() as discord:
        slack.limits.enforced = rate_limits
        slack.add_channel(CHANNEL, "ops")
        members = people(slack, discord, names)
        room = discord.add_channel("ops")
        known = config.read(_environment(home, slack, discord, room, _filled(settings, members)), None)
        app = App(known, clock or time.time, groups, with_words(words_of(groups or ())))
        app.watching = clock is None
        await app.open()
        app.connect()
        running = asyncio.create_task(app.run())
        try:
            await slack.until(lambda: slack.connections > 0)
            await discord.until_connected(1)
            yield Stage(app, slack, discord, room, members)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await app.close()


def _filled(settings: Mapping[str, str], members: Mapping[str, int]) -> Mapping[str, str]:
    filled = dict(settings)
    for name, member in members.items():
        filled = {key: value.replace(f"{{{name}}}", str(member)) for key, value in filled.items()}
    return filled


def _environment(home: Path, slack: FakeSlack, discord: FakeDiscord, room: int, settings: Mapping[str, str]) -> Mapping[str, str]:
    return {
        **settings,
        "VCC_LANG": "en",
        "VCC_HOME": str(home),
        **no_schedules(home),
        "VCC_CHANNEL_OPS": f"slack:{CHANNEL},discord:{room}",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.base_url,
        "DISCORD_TOKEN": discord.token,
        "DISCORD_GUILD_ID": str(discord.guild_id),
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
    }
