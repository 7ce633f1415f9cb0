"""A bot with a team's schedules, and a group of commands whose answers and ends the tests decide."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.model import Place
from bot.testing.bot import OPS, Bot, a_bot
from bot.testing.chat import Posted
from bot.testing.clock import Clock
from commands import schedule
from tests.bot.demo import Demo

SECOND = Place("slack", "SECOND")
DAY = 86_400.0


def at(text: str, zone: str = "Asia/Seoul") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def row(name: str = "nightly", cron: str = "10 3 * * *", line: str = "demo read", **more: Any) -> str:
    """One schedule as it stands in a file."""
    written = {True: "true", False: "false"}
    values = {"name": name, "cron": cron, "line": line, **more}
    told = (f"{key} = {written[value] if isinstance(value, bool) else repr(value)}" for key, value in values.items())
    return "\n".join(("[[schedule]]", *told, ""))


def write(home: Path, *rows: str) -> Path:
    """A team's file; its folder."""
    folder = home / "own"
    folder.mkdir(exist_ok=True)
    (folder / "edited").write_text("\n".join(rows))
    (folder / "edited").replace(folder / "schedules.toml")
    return folder


@asynccontextmanager
async def a_scheduled_bot(home: Path, demo: Demo, *rows: str, clock: Clock, **settings: Any) -> AsyncIterator[Bot]:
    """The bot on ``clock``, which has looked at its schedules once; without ``rows`` at those that are there already."""
    folder = write(home, *rows) if rows else home / "own"
    async with a_bot(home, *demo.groups, schedule.group, clock=clock, **{"vcc_team_dir": folder, **settings}) as bot:
        await bot.app.scheduler.round()
        yield bot


async def look(bot: Bot, moment: str, zone: str = "Asia/Seoul") -> None:
    """Set the clock, let the bot look, and wait for what it began."""
    bot.clock.now = at(moment, zone)
    await bot.app.scheduler.round()
    await bot.quiet()


async def shown(bot: Bot, place: Place = OPS["slack"]) -> Sequence[Posted]:
    """What stands in a place once all is delivered."""
    await bot.shown(place.platform)
    return bot.chats[place.platform].at(place)
