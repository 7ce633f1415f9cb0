"""A bot as a process to be killed: it looks at its schedules when one is due, and dies at the point whose number it was given."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.testing.bot import a_bot
from bot.testing.clock import Clock
from tests.faults.victim import Points, work

BEFORE, DUE, AFTER = 1_770_000_000.0, 1_770_000_600.0, 1_770_001_200.0


async def _live(home: Path, fatal: int) -> None:
    clock = Clock(BEFORE)
    async with a_bot(home, work, running=False, clock=clock, vcc_team_dir=home) as bot:
        await bot.app.scheduler.round()
        points, commit = Points(home, fatal), bot.app.store._commit

        def counted(batch: Any) -> None:
            points.point()
            commit(batch)
            points.point()

        bot.app.store._commit = counted  # type: ignore[method-assign]
        (home / "armed").touch()
        clock.now = DUE
        await bot.app.scheduler.round()
        await bot.quiet()


def main(home: Path, fatal: int) -> None:
    """The process: one due schedule, and the end."""
    asyncio.run(_live(home, fatal))
