"""What the tests of alerts share: a rule to change, and a bot that looks at figures a test gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.alert_rules import Rule, parse
from bot.alert_signals import Reading
from bot.model import Place
from bot.monitors import LONGEST_GAP
from bot.testing.bot import OPS, Bot
from bot.testing.chat import Posted

DISK: Mapping[str, Any] = {
    "name": "disk",
    "title": {"ko": "디스크", "en": "Disk"},
    "signal": "disk.percent",
    "above": 90,
    "clear": 85,
    "for": "1m",
    "clear_for": "1m",
    "severity": "critical",
}
STATE: Mapping[str, Any] = {**DISK, "name": "down", "signal": "service.down", "above": 1, "clear": None, "remedy": "restart {subject}"}


def rule(base: Mapping[str, Any] = DISK, /, **changes: Any) -> Rule:
    """A rule of a file, with changes; None takes a field away."""
    return parse({"rule": [{name: value for name, value in {**base, **changes}.items() if value is not None}]})[0]


async def looks(bot: Bot, *rules: Rule, after: float = 30.0, **figures: float | None) -> None:
    """A round ``after`` seconds: every rule's signal has these figures, by subject."""
    bot.clock.forward(after)
    readings = {subject: Reading(value, f"it is {value}") for subject, value in figures.items()}
    await bot.app.watch.take(rules, {each.signal: (readings, LONGEST_GAP) for each in rules})
    await everywhere(bot)


async def everywhere(bot: Bot) -> None:
    """Wait until every chat shows what it should."""
    for platform in bot.chats:
        await bot.shown(platform)


def titles(bot: Bot, platform: str = "slack", place: Place | None = None) -> list[str]:
    """What stands in the channel now, the threads indented."""
    posts = [post for post in bot.chats[platform].posts.values() if post.place == (place or OPS[platform])]
    return [("  " if post.below else "") + post.reply.title for post in posts]


def notices(bot: Bot, platform: str = "slack") -> list[Posted]:
    """The messages that stand in no thread."""
    return [post for post in bot.chats[platform].posts.values() if not post.below]
