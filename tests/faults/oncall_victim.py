"""A bot as a process to be killed: somebody is called, does not answer, the next one is called and answers; it dies at a chosen point."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.testing.bot import Bot, a_bot
from bot.testing.clock import Clock
from commands import oncall
from tests.faults.victim import Points

BEGUN, WAIT = 1_770_000_000.0, 900.0
AFTER = BEGUN + 2 * WAIT


def _count(bot: Bot, points: Points) -> None:
    commit = bot.app.store._commit

    def counted(batch: Any) -> None:
        points.point()
        commit(batch)
        points.point()

    bot.app.store._commit = counted  # type: ignore[method-assign]


async def _live(home: Path, fatal: int) -> None:
    async with a_bot(home, oncall.group, running=False, clock=Clock(BEGUN)) as bot:
        await bot.app.calling.escalation.round()
        _count(bot, Points(home, fatal))
        (home / "armed").touch()
        await bot.types("slack:olga", "oncall page the site is down")
        bot.clock.forward(WAIT)
        await bot.app.calling.escalation.round()
        await bot.types("slack:ben", "oncall ack 1")
        await bot.app.calling.escalation.round()


def main(home: Path, fatal: int) -> None:
    """The process: one call, and the end."""
    asyncio.run(_live(home, fatal))
