"""Samples of the history as signals: the newest count, old ones are missing, shares are reckoned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.alert_record import FRESH, SERIES, Recorded
from bot.alert_rules import SIGNALS
from bot.alert_signals import Readings
from bot.ops.verdict import Problem
from bot.series import Series
from bot.testing.bot import Bot, a_bot


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """The house; nothing runs by itself."""
    async with a_bot(tmp_path, running=False) as bot:
        yield bot


def said(problem: Problem) -> str:
    return f"{problem.name} {problem.values.get('path', '')}"


async def read(bot: Bot) -> Readings:
    return await Recorded(bot.app.history, said, bot.clock).measure()


def values(found: Readings, signal: str) -> dict[str, float | None]:
    return {subject: reading.value for subject, reading in found.get(signal, {}).items()}


def test_every_signal_that_is_a_series_is_one_that_rules_may_name() -> None:
    assert set(SERIES) <= set(SIGNALS)


async def test_the_newest_sample_of_each_file_system_is_its_figure(bot: Bot) -> None:
    for percent in (50.0, 100.0):
        figures = {Series("disk", "/", "percent"): percent, Series("disk", "/data", "inodes_percent"): 91.0}
        await bot.app.history.add(bot.clock(), figures)
        bot.clock.forward(30)
    found = await read(bot)
    assert values(found, "disk.percent") == {"/": 100.0}
    assert found["disk.percent"]["/"].text == "disk /"
    assert values(found, "disk.inodes_percent") == {"/data": 91.0}


async def test_a_sample_that_is_old_says_nothing_of_now(bot: Bot) -> None:
    await bot.app.history.add(bot.clock(), {Series("disk", "/", "percent"): 95.0})
    bot.clock.forward(FRESH + 1)
    assert await read(bot) == {}


async def test_memory_of_a_service_is_its_share_of_its_limit(bot: Bot) -> None:
    figures = {Series("service", "backend", "memory_bytes"): 30.0, Series("service", "backend", "memory_limit_bytes"): 40.0}
    await bot.app.history.add(bot.clock(), {**figures, Series("service", "redis", "memory_bytes"): 5.0})
    assert values(await read(bot), "service.memory_percent") == {"backend": 75.0}


@pytest.mark.parametrize(("ended", "failed", "expected"), [(10.0, 4.0, 40.0), (10.0, 0.0, 0.0), (0.1, 0.1, 0.0), (0.0, 0.0, 0.0)])
async def test_the_share_of_failed_jobs_is_told_where_enough_ended(bot: Bot, ended: float, failed: float, expected: float) -> None:
    for _ in range(20):
        figures = {Series("queue", "jobs", "finished_per_min"): ended, Series("queue", "jobs", "failed_per_min"): failed}
        await bot.app.history.add(bot.clock(), figures)
        bot.clock.forward(30)
    assert values(await read(bot), "queue.failure_percent")["jobs"] == pytest.approx(expected, abs=1)


async def test_an_empty_queue_waits_for_nothing(bot: Bot) -> None:
    await bot.app.history.add(bot.clock(), {Series("queue", "jobs", "oldest_waiting_s"): 0.0, Series("queue", "jobs", "stalled"): 2.0})
    found = await read(bot)
    assert values(found, "queue.oldest_waiting_s") == {"jobs": 0.0}
    assert values(found, "queue.stalled") == {"jobs": 2.0}
