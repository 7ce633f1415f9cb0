"""Critical alerts call whoever is on call, then the next one, until somebody is at them; warnings and quiet ones call nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.alert_signals import Reading
from bot.model import Account
from bot.outbox import NotDelivered
from bot.testing.bot import Bot, a_bot
from tests.bot.alerted import DISK, STATE, everywhere, looks, notices, rule, titles

AT_ONCE: Mapping[str, Any] = {"for": "0s", "clear_for": "0s", "remedy": None, "repeat": "12h"}
DOWN, FULL = rule({**STATE, **AT_ONCE}), rule({**DISK, **AT_ONCE, "severity": "warning"})
WAIT = 900.0


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """The whole house on chats in memory; the admins, ada and ben, stand in."""
    async with a_bot(tmp_path) as bot:
        yield bot


async def goes_round(bot: Bot, seconds: float) -> None:
    bot.forward(seconds)
    await bot.app.calling.escalation.round()
    await everywhere(bot)


def calls(bot: Bot, platform: str = "slack") -> list[str]:
    return [title.strip() for title in titles(bot, platform) if "calling" in title]


async def test_the_card_of_a_critical_alert_calls_whoever_is_on_call_by_name(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0)
    (card,) = notices(bot, "discord")
    assert "ada" in card.reply.text
    assert Account("discord", "1") in card.reply.mentions
    await bot.types("slack:ada", "alert ack 1")
    await everywhere(bot)
    assert card.reply.mentions == ()


async def test_an_alert_that_nobody_is_at_calls_the_next_one_in_its_thread_once(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0)
    await goes_round(bot, WAIT - 1)
    assert calls(bot) == []
    for seconds in (1, 15, WAIT, WAIT):
        await goes_round(bot, seconds)
    for platform in ("slack", "discord"):
        assert calls(bot, platform) == ["No answer for 15m: calling ben"]
    called = next(post for post in bot.chats["slack"].posts.values() if "calling" in post.reply.title)
    assert called.below == notices(bot)[0].id
    assert Account("slack", "ben") in called.reply.mentions
    assert called.button("Acknowledge").types == "alert ack 1"
    (alert,) = await bot.app.alerts.open()
    assert alert.escalated == 1


@pytest.mark.parametrize("line", ["alert ack 1", "alert mute 1 --for 10h", "maintenance start --for 10h"])
async def test_one_that_somebody_is_at_or_that_is_to_be_quiet_calls_nobody(bot: Bot, line: str) -> None:
    await looks(bot, DOWN, backend=1.0)
    await bot.types("slack:olga", line)
    await goes_round(bot, 3 * WAIT)
    assert calls(bot) == []


async def test_one_that_is_over_calls_nobody(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0)
    await looks(bot, DOWN, backend=0.0)
    await goes_round(bot, WAIT)
    assert calls(bot) == []
    assert [post.reply.mentions for post in notices(bot)] == [()]


async def test_a_warning_calls_nobody(bot: Bot) -> None:
    await looks(bot, FULL, root=95.0)
    await goes_round(bot, 3 * WAIT)
    assert calls(bot) == []
    assert [post.reply.mentions for post in notices(bot)] == [()]


async def test_two_at_once_call_for_each(bot: Bot) -> None:
    await looks(bot, DOWN, backend=1.0, redis=1.0)
    await goes_round(bot, WAIT)
    assert len(calls(bot)) == 2


@pytest.mark.parametrize(
    ("quiet", "loud"), [("alert mute 1 --for 1h", "alert unmute 1"), ("maintenance start --for 1h", "maintenance stop"), ("", "")]
)
async def test_what_was_kept_quiet_gives_whoever_is_called_all_their_time_again(bot: Bot, quiet: str, loud: str) -> None:
    await looks(bot, DOWN, backend=1.0)
    await bot.types("slack:olga", quiet or "alert mute 1 --for 1h")
    await goes_round(bot, 2_000)
    if loud:
        await bot.types("slack:olga", loud)
    else:
        await looks(bot, DOWN, after=1_600, backend=1.0)
        (said,) = (post.reply for post in bot.chats["slack"].posts.values() if "mute has ended" in post.reply.title)
        assert Account("slack", "ada") in said.mentions
    await goes_round(bot, WAIT - 1)
    assert calls(bot) == []
    await goes_round(bot, 1)
    assert len(calls(bot)) == 1


@pytest.mark.parametrize("over", ["ack", "recovered"])
async def test_a_call_that_an_outage_held_up_calls_nobody_once_somebody_is_at_it(bot: Bot, over: str) -> None:
    await looks(bot, DOWN, backend=1.0)
    bot.chats["slack"].fail(NotDelivered("down", retry_after=5))
    bot.forward(WAIT)
    await bot.app.calling.escalation.round()
    await bot.shown("discord")
    if over == "ack":
        await bot.app.alerts.acknowledge(1, "Ada")
    else:
        bot.clock.forward(30)
        for _ in range(2):
            await bot.app.watch.take((DOWN,), {DOWN.signal: ({"backend": Reading(0.0)}, 180.0)})
    bot.chats["slack"].recover()
    bot.forward(120)
    await everywhere(bot)
    late, at_once = (
        next(post for post in bot.chats[name].posts.values() if "calling" in post.reply.title) for name in ("slack", "discord")
    )
    assert late.reply.mentions == ()
    assert at_once.reply.mentions


async def test_the_end_of_a_mute_of_a_whole_rule_is_said_in_the_channels(bot: Bot) -> None:
    await bot.types("slack:olga", "alert mute disk --for 1h")
    await looks(bot, DOWN, after=3_601)
    for platform in ("slack", "discord"):
        assert titles(bot, platform)[-1] == "The mute has ended: all of disk"


async def test_who_is_called_by_mail_only_gets_a_letter_of_what_is_critical_and_how_it_ends(tmp_path: Path) -> None:
    (tmp_path / "oncall.toml").write_text('[[contact]]\nname = "choi"\nmail = "choi@example.org"\n')
    async with a_bot(tmp_path, platforms=("slack", "mail"), vcc_team_dir=tmp_path, vcc_alert_email=("all@example.org",)) as bot:
        await bot.app.calling.book.refresh()
        for value in (1.0, 0.0):
            await looks(bot, DOWN, FULL, backend=value)
        letters = [(post.place.channel, post.reply.title.partition(" (")[0]) for post in bot.chats["mail"].posts.values() if not post.below]
        assert letters == [(each, "Recovered: Disk · backend") for each in ("all@example.org", "choi@example.org")]
