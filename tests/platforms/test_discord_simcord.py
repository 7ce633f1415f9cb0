"""The same stories on SimCord, a second and independent idea of Discord: in process, with its own rules and its own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import pytest
from pydantic import SecretStr

from bot.app import App
from bot.config import Settings
from bot.connectors.discord import DiscordDoor
from bot.model import Account
from bot.testing.bot import with_words, words_of
from bot.testing.waiting import until
from tests.platforms.discord_stories import Works


@dataclass
class Stage:
    """The simulated guild, the running bot, and its people."""

    env: Any
    app: App
    works: Works
    ops: Any
    ada: Any
    olga: Any
    stranger: Any
    settings: Settings

    @property
    def door(self) -> DiscordDoor:
        door = self.app.connectors["discord"]
        assert isinstance(door, DiscordDoor)
        return door

    async def says(self, result: Any, text: str) -> str:
        """Everything the answers to an interaction say, once they hold ``text``."""
        await until(lambda: text in _told(result), f"{text!r} in the answer")
        return _told(result)


def _told(result: Any) -> str:
    messages = [*([result.response] if result.response is not None else []), *result.followups]
    said = []
    for message in messages:
        said.append(message.content)
        for embed in message.embeds:
            said += [embed.description or "", *(f"{field.name}: {field.value}" for field in embed.fields)]
    return "\n".join(said)


@pytest.fixture
def simcord_bot() -> discord.Client:
    return discord.Client(intents=discord.Intents.default())


@pytest.fixture
async def stage(simcord_env: Any, tmp_path: Path) -> AsyncIterator[Stage]:
    guild = simcord_env.create_guild()
    ops = guild.create_text_channel("ops")
    ada, olga, stranger = (guild.add_member(simcord_env.create_user(name)) for name in ("ada", "olga", "stranger"))
    settings = Settings(
        vcc_home=tmp_path,
        docker_host=f"unix://{tmp_path}/no-docker.sock",
        vcc_lang="en",
        vcc_admins=((Account("discord", str(ada.id)),),),
        vcc_operators=((Account("discord", str(olga.id)),),),
        vcc_channel_ops=(Account("discord", str(ops.id)),),
        discord_token=SecretStr("simulated"),
    )
    works = Works()
    app = App(settings, groups=works.groups(), sentences=with_words(words_of(works.groups())))
    await app.open()
    app.connect()
    stage = Stage(simcord_env, app, works, ops, ada, olga, stranger, settings)
    await simcord_env.restart_bot(stage.door.client())
    outbox = asyncio.create_task(app._outboxes["discord"].run())
    try:
        yield stage
    finally:
        works.gate.set()
        outbox.cancel()
        await asyncio.gather(outbox, return_exceptions=True)
        await app.close()


async def test_a_command_is_answered(stage: Stage) -> None:
    result = await stage.ada.slash(stage.ops, "vcc try echo", text="hello")
    assert result.deferred
    assert "hello" in await stage.says(result, "Echo")
    assert not result.ephemeral


async def test_a_refusal_is_seen_by_the_asker_alone(stage: Stage) -> None:
    result = await stage.stranger.slash(stage.ops, "vcc try echo", text="hello")
    await stage.says(result, "not known")
    assert [message.ephemeral for message in result.followups] == [True]
    assert stage.works.ran == []


async def test_a_second_person_approves(stage: Stage) -> None:
    asked = await stage.olga.slash(stage.ops, "vcc sweep files")
    await stage.says(asked, "sweep all")
    pressed = await stage.ada.click(asked.response.message, label="Approve")
    await stage.says(pressed, "Approved")
    assert pressed.ephemeral
    await stage.says(asked, "Swept")
    assert stage.works.ran == ["swept 3"]


async def test_a_button_outlives_the_client(stage: Stage) -> None:
    asked = await stage.olga.slash(stage.ops, "vcc sweep files")
    await stage.says(asked, "sweep all")
    card = asked.response.message
    await stage.env.restart_bot(stage.door.client())
    await stage.ada.click(card, label="Approve")
    await stage.says(asked, "Swept")


async def test_a_long_answer_comes_with_a_file(stage: Stage) -> None:
    result = await stage.ada.slash(stage.ops, "vcc try long")
    await stage.says(result, "attached file")
    assert [attachment.filename for attachment in result.response.attachments] == ["whole-answer.txt"]


async def test_what_is_typed_is_completed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.app, "_service_names", ("backend", "redis"))
    offered = await stage.ada.autocomplete(stage.ops, "vcc try typed", "service", "red")
    assert [choice["value"] for choice in offered] == ["redis"]
