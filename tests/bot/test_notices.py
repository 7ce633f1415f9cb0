"""Messages that answer no request: one in each place, edited in place, with their thread below."""

from __future__ import annotations

from bot.model import Place, Reply
from bot.store import message_rows, notice_rows
from bot.testing.bot import Bot

SLACK, DISCORD, OTHER = Place("slack", "OPS"), Place("discord", "100"), Place("slack", "OTHER")


async def shows(bot: Bot, text: str, *places: Place) -> None:
    notices = bot.app.notices
    await bot.app.store.write(lambda db: notices.show(db, "alert:1", places, Reply(text)))
    bot.app.wake()
    for platform in bot.chats:
        await bot.shown(platform)


def said(bot: Bot, platform: str) -> list[str]:
    return [post.reply.title for post in bot.chats[platform].posts.values()]


async def test_a_notice_is_one_message_in_each_place_and_is_changed_there(bot: Bot) -> None:
    await shows(bot, "first", SLACK, DISCORD)
    assert said(bot, "slack") == said(bot, "discord") == ["first"]
    await shows(bot, "second")
    assert said(bot, "slack") == said(bot, "discord") == ["second"]


async def test_a_place_that_comes_later_gets_its_own_message(bot: Bot) -> None:
    await shows(bot, "first", SLACK)
    await shows(bot, "second", SLACK, OTHER)
    assert [(post.place, post.reply.title) for post in bot.chats["slack"].posts.values()] == [(SLACK, "second"), (OTHER, "second")]


async def test_what_belongs_to_it_stands_below_it_everywhere(bot: Bot) -> None:
    await shows(bot, "first", SLACK, DISCORD)
    await bot.app.store.write(lambda db: bot.app.notices.below(db, "alert:1", Reply("more")))
    bot.app.wake()
    for platform in ("slack", "discord"):
        await bot.shown(platform)
        above, below = bot.chats[platform].posts.values()
        assert (above.reply.title, below.reply.title, below.below) == ("first", "more", above.id)


async def test_no_secret_and_no_hidden_sign_is_shown(bot: Bot) -> None:
    await shows(bot, "redis://:hunter2secret@redis:6379\u202e", SLACK)
    assert "hunter2secret" not in said(bot, "slack")[0]
    assert "\u202e" not in said(bot, "slack")[0]


async def test_what_is_said_below_nothing_is_said_nowhere(bot: Bot) -> None:
    await bot.app.store.write(lambda db: bot.app.notices.below(db, "alert:9", Reply("more")))
    assert await bot.app.store.read(lambda db: notice_rows.messages_of(db, "alert:9")) == []


async def test_forgotten_messages_take_their_keys_with_them(bot: Bot) -> None:
    await shows(bot, "first", SLACK)
    await bot.app.store.write(lambda db: message_rows.prune(db, bot.clock() + 1))
    await bot.app.store.write(notice_rows.prune)
    await shows(bot, "anew", SLACK)
    assert said(bot, "slack") == ["first", "anew"]
