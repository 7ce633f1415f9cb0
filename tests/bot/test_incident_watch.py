"""The watch over incidents: rooms made or done without, the status now and then, reminders, starts, and what a restart changes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.errors import Unreachable
from bot.model import Account, Outcome, Place, Tone
from bot.outbox import NotDelivered
from bot.testing.bot import Bot, a_bot
from bot.testing.chat import Posted
from bot.testing.clock import Clock

MINUTE = 60.0
INCIDENTS = Place("slack", "INC")
CHANNELS: dict[str, Any] = {"vcc_channel_incidents": (Account("slack", "INC"), Account("discord", "300"))}
ROOM = Place("slack", "#inc-1-backend-20260202")
OPEN = "incident open service login fails --service backend"


@asynccontextmanager
async def a_house(home: Path, clock: Clock | None = None, *, rooms: bool = True, running: bool = True) -> AsyncIterator[Bot]:
    async with a_bot(home, clock=clock, running=False, **CHANNELS) as bot:
        bot.chats["slack"].makes_rooms = rooms
        if not running:
            yield bot
            return
        async with delivering(bot):
            yield bot


@asynccontextmanager
async def delivering(bot: Bot) -> AsyncIterator[None]:
    """Only the outboxes run: rounds are the test's to call."""
    tasks = [asyncio.create_task(each.run()) for each in bot.app._outboxes.values()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def a_round(bot: Bot, after: float = 0.0) -> None:
    bot.forward(after)
    await bot.app.incidents.watch.round()
    await bot.shown("slack")
    await bot.shown("discord")


def titles(posts: Sequence[Posted]) -> list[str]:
    return [post.reply.title for post in posts]


async def test_an_incident_gets_a_channel_with_its_steps_and_a_status_at_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as bot:
        await bot.types("slack:olga", OPEN)
        await a_round(bot)
        wish = bot.chats["slack"].rooms["inc-1-backend-20260202"]
        assert set(wish.members) == {Account("slack", "ada"), Account("slack", "ben"), Account("slack", "olga")}
        assert not wish.private
        overview, status = bot.chats["slack"].at(ROOM)
        assert overview.reply.text.splitlines()[0].startswith("✔ 1. Look at the services — vcc")
        assert overview.reply.text.splitlines()[1].startswith("▶ 2. Save and read the logs — A restart loses things")
        assert "docker" in status.reply.text
        (announced,) = bot.chats["slack"].at(INCIDENTS)
        assert ("Room", "Discord thread below the announcement · Slack #inc-1-backend-20260202") in announced.reply.fields
        discord = bot.chats["discord"].at(Place("discord", "300"))
        assert [bool(post.below) for post in discord] == [False, True, True]


async def test_lines_are_taken_in_the_room_and_mean_its_incident(tmp_path: Path) -> None:
    async with a_house(tmp_path) as bot:
        await bot.types("slack:olga", OPEN)
        await a_round(bot)
        await bot.types("slack:olga", "incident open security somebody got in")
        noted = await bot.types("slack:olga", "incident note it began at noon", place=ROOM)
        assert noted.data == {"incident": 1}
        await bot.shown("discord")
        await bot.shown("slack")
        elsewhere = [post for chat in bot.chats.values() for post in chat.posts.values() if post.reply.title == "Note of olga"]
        assert [(post.place.platform, post.reply.text, bool(post.below)) for post in elsewhere] == [("discord", "it began at noon", True)]
        stranger = await bot.types("slack:mallory", "incident note x", place=ROOM)
        assert (stranger.outcome, stranger.data["reason"]) == (Outcome.REFUSED, "permissions.unknown_account")
        other = await bot.types("slack:olga", "incident status", place=Place("slack", "#inc-9-backend-20260202"))
        assert (other.outcome, other.data["reason"]) == (Outcome.REFUSED, "permissions.unknown_place")
        which = await bot.types("slack:olga", "incident note x")
        assert (which.outcome, which.data["reason"]) == (Outcome.REFUSED, "incident.which")


async def test_a_thread_below_the_announcement_means_its_incident_too(tmp_path: Path) -> None:
    async with a_house(tmp_path, rooms=False) as bot:
        await bot.types("slack:olga", OPEN)
        await bot.types("slack:olga", "incident open security somebody got in")
        await a_round(bot)
        first = next(post for post in bot.chats["discord"].at(Place("discord", "300")) if not post.below)
        number = await bot.app.store.read(lambda db: _post(db, first.row))
        noted = await bot.types("discord:1", "incident note here", place=Place("discord", "300", number))
        assert noted.data == {"incident": 1}


def _post(db: Any, row: int) -> str:
    """What a real platform would have noted: the thread of a message has the message's number."""
    db.execute("UPDATE messages SET posted = json_set(posted, '$.message', '4711') WHERE id = ?", (row,))
    return "4711"


async def test_the_status_comes_at_its_interval_once_also_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    async with a_house(tmp_path, clock) as bot:
        await bot.types("slack:olga", OPEN)
        await a_round(bot)
        await a_round(bot, 29 * MINUTE)
        said = _statuses(bot)
        await a_round(bot, 2 * MINUTE)
        await a_round(bot)
        assert _statuses(bot) == said + 1
    clock.forward(5 * 60 * MINUTE)
    async with a_house(tmp_path, clock) as bot:
        await a_round(bot)
        await a_round(bot)
        assert _statuses(bot) == 1


def _statuses(bot: Bot) -> int:
    return sum("docker: check" in post.reply.text for post in bot.chats["slack"].at(ROOM))


async def test_a_step_that_waits_is_reminded_of_once_in_its_time_and_not_once_it_is_done(tmp_path: Path) -> None:
    async with a_house(tmp_path) as bot:
        await bot.types("slack:olga", OPEN)
        await a_round(bot)
        await a_round(bot, 9 * MINUTE)
        assert not _reminders(bot)
        await a_round(bot, MINUTE)
        await a_round(bot)
        assert _reminders(bot) == ["Waiting for 10m — 2. Save and read the logs"]
        await a_round(bot, 10 * MINUTE)
        assert len(_reminders(bot)) == 2
        assert _last(bot, "Waiting for 20m").reply.mentions == (Account("local", "olga"), Account("slack", "olga"))
        await bot.presses("slack:olga", _last(bot, "Waiting for 20m"), "Step 2: done")
        await a_round(bot, 14 * MINUTE)
        assert len(_reminders(bot)) == 2
        await a_round(bot, MINUTE)
        assert _reminders(bot)[2] == "Waiting for 15m — 3. Restart or roll back (if needed)"


def _reminders(bot: Bot) -> list[str]:
    return [title for title in titles(bot.chats["slack"].at(ROOM)) if title.startswith("Waiting")]


def _last(bot: Bot, begins: str) -> Posted:
    return [post for post in bot.chats["slack"].at(ROOM) if post.reply.title.startswith(begins)][-1]


async def test_a_channel_that_is_gone_is_told_below_the_announcement_where_it_goes_on(tmp_path: Path) -> None:
    async with a_house(tmp_path) as bot:
        await bot.types("slack:olga", OPEN)
        await a_round(bot)
        chat = bot.chats["slack"]
        chat.fail(NotDelivered("channel_not_found", final=True), channel=ROOM.channel)
        await bot.types("slack:olga", "incident assign ada")
        await a_round(bot)
        await a_round(bot)
        below = [post for post in chat.at(INCIDENTS) if post.below]
        assert "Lead: ada" in titles(below)
        assert sum(title.startswith("The Slack channel #inc-1-backend") for title in titles(below)) == 1
        assert sum(title.startswith("Incident #1") for title in titles(below)) == 1
        spoilt = chat.spoilt
        await bot.types("slack:olga", "incident step 2 done")
        await a_round(bot)
        assert chat.spoilt == spoilt
        overview = next(post for post in below if post.reply.title.startswith("Incident #1"))
        assert "▶ 3. Restart" in overview.reply.text


async def test_a_platform_out_of_reach_is_waited_for_and_then_gets_a_thread(tmp_path: Path) -> None:
    async with a_house(tmp_path) as bot:
        chat = bot.chats["slack"]

        async def away(wish: object) -> None:
            raise Unreachable("slack")

        made, chat.open_room = chat.open_room, away  # type: ignore[method-assign]
        await bot.types("slack:olga", OPEN)
        await a_round(bot)
        assert [post.below for post in chat.at(INCIDENTS)] == [""]
        await a_round(bot, 11 * MINUTE)
        assert len([post for post in chat.at(INCIDENTS) if post.below]) >= 2
        chat.open_room = made  # type: ignore[method-assign]
        await a_round(bot)
        assert not chat.rooms


async def test_a_security_incident_is_private_and_takes_no_step_by_itself(tmp_path: Path) -> None:
    async with a_house(tmp_path) as bot:
        await bot.types("slack:olga", "incident open security")
        await a_round(bot)
        (wish,) = bot.chats["slack"].rooms.values()
        assert wish.private
        (overview,) = bot.chats["slack"].at(Place("slack", "#inc-1-security-20260202"))
        assert overview.reply.text.startswith("▶ 1. Isolate what is affected")
        assert overview.reply.tone is Tone.WARN


async def test_an_incident_that_lasts_longer_than_messages_are_kept_is_still_told_of(tmp_path: Path) -> None:
    async with a_house(tmp_path) as bot:
        await bot.types("slack:olga", OPEN)
        await a_round(bot)
        bot.forward(40 * 86_400.0)
        await bot.app.tending.forget()
        await bot.types("slack:olga", "incident resolve that was it")
        await a_round(bot)
        told = titles(bot.chats["discord"].at(Place("discord", "300")))
        assert "Post-mortem" in told
