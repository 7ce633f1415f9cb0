"""Critical alerts call whoever is on call, then the next one, until somebody is at them; warnings and quiet ones call nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.model import Account
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
