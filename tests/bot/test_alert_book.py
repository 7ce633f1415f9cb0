"""Mutes, maintenance and what people do about alerts: quiet for a while, its end said by itself, and nothing lost in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.alerts import AlertState
from bot.errors import Conflict
from bot.model import Reply
from bot.testing.bot import Bot, a_bot
from tests.bot.alerted import STATE, everywhere, looks, notices, rule, titles

DISK = rule(repeat="30m", **{"for": "0s", "clear_for": "0s"})
DOWN = rule(STATE, **{"for": "0s", "clear_for": "0s"})
HOUR = 3_600.0


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """The whole house on chats in memory."""
    async with a_bot(tmp_path) as bot:
        yield bot


async def test_a_mute_stands_in_the_message_and_its_end_is_said_below(bot: Bot) -> None:
    await looks(bot, DISK, root=95.0)
    await bot.types("slack:olga", "alert mute 1 --for 1h")
    await everywhere(bot)
    assert "Muted by" in notices(bot)[0].reply.text
    assert "disk · root" in notices(bot)[0].reply.text
    assert "Unmute" in [button.label for button in notices(bot)[0].reply.buttons]
    for _ in range(10):
        await looks(bot, DISK, after=300, root=95.0)
    assert titles(bot)[2:] == []  # the answer to the mute is the second; no repeat meanwhile
    await looks(bot, DISK, after=601, root=95.0)
    assert titles(bot)[2] == "  The mute has ended: disk · root"
    assert "Muted by" not in notices(bot)[0].reply.text
    assert await bot.app.alerts.mutes() == []


async def test_what_recovers_while_it_is_muted_says_nothing_and_shows_it(bot: Bot) -> None:
    await looks(bot, DISK, root=95.0)
    await bot.types("slack:olga", "alert mute 1 --for 1h")
    await looks(bot, DISK, root=10.0)
    assert notices(bot)[0].reply.title.startswith("Recovered")
    assert [title for title in titles(bot) if title.startswith("  ")] == []
    await looks(bot, DISK, after=HOUR, root=10.0)
    below = next(post for post in bot.chats["slack"].posts.values() if post.below)
    assert (below.reply.title, below.reply.text) == ("The mute has ended: disk · root", "The problem is over meanwhile.")


async def test_a_muted_rule_records_what_is_new_and_tells_it_at_the_end_if_it_goes_on(bot: Bot) -> None:
    await bot.types("slack:olga", "alert mute disk --for 1h")
    await looks(bot, DISK, root=95.0, data=95.0)
    assert [alert.announced_at for alert in await bot.app.alerts.open()] == [None, None]
    assert len(notices(bot)) == 1
    await looks(bot, DISK, root=95.0, data=10.0)
    await looks(bot, DISK, after=HOUR, root=95.0, data=10.0)
    assert [title for title in titles(bot) if "Disk" in title] == ["[critical] Disk · root — 95%"]


async def test_the_end_of_a_mute_that_was_asked_at_no_alert_is_told_where_alerts_are(bot: Bot) -> None:
    await bot.types("slack:olga", "alert mute disk --for 1h")
    await looks(bot, DISK, after=HOUR, root=10.0)
    for platform in ("slack", "discord"):
        ended = notices(bot, platform)[-1].reply
        assert (ended.title, ended.text) == ("The mute has ended: all of disk", "Nothing of it goes on now.")


async def test_unmuting_ends_it_before_its_time(bot: Bot) -> None:
    await looks(bot, DISK, root=95.0)
    await bot.types("slack:olga", "alert mute 1")
    answer = await bot.types("slack:ada", "alert unmute 1")
    assert answer.title == "No longer muted: disk · root"
    await everywhere(bot)
    assert "ended the mute: disk · root" in "".join(title for title in titles(bot) if title.startswith("  "))
    assert (await bot.types("slack:ada", "alert unmute 1")).data["reason"] == "alert.not_muted"


async def test_a_newer_mute_takes_the_place_of_the_one_before(bot: Bot) -> None:
    await looks(bot, DISK, root=95.0)
    await bot.types("slack:olga", "alert mute 1 --for 1h")
    await bot.types("slack:olga", "alert mute 1 --for 3h")
    (mute,) = await bot.app.alerts.mutes()
    assert mute.until == bot.clock() + 3 * HOUR


async def test_in_maintenance_alerts_are_recorded_and_what_goes_on_at_its_end_is_told(bot: Bot) -> None:
    await bot.types("slack:olga", "maintenance start --for 1h")
    await looks(bot, DISK, root=95.0, data=95.0)
    await looks(bot, DISK, root=95.0, data=10.0)
    assert [title for title in titles(bot) if "Disk" in title] == []
    assert [post.reply.title.partition(" (")[0] for post in notices(bot, "discord")] == ["Maintenance: all services"]
    await looks(bot, DISK, after=HOUR, root=95.0, data=10.0)
    for platform in ("slack", "discord"):
        assert [title for title in titles(bot, platform) if "Disk" in title] == ["[critical] Disk · root — 95%"]
    window = next(post for post in notices(bot, "discord") if "Maintenance" in post.reply.title)
    assert window.reply.title.startswith("Maintenance over")
    below = next(post for post in bot.chats["discord"].posts.values() if post.below == window.id)
    assert below.reply.text == "Alerts recorded meanwhile: 2, still going on: 1."


async def test_maintenance_of_one_service_leaves_the_others_alone(bot: Bot) -> None:
    await bot.app.alerts.begin_window("backend", "Olga", bot.clock() + HOUR)
    await looks(bot, DOWN, **{"backend": 1.0, "backend#2": 1.0, "frontend → backend": 1.0, "redis": 1.0})
    assert [title for title in titles(bot) if "Disk" in title] == ["[critical] Disk · redis"]
    await bot.app.alerts.end_window(1, "Olga")
    await everywhere(bot)
    assert len([title for title in titles(bot) if "[critical] Disk" in title]) == 4


async def test_maintenance_is_ended_by_hand_and_begun_once(bot: Bot) -> None:
    await bot.types("slack:olga", "maintenance start")
    assert (await bot.types("slack:ada", "maintenance start")).data["reason"] == "alerts.window_before"
    assert (await bot.types("slack:vera", "maintenance")).title == "Maintenance is going on: 1"
    assert (await bot.types("slack:ada", "maintenance stop")).title.startswith("Maintenance over")
    assert (await bot.types("slack:ada", "maintenance stop")).data["reason"] == "maintenance.nothing"
    assert (await bot.types("slack:ada", "maintenance stop 1")).data["reason"] == "alerts.no_window"


async def test_acknowledging_twice_or_what_is_over_is_refused(bot: Bot) -> None:
    await looks(bot, DISK, root=95.0)
    assert (await bot.types("slack:olga", "alert ack 1")).data["state"] == "acknowledged"
    assert (await bot.types("slack:ada", "alert ack 1")).data["reason"] == "alerts.acknowledged_before"
    await looks(bot, DISK, root=10.0)
    assert (await bot.types("slack:ada", "alert ack 1")).data["reason"] == "alerts.is_closed"
    assert (await bot.types("slack:ada", "alert mute 1")).data["reason"] == "alerts.is_closed"
    assert (await bot.types("slack:ada", "alert ack 9")).data["reason"] == "alerts.no_alert"


async def test_what_waits_for_somebody_is_what_was_told_and_is_not_quiet(bot: Bot) -> None:
    await looks(bot, DISK, a=95.0, b=95.0, c=95.0)
    await bot.app.alerts.acknowledge(1, "Ada")
    await bot.app.alerts.mute("disk", "b", "Ada", bot.clock() + HOUR, 2)
    assert [alert.subject for alert in await bot.app.alerts.waiting()] == ["c"]


async def test_an_incident_s_number_stands_in_the_message(bot: Bot) -> None:
    await looks(bot, DISK, root=95.0)
    await bot.app.alerts.link(1, 4)
    await bot.app.alerts.say(1, Reply("more"))
    await everywhere(bot)
    assert "Incident #4" in notices(bot)[0].reply.text
    assert titles(bot)[-1] == "  more"
    with pytest.raises(Conflict):
        await bot.app.alerts.link(9, 4)


async def test_who_is_on_call_stands_in_the_message_until_somebody_is_at_it(bot: Bot) -> None:
    bot.app.alert_desk.on_call = lambda db: "Ben"
    await looks(bot, DISK, root=95.0)
    assert "On call: Ben" in notices(bot)[0].reply.text
    await bot.app.alerts.acknowledge(1, "Ada")
    await everywhere(bot)
    assert "On call" not in notices(bot)[0].reply.text


async def test_a_test_alert_goes_the_whole_way_and_closes_itself(bot: Bot) -> None:
    answer = await bot.types("slack:olga", "alert test")
    assert answer.data == {"alert": 1, "announced": True}
    await everywhere(bot)
    assert [title.partition(" ·")[0] for title in titles(bot, "discord")] == ["[warning] Test alert (nothing is wrong)"]
    await looks(bot, DISK, after=21)
    assert [alert.state for alert in await bot.app.alerts.since(0)] == [AlertState.CLOSED]
    assert titles(bot, "discord")[-1].startswith("  Test alert closed")


async def test_the_list_says_what_goes_on_what_is_quiet_and_what_was(bot: Bot) -> None:
    assert (await bot.types("slack:vera", "alert")).title == "No alert is open"
    await looks(bot, DISK, a=95.0, b=95.0)
    await bot.app.alerts.mute("disk", "a", "Ada", bot.clock() + HOUR, 1)
    await bot.app.alerts.begin_window("backend", "Ada", bot.clock() + HOUR)
    await bot.app.alerts.acknowledge(1, "Ada")
    listed = await bot.types("slack:vera", "alert list")
    assert listed.title == "2 open alert(s), 2 critical"
    assert [row[3] for row in listed.tables[0].rows] == ["Ada is at it", "not acknowledged"]
    assert [name for name, _ in listed.fields] == ["Maintenance", "Muted"]
    assert [button.types for button in listed.buttons] == ["alert ack 2"]
    await looks(bot, DISK, a=10.0, b=95.0)
    assert (await bot.types("slack:vera", "alert list")).data["open"] == 1
    assert len((await bot.types("slack:vera", "alert list --since 24h")).data["alerts"]) == 2


async def test_the_rules_are_told_as_they_are_in_force(bot: Bot) -> None:
    told = await bot.types("slack:vera", "alert rules")
    disk = next(row for row in told.tables[0].rows if row[0] == "disk")
    assert disk == ("disk", "Disk use", "≥ 90%", "1m", "critical")


@pytest.mark.parametrize("line", ["alert ack 1", "alert mute 1", "alert unmute 1", "alert test", "maintenance start", "maintenance stop"])
async def test_a_stranger_and_a_viewer_are_refused(bot: Bot, line: str) -> None:
    await looks(bot, DISK, root=95.0)
    for who in ("slack:mallory", "slack:vera"):
        assert (await bot.types(who, line)).outcome.value == "refused"
    (alert,) = await bot.app.alerts.open()
    assert alert.state is AlertState.OPEN
    assert [*await bot.app.alerts.mutes(), *await bot.app.alerts.windows()] == []


@pytest.mark.parametrize("line", ["alert mute disk --for 1h", "maintenance start --for 1h"])
async def test_a_clock_that_is_set_back_keeps_nothing_quiet_for_a_year(bot: Bot, line: str) -> None:
    await bot.types("slack:olga", line)
    await everywhere(bot)
    await looks(bot, DISK, after=-3, root=95.0)
    assert [alert.announced_at for alert in await bot.app.alerts.open()] == [None]
    await looks(bot, DISK, after=-365 * 86_400.0, root=95.0)
    assert [alert.announced_at for alert in await bot.app.alerts.open()] == [bot.clock()]
