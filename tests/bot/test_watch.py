"""Rounds of the watch: one message for each alert, edited in place, with what belongs to it below; on both platforms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.alert_signals import Reading
from bot.alerts import AlertState
from bot.model import Place, Tone
from bot.outbox import NotDelivered
from bot.store import alert_rows
from bot.testing.bot import OPS, Bot, a_bot
from tests.bot.alerted import STATE, everywhere, looks, notices, rule, titles

DISK = rule(repeat="1h")
HOUR = 3_600.0


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """The whole house on chats in memory."""
    async with a_bot(tmp_path) as bot:
        yield bot


async def opened(bot: Bot, value: float = 93.0) -> None:
    for _ in range(3):
        await looks(bot, DISK, root=value)


async def test_an_alert_is_one_message_in_each_place_and_recovery_closes_it_there(bot: Bot) -> None:
    await opened(bot)
    for platform in ("slack", "discord"):
        assert titles(bot, platform) == ["[critical] Disk · root — 93%"]
        assert notices(bot, platform)[0].reply.tone is Tone.BAD
    for _ in range(4):
        await looks(bot, DISK, root=50.0)
    for platform in ("slack", "discord"):
        over, line = titles(bot, platform)
        assert over == "Recovered: Disk · root (after 1m 30s)"
        assert line == "  Recovered: Disk · root (after 1m 30s)"
        assert notices(bot, platform)[0].reply.buttons == ()
    (alert,) = await bot.app.alerts.since(0)
    assert (alert.state, alert.value) == (AlertState.CLOSED, 50.0)


async def test_what_cannot_be_measured_closes_nothing(bot: Bot) -> None:
    await opened(bot)
    for _ in range(20):
        await looks(bot, DISK, after=300, root=None)
    assert [alert.state for alert in await bot.app.alerts.open()] == [AlertState.OPEN]
    bot.clock.forward(HOUR)
    await bot.app.watch.take((DISK,), {})
    assert [alert.state for alert in await bot.app.alerts.open()] == [AlertState.OPEN]


async def test_it_is_said_again_below_its_message_later_each_time(bot: Bot) -> None:
    await opened(bot)
    for _ in range(8 * 60):
        bot.clock.forward(60)
        await bot.app.watch.take((DISK,), {"disk.percent": ({"root": Reading(93.0)}, 180.0)})
    await everywhere(bot)
    assert [title.partition(" (")[0] for title in titles(bot)] == ["[critical] Disk · root — 93%"] + ["  Goes on: Disk · root"] * 3
    assert "repeated 3×" in notices(bot)[0].reply.footer


async def test_a_figure_that_moves_is_shown_in_place_now_and_then(bot: Bot) -> None:
    await opened(bot)
    for value in (94.0, 95.0, 96.0):
        await looks(bot, DISK, after=150, root=value)
    assert titles(bot) == ["[critical] Disk · root — 95%"]


async def test_acknowledging_stands_in_the_message_and_ends_the_repeats(bot: Bot) -> None:
    await opened(bot)
    await bot.presses("slack:olga", notices(bot)[0], "Acknowledge")
    await everywhere(bot)
    name = next(iter(await bot.app.alerts.open())).acknowledged_by
    for platform in ("slack", "discord"):
        assert notices(bot, platform)[0].reply.title == f"[critical] Disk · root — 93% (acknowledged: {name})"
    for _ in range(30):
        await looks(bot, DISK, after=150, root=93.0)
    assert [title for title in titles(bot) if "Goes on" in title] == []


async def test_a_figure_that_flaps_is_one_alert_that_says_so(bot: Bot) -> None:
    flapping = rule(**{"for": "0s", "clear_for": "0s"})
    for value in [95.0, 50.0] * 20:
        await looks(bot, flapping, root=value)
    assert len(notices(bot)) == 3
    assert "bad and well again" in notices(bot)[-1].reply.text
    for _ in range(62):
        await looks(bot, flapping, root=50.0)
    assert await bot.app.alerts.open() == []


async def test_what_is_no_longer_there_is_over_after_a_while(bot: Bot) -> None:
    await opened(bot)
    for _ in range(25):
        await looks(bot, DISK)
    assert await bot.app.alerts.open() == []
    assert titles(bot)[-1] == "  Closed, as there is no such thing any more: Disk · root"


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
async def test_what_is_missing_at_one_look_is_not_over_however_long_nobody_looked(bot: Bot, jump: float) -> None:
    await opened(bot)
    await looks(bot, DISK, after=jump, other=10.0)
    await looks(bot, DISK, other=10.0)
    assert [alert.subject for alert in await bot.app.alerts.open()] == ["root"]


async def test_a_rule_that_is_no_more_takes_its_alerts_with_it(bot: Bot) -> None:
    await opened(bot)
    await looks(bot, rule(name="other"), root=10.0)
    assert await bot.app.alerts.open() == []
    assert titles(bot)[-1] == "  Closed, as its rule is gone: Disk · root"


async def test_a_rule_s_own_channel_is_told_too(bot: Bot) -> None:
    own = rule(channel="slack:C9", **{"for": "0s"})
    await looks(bot, own, root=99.0)
    assert titles(bot, place=Place("slack", "C9")) == titles(bot) == ["[critical] Disk · root — 99%"]


async def test_no_secret_in_a_finding_is_kept_or_said(bot: Bot) -> None:
    at_once = rule(**{"for": "0s"})
    readings = {"root": Reading(95.0, "redis://:hunter2secret@redis:6379 is full")}
    await bot.app.watch.take((at_once,), {"disk.percent": (readings, 180.0)})
    (alert,) = await bot.app.alerts.open()
    assert "hunter2secret" not in alert.text


async def test_ten_thousand_at_once_are_a_few_messages_and_one_that_counts(bot: Bot) -> None:
    storm = rule(severity="warning", **{"for": "0s", "clear_for": "0s"})
    down = rule(STATE, **{"for": "0s"})
    many = {f"d{number}": Reading(95.0) for number in range(10_000)}
    asked = {"disk.percent": (many, 180.0), "service.down": ({"backend": Reading(1.0, "gone")}, 180.0)}
    await bot.app.watch.take((down, storm), asked)
    await bot.app.watch.take((down, storm), asked)
    await everywhere(bot)
    told = titles(bot)
    assert told[0] == "[critical] Disk · backend"
    assert [title for title in told if "at once" in title] == ["[warning] Disk: 9,995 at once"]
    assert len(told) == 1 + storm.most + 1
    bot.clock.forward(60)
    calm = {name: Reading(10.0) for name in many}
    await bot.app.watch.take((down, storm), {**asked, "disk.percent": (calm, 180.0)})
    await everywhere(bot)
    assert [alert.subject for alert in await bot.app.alerts.open()] == ["backend"]
    assert len(notices(bot)) == 1 + storm.most + 1


async def test_in_a_storm_a_request_is_recorded_and_answered_before_it_is_over(bot: Bot) -> None:
    storm = rule(severity="warning", **{"for": "0s", "clear_for": "0s"})
    many = {f"d{number}": Reading(95.0) for number in range(10_000)}
    taking = asyncio.create_task(bot.app.watch.take((storm,), {"disk.percent": (many, 180.0)}))
    assert (await bot.types("slack:vera", "alert rules")).title
    assert not taking.done()
    await taking


async def test_slack_down_for_an_hour_loses_nothing_and_doubles_nothing(bot: Bot) -> None:
    bot.chats["slack"].fail(NotDelivered("down"))
    for _ in range(3):
        bot.clock.forward(30)
        await bot.app.watch.take((DISK,), {"disk.percent": ({"root": Reading(93.0)}, 180.0)})
    await bot.shown("discord")
    assert titles(bot, "discord") == ["[critical] Disk · root — 93%"]
    listed = await bot.types("discord:1", "alert list")
    assert dict(listed.fields)["To be delivered"].startswith("1 waiting, slack until")
    for _ in range(65):
        bot.clock.forward(60)
        await bot.app.watch.take((DISK,), {"disk.percent": ({"root": Reading(50.0)}, 180.0)})
    bot.chats["slack"].recover()
    bot.forward(61)
    await everywhere(bot)
    alerts = [title for title in titles(bot, "discord") if "Disk" in title]
    assert titles(bot) == alerts
    assert len(alerts) == 2


async def test_a_channel_that_is_gone_keeps_no_other_from_being_told(bot: Bot) -> None:
    bot.chats["slack"].fail(NotDelivered("channel_not_found", final=True))
    await opened(bot)
    tried = bot.chats["slack"].spoilt
    for _ in range(10):
        await looks(bot, DISK, root=93.0)
    assert titles(bot, "discord") == ["[critical] Disk · root — 93%"]
    assert bot.chats["slack"].spoilt == tried
    listed = await bot.types("discord:1", "alert list")
    assert dict(listed.fields)["To be delivered"] == "slack: 1 given up"


@pytest.mark.parametrize("jump", [-30 * 86_400.0, 30 * 86_400.0])
async def test_a_clock_that_jumps_says_it_again_once_at_most(bot: Bot, jump: float) -> None:
    await opened(bot)
    bot.clock.forward(jump)
    for _ in range(4):
        await looks(bot, DISK, root=93.0)
    assert len(notices(bot)) == 1
    assert len([title for title in titles(bot) if "Goes on" in title]) == (1 if jump > 0 else 0)
    for _ in range(4):
        await looks(bot, DISK, root=10.0)
    assert await bot.app.alerts.open() == []


async def test_a_restart_neither_doubles_nor_loses_an_alert(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        await opened(bot)
        chats = bot.chats
        clock = bot.clock
    async with a_bot(tmp_path, clock=clock) as again:
        for platform, chat in chats.items():
            again.chats[platform].posts.update(chat.posts)
            again.chats[platform]._numbers = chat._numbers
        for _ in range(3):
            await looks(again, DISK, root=93.0)
        assert titles(again) == ["[critical] Disk · root — 93%"]
        for _ in range(3):
            await looks(again, DISK, root=10.0)
        assert [title.strip()[:9] for title in titles(again)] == ["Recovered"] * 2


async def test_a_window_that_had_begun_before_a_restart_goes_on(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        for _ in range(2):
            await looks(bot, DISK, root=93.0)
        clock = bot.clock
    async with a_bot(tmp_path, clock=clock) as again:
        await looks(again, DISK, root=93.0)
        assert len(titles(again)) == 1


async def test_each_round_asks_what_is_due_and_a_source_that_fails_keeps_nobody_waiting(bot: Bot) -> None:
    await bot.app.watch.round()  # no Docker, no MongoDB, no Redis here: the sources say so
    bot.clock.forward(90)
    await bot.app.watch.round()
    await everywhere(bot)
    assert [alert.subject for alert in await bot.app.alerts.open()] == ["docker"]
    assert OPS["slack"] in {post.place for post in notices(bot)}


async def test_what_comes_long_after_a_storm_is_told_and_calls_though_the_storm_was_acknowledged(bot: Bot) -> None:
    down = rule(STATE, **{"for": "0s"})
    storm = {f"s{number}": 1.0 for number in range(8)}
    await looks(bot, down, **storm)
    assert titles(bot)[-1] == "[critical] Disk: 3 at once"
    for number in range(1, 7):
        await bot.app.alerts.acknowledge(number, "Ada")
    await looks(bot, down, after=HOUR, **storm, mongodb=1.0)
    news = notices(bot)[-1].reply
    assert news.title == "[critical] Disk · mongodb"
    assert news.mentions
    for _ in range(3):
        await looks(bot, down, **dict.fromkeys(storm, 0.0), mongodb=1.0)
    assert [alert.subject for alert in await bot.app.alerts.open()] == ["mongodb"]


async def test_what_is_over_is_forgotten_in_the_end(bot: Bot) -> None:
    await opened(bot)
    for _ in range(4):
        await looks(bot, DISK, root=10.0)
    await bot.app.store.write(lambda db: alert_rows.prune(db, bot.clock() + 1))
    assert await bot.app.alerts.since(0) == []
