"""A week at high speed: failures, an outage of Slack, a restart, maintenance, a mute. Both platforms show exactly what they should."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.alert_signals import Reading
from bot.outbox import NotDelivered
from bot.testing.bot import Bot, a_bot
from bot.testing.chat import TestChat
from tests.bot.alerted import DISK, STATE, everywhere, rule, titles
from tests.parts import no_schedules

QUARTER = 900.0
HOUR, DAY, WEEK = 4, 96, 672
AT_ONCE = {"for": "0s", "clear_for": "0s"}
RULES = (
    rule(STATE, title={"ko": "꺼짐", "en": "Down"}, flaps=20, **AT_ONCE),
    rule(DISK, flaps=3, flaps_within="6h", **AT_ONCE),
)
# From which quarter of an hour until which, and what is wrong then.
FAILURES = (
    (8, 9, "disk"),  # Monday: an hour's quarter, over before it is said again
    (DAY, DAY + 2 * HOUR, "backend"),  # Tuesday: two hours, said again once; Slack is away meanwhile
    (2 * DAY, 2 * DAY + HOUR, "redis"),  # Wednesday: the bot is started again in the middle
    (3 * DAY + 1, 3 * DAY + 2, "backend"),  # Thursday: in maintenance, and over with it
    (3 * DAY + 3, 3 * DAY + 6, "redis"),  # ... and what outlasts it
    *((4 * DAY + flip, 4 * DAY + flip + 1, "disk") for flip in range(0, 20, 2)),  # Friday: ten times up and down
    (5 * DAY, 5 * DAY + 3 * HOUR, "backend"),  # Saturday: muted for two hours
)
SLACK_AWAY = range(DAY, DAY + HOUR)
RESTARTED = 2 * DAY + 2
MAINTENANCE, MUTED = 3 * DAY, 5 * DAY + 1

EXPECTED = [
    "Recovered: Disk · root (after 15m)",
    "  Recovered: Disk · root (after 15m)",
    "Recovered: Down · backend (after 2h)",
    "  Goes on: Down · backend (for 1h)",
    "  Recovered: Down · backend (after 2h)",
    "Recovered: Down · redis (after 1h)",
    "  Recovered: Down · redis (after 1h)",
    "Maintenance over: all services (1h)",
    "  The maintenance has ended as planned: all services",
    "Recovered: Down · redis (after 45m)",
    "  Recovered: Down · redis (after 45m)",
    "Recovered: Disk · root (after 15m)",
    "  Recovered: Disk · root (after 15m)",
    "Recovered: Disk · root (after 15m)",
    "  Recovered: Disk · root (after 15m)",
    "Recovered: Disk · root (after 6h 45m)",  # from its third turn on it flaps, until three hours after its last
    "  Goes on: Disk · root (for 1h) — 95%",
    "  Goes on: Disk · root (for 3h) — 95%",
    "  Recovered: Disk · root (after 6h 45m)",
    "Recovered: Down · backend (after 3h)",
    "  The mute has ended: down · backend",
    "  Goes on: Down · backend (for 2h 15m)",
    "  Recovered: Down · backend (after 3h)",
]


def wrong(quarter: int) -> Mapping[str, tuple[Mapping[str, Reading], float]]:
    """Every figure at this time."""
    found = {what for begin, end, what in FAILURES if begin <= quarter < end}
    services = {name: Reading(float(name in found), "it is down") for name in ("backend", "redis")}
    return {
        "service.down": (services, WEEK * QUARTER),
        "disk.percent": ({"root": Reading(95.0 if "disk" in found else 50.0)}, WEEK * QUARTER),
    }


async def lives(bot: Bot, quarters: range) -> None:
    """So much of the week, a look every quarter of an hour."""
    slack = bot.chats["slack"]
    for quarter in quarters:
        bot.clock.forward(QUARTER)
        if quarter == SLACK_AWAY.start:
            slack.fail(NotDelivered("down"))
        elif quarter == SLACK_AWAY.stop:
            slack.recover()
        if quarter == MAINTENANCE:
            await bot.app.alerts.begin_window("", "Ada", bot.clock() + HOUR * QUARTER)
        await bot.app.watch.take(RULES, wrong(quarter))
        if quarter == MUTED - 1:
            (alert,) = await bot.app.alerts.open()
            await bot.app.alerts.mute(alert.rule, alert.subject, "Ada", bot.clock() + 2 * HOUR * QUARTER, alert.id)
        bot.app.wake()
        for platform in {"slack", "discord"} - ({"slack"} if quarter in SLACK_AWAY else set()):
            await bot.shown(platform)


def handed_on(bot: Bot, before: Mapping[str, TestChat]) -> None:
    """The platforms outlive the bot."""
    for platform, chat in before.items():
        bot.chats[platform].posts = chat.posts
        bot.chats[platform]._numbers = chat._numbers


async def test_a_week_is_told_the_same_on_both_platforms_and_nothing_else_is(tmp_path: Path) -> None:
    team = Path(no_schedules(tmp_path)["VCC_TEAM_DIR"])
    async with a_bot(tmp_path, vcc_team_dir=team) as bot:
        await lives(bot, range(RESTARTED))
        chats, clock = bot.chats, bot.clock
    async with a_bot(tmp_path, clock=clock, vcc_team_dir=team) as again:
        handed_on(again, chats)
        await lives(again, range(RESTARTED, WEEK))
        await everywhere(again)
        assert titles(again, "slack") == titles(again, "discord") == EXPECTED
        assert await again.app.alerts.open() == []
