"""Rounds of the watch over sources of a test: what fails, and what somebody works on, is not known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.alert_course import Course
from bot.alert_remedies import Remedies
from bot.alert_signals import Reading, Readings, Source
from bot.testing.bot import Bot, a_bot
from bot.watch import Watch, Watched


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """The whole house on chats in memory."""
    async with a_bot(tmp_path) as bot:
        yield bot


def watching(bot: Bot, *sources: Source) -> Watch:
    app = bot.app
    course, remedies = Course(app.alerts, app.words, app.redactor.text), Remedies(app.alerts, bool)
    return Watch(Watched(app.store, app.alerts, course, remedies, app.wake, app.locks.held), app.rules, sources, bot.clock)


async def rounds(bot: Bot, watch: Watch, count: int) -> None:
    for _ in range(count):
        bot.clock.forward(30)
        await watch.round()


async def test_a_source_with_a_bug_blinds_the_watch_to_no_other(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> Readings:
        raise KeyError("no such field")

    async def full() -> Readings:
        return {"disk.percent": {"/": Reading(95.0)}}

    watch = watching(bot, Source("broken", broken), Source("full", full))
    await rounds(bot, watch, 4)
    assert [alert.rule for alert in await bot.app.alerts.open()] == ["disk"]
    assert caplog.text.count("watching broken broke") == 1


async def test_a_restart_through_the_bot_wakes_nobody_and_one_that_leaves_it_down_does(bot: Bot) -> None:
    async def down() -> Readings:
        return {"service.down": {"backend": Reading(1.0, "it is down")}}

    watch = watching(bot, Source("docker", down))
    async with bot.app.locks.hold(("service:backend",), bot.invocation("slack:ada", "restart backend"), "Ada"):
        await rounds(bot, watch, 6)
    assert await bot.app.alerts.open() == []
    await rounds(bot, watch, 4)
    assert [alert.rule for alert in await bot.app.alerts.open()] == ["service-down"]
