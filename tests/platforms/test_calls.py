"""Somebody is called on the real wire: exactly one person hears it, whatever the text says, and the button answers for everybody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.model import Reply
from tests.platforms import discord_stories, slack_house
from tests.platforms.discord import FakeDiscord
from tests.platforms.slack import FakeSlack

LOUD = "@everyone @here <!channel> <!here> <@U2> <@&1> the site is down"


def called_by(slack: FakeSlack) -> set[tuple[str, str]]:
    return {(note.kind, note.target) for note in slack.notifications}


async def test_in_slack_a_call_reaches_one_person(tmp_path: Path) -> None:
    async with slack_house.workspace() as slack, slack_house.house(slack, tmp_path) as bot:
        await bot.app.calling.book.page(LOUD, "olga")
        (message,) = await bot.posted()
        assert called_by(slack) == {("user", "U1")}
        assert "the site is down" in slack_house.text_of(message)


async def test_in_slack_the_next_one_is_called_in_the_thread(tmp_path: Path) -> None:
    async with slack_house.workspace() as slack, slack_house.house(slack, tmp_path) as bot:
        await bot.app.calling.book.page(LOUD, "olga")
        (page,) = await bot.posted()
        clock = bot.app.clock
        desk = bot.app.calling.escalation._desk
        bot.app.calling.escalation._desk = replace(desk, clock=lambda: clock() + 900)
        await bot.app.calling.escalation.round()
        _, called = await bot.posted(2)
        assert called.thread_ts == page.ts
        assert called_by(slack) == {("user", "U1"), ("user", "U2")}


async def test_in_discord_a_call_reaches_one_person(tmp_path: Path) -> None:
    async with FakeDiscord() as fake, discord_stories.house(fake, tmp_path) as bot:
        await bot.app.calling.book.page(LOUD, "olga")
        await fake.until(lambda: bot.visible())
        (message,) = bot.visible()
        assert message.mentions.targets() == (f"<@{bot.ada}>",)
        await bot.app.store.write(
            lambda db: bot.app.notices.below(db, "page:1", Reply(LOUD, LOUD, mentions=bot.app.settings.vcc_admins[1]))
        )
        bot.app.wake()
        await fake.until(lambda: len(fake.notifications) == 2)
        assert {target for _, target in fake.notifications} == {f"<@{bot.ada}>", f"<@{bot.ben}>"}
