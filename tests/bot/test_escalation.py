"""Nobody answers: the next one is called, once, by name, on every platform and by mail; a restart in between changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import RecordUnwritable
from bot.model import Account, Outcome, Tone
from bot.outbox import NotDelivered
from bot.testing.bot import Bot, a_bot
from bot.testing.chat import Posted
from bot.testing.clock import Clock
from commands import oncall

TEAM = """
order = ["ada", "ben", "choi"]
escalate_after = "15m"
[[contact]]
name = "ada"
accounts = ["slack:ada", "discord:1"]
mail = "ada@example.org"
[[contact]]
name = "ben"
accounts = ["slack:ben", "discord:2"]
[[contact]]
name = "choi"
mail = "choi@example.org"
"""
WAIT = 900.0


@asynccontextmanager
async def a_team(home: Path, clock: Clock | None = None, text: str = TEAM) -> AsyncIterator[Bot]:
    """A bot whose team has contacts; mail is a chat in memory too."""
    (home / "team").mkdir(exist_ok=True)
    (home / "team" / "oncall.toml").write_text(text)
    platforms, addresses = ("slack", "discord", "mail"), ("all@example.org",)
    async with a_bot(home, oncall.group, clock=clock, platforms=platforms, vcc_team_dir=home / "team", vcc_alert_email=addresses) as bot:
        yield bot


async def goes_round(bot: Bot, seconds: float = 0.0) -> None:
    bot.forward(seconds)
    await bot.app.calling.escalation.round()
    for platform in bot.chats:
        await bot.shown(platform)


def posts(bot: Bot, platform: str) -> list[Posted]:
    return [post for post in bot.chats[platform].posts.values() if not post.reply.title.startswith(("On call now", "ada is called"))]


def titles(bot: Bot, platform: str) -> list[str]:
    return [post.reply.title for post in posts(bot, platform)]


def letters(bot: Bot) -> list[tuple[str, str]]:
    return [(post.place.channel, post.reply.title) for post in bot.chats["mail"].posts.values()]


async def test_a_page_calls_the_next_one_after_each_wait_and_then_nobody(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        paged = await bot.types("slack:olga", "oncall page the site is down")
        assert (paged.title, paged.data) == ("ada is called (#1)", {"page": 1, "called": "ada"})
        await goes_round(bot, WAIT - 1)
        assert titles(bot, "discord") == ["olga calls ada"]
        await goes_round(bot, 1)
        await goes_round(bot)
        await goes_round(bot, WAIT)
        for _ in range(3):
            await goes_round(bot, WAIT)
        for platform in ("slack", "discord"):
            page, ben, choi = posts(bot, platform)
            assert [ben.reply.title, choi.reply.title] == ["No answer for 15m: calling ben", "No answer for 30m: calling choi"]
            assert (ben.below, choi.below) == (page.id, page.id)
            assert page.reply.mentions == (Account("slack", "ada"), Account("discord", "1"))
            assert ben.reply.mentions == (Account("slack", "ben"), Account("discord", "2"))
            assert choi.reply.footer == "This is the last one in the order."
            assert page.button("Answer") == ben.button("Answer") == choi.button("Answer")


async def test_letters_go_to_everybody_who_is_called_and_twice_to_nobody(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        await bot.types("slack:olga", "oncall page the site is down")
        await goes_round(bot, WAIT)
        await goes_round(bot, WAIT)
    page, ben, choi = "olga calls ada", "No answer for 15m: calling ben", "No answer for 30m: calling choi"
    everywhere = {(address, said) for address in ("all@example.org", "ada@example.org") for said in (page, ben, choi)}
    assert sorted(letters(bot)) == sorted([*everywhere, ("choi@example.org", choi)])


async def test_an_answer_ends_it_everywhere(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        await bot.types("slack:olga", "oncall page the site is down")
        await goes_round(bot, 60)
        (page,) = posts(bot, "discord")
        answered = await bot.presses("discord:2", page, "Answer")
        assert answered.title == "Call #1 answered by ben"
        await goes_round(bot, 10 * WAIT)
        for platform in ("slack", "discord"):
            stands = posts(bot, platform)[0].reply
            assert (stands.title, stands.tone, stands.buttons) == ("ben answered the call (1m)", Tone.GOOD, ())
            assert not any("No answer" in title for title in titles(bot, platform))
        again = await bot.types("slack:ada", "oncall ack 1")
        assert (again.outcome, "ben answered" in again.text) == (Outcome.REFUSED, True)
        unknown = await bot.types("slack:ada", "oncall ack 9")
        assert unknown.data["reason"] == "oncall.no_page"


async def test_a_call_that_an_outage_held_back_reaches_nobody_after_the_answer(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        await bot.types("slack:olga", "oncall page the site is down")
        await goes_round(bot)
        for platform in ("mail", "discord"):
            bot.chats[platform].fail(NotDelivered("away"))
        for _ in range(2):
            bot.forward(WAIT)
            await bot.app.calling.escalation.round()
        await bot.types("slack:ben", "oncall ack 1")
        for platform in ("mail", "discord"):
            bot.chats[platform].recover()
        await goes_round(bot, WAIT)
        late = [post.reply for post in posts(bot, "discord") if "No answer" in post.reply.title]
        assert [reply.mentions for reply in late] == [(), ()]
        assert "choi@example.org" not in {address for address, _ in letters(bot)}


async def test_a_restart_calls_nobody_twice_and_forgets_nobody(tmp_path: Path) -> None:
    clock = Clock()
    async with a_team(tmp_path, clock) as bot:
        await bot.types("slack:olga", "oncall page the site is down")
        await goes_round(bot, WAIT)
    async with a_team(tmp_path, clock) as bot:
        await goes_round(bot, WAIT - 1)
        assert titles(bot, "slack") == []
        await goes_round(bot, 1)
        assert titles(bot, "slack") == ["No answer for 30m: calling choi"]


async def test_after_a_long_silence_everybody_still_has_their_time_to_answer(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        await bot.types("slack:olga", "oncall page the site is down")
        await goes_round(bot, 10 * WAIT)
        await goes_round(bot, 15)
        assert [title for title in titles(bot, "slack") if "calling" in title] == ["No answer for 2h 30m: calling ben"]


@pytest.mark.parametrize("jump", [-365 * 86_400.0, 30 * 86_400.0])
async def test_a_clock_that_jumps_calls_the_next_one_once(tmp_path: Path, jump: float) -> None:
    async with a_team(tmp_path) as bot:
        await bot.types("slack:olga", "oncall page the site is down")
        for seconds in (0, jump, 15, 15):
            await goes_round(bot, seconds)
        assert len([title for title in titles(bot, "slack") if "calling" in title]) == 1


async def test_a_platform_that_is_down_hears_all_of_it_later_and_once(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        bot.chats["slack"].hold()
        await bot.app.calling.book.page("the site is down", "olga")
        bot.forward(WAIT)
        await bot.app.calling.escalation.round()
        await bot.shown("discord")
        assert posts(bot, "slack") == []
        bot.chats["slack"].let_go()
        await goes_round(bot)
        assert titles(bot, "slack") == titles(bot, "discord") == ["olga calls ada", "No answer for 15m: calling ben"]


async def test_a_record_that_cannot_be_written_leaves_it_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(work: object) -> None:
        raise RecordUnwritable("disk full")

    async with a_team(tmp_path) as bot:
        await bot.app.calling.book.page("the site is down", "olga")
        await goes_round(bot)
        bot.clock.forward(WAIT)
        before = bot.app.calling.escalation.rounded_at
        with monkeypatch.context() as patch:
            patch.setattr(bot.app.store, "write", full)
            await bot.app.calling.escalation.round()
        assert bot.app.calling.escalation.rounded_at == before
        await goes_round(bot)
        assert "No answer for 15m: calling ben" in titles(bot, "slack")


async def test_no_secret_is_said(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        await bot.types("slack:olga", "oncall page redis://:hunter2secret@redis:6379 is down")
        await goes_round(bot, WAIT)
        assert "hunter2secret" not in repr([chat.posts for chat in bot.chats.values()])
        pages = await bot.app.store.read(lambda db: db.execute("SELECT message FROM oncall_pages").fetchall())
        assert "hunter2secret" not in repr(pages)


async def test_what_was_over_long_ago_is_forgotten(tmp_path: Path) -> None:
    async with a_team(tmp_path) as bot:
        await bot.types("slack:olga", "oncall page the site is down")
        await goes_round(bot, WAIT)
        await bot.types("slack:ada", "oncall ack 1")
        bot.forward(401 * 86_400)
        await bot.types("slack:olga", "oncall page it is down again")
        await goes_round(bot, WAIT)
        escalations, pages = await bot.app.store.read(lambda db: (list(db["escalations"].rows), list(db["oncall_pages"].rows)))
        assert ([row["key"] for row in escalations], [row["id"] for row in pages]) == (["page:2"], [2])


async def test_a_page_that_would_reach_nobody_is_refused_and_not_kept(tmp_path: Path) -> None:
    async with a_bot(tmp_path, oncall.group, platforms=("slack",), vcc_channel_ops=(), vcc_channel_alerts=()) as bot:
        paged = await bot.types("local:olga", "oncall page the site is down")
        assert paged.data["reason"] == "oncall.nowhere"
        assert "VCC_CHANNEL_ALERTS" in paged.title + paged.text
        assert await bot.app.store.read(lambda db: list(db["oncall_pages"].rows)) == []
