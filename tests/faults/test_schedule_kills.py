"""SIGKILL at every point between a schedule's time and its answer: it is run or told as interrupted, in every channel, and never twice."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

from bot.model import Outcome, Reply
from bot.testing.bot import OPS, a_bot
from bot.testing.clock import Clock
from tests.faults import schedule_victim
from tests.faults.programs import processes
from tests.faults.test_kills import effects
from tests.faults.victim import work

ENOUGH = 60.0
MOST_POINTS = 40


async def killed_at(home: Path, fatal: int) -> bool:
    """Whether the process reached this point, and died there."""
    due = datetime.fromtimestamp(schedule_victim.DUE, UTC)
    text = f'[[schedule]]\nname = "nightly"\ncron = "{due.minute} {due.hour} * * *"\nzone = "UTC"\nline = "work once"\n'
    (home / "schedules.toml").write_text(text)
    process = processes.Process(target=schedule_victim.main, args=(home, fatal))
    process.start()
    await asyncio.to_thread(process.join, ENOUGH)
    assert process.exitcode in (0, -signal.SIGKILL)
    killed = process.exitcode != 0
    process.close()
    return killed


async def answers(home: Path) -> list[Reply]:
    """What the next start shows in each channel, all of it."""
    async with a_bot(home, work, clock=Clock(schedule_victim.AFTER), vcc_team_dir=home) as bot:
        for _ in range(2):
            await bot.app.scheduler.round()
            await bot.quiet()
        for platform in ("slack", "discord"):
            await bot.shown(platform)
        first, broken = await bot.app.audit.verify()
        assert (first > 0, broken) == (True, 0)
        return [post.reply for platform in ("slack", "discord") for post in bot.chats[platform].at(OPS[platform])]


async def test_a_schedule_killed_at_any_point_is_neither_lost_nor_doubled(place: Path) -> None:
    outcomes: list[Outcome] = []
    for fatal in range(1, MOST_POINTS):
        home = place / str(fatal)
        home.mkdir()
        if not await killed_at(home, fatal):
            break
        shown = await answers(home)
        context = f"killed at point {fatal}: {shown}"
        assert len(shown) == 2, context
        assert shown[0] == shown[1], context
        assert shown[0].footer.startswith("schedule nightly · ada"), context
        done = shown[0].outcome is Outcome.DONE
        assert effects(home) == 1 if done else effects(home) <= 1, context
        assert done or shown[0].outcome is Outcome.INTERRUPTED, context
        outcomes.append(shown[0].outcome)
    # Before it is claimed it runs late; while it goes on it is told as interrupted; once closed it is shown as done.
    assert [outcomes[0], outcomes[-1]] == [Outcome.DONE, Outcome.DONE]
    assert outcomes.count(Outcome.INTERRUPTED) >= 3
