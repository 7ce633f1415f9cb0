"""Drives the real app through a week in seconds: time moves in steps, and after each one everything that runs by the clock has its round.

Steps are short while something happens and long while nothing does. Nothing goes on between two steps: all is delivered that can be.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from bot.alert_signals import Source
from bot.app import App
from bot.model import Account, Place, Reply
from bot.outbox import Outbox
from bot.store import alert_rows, incident_rows, message_rows
from bot.testing.bot import Bot, settings_for, with_words, words_of
from bot.testing.chat import Posted
from bot.testing.clock import Clock
from bot.testing.waiting import until
from tests.stories.week_chat import ZONE, WeekChat
from tests.stories.week_parts import HOUSE, Parts, World, write_team

MONDAY = datetime(2026, 3, 23, 8, tzinfo=ZONE).timestamp()
DAY = 86_400.0
ALERTS = {"slack": Place("slack", "ALERTS"), "discord": Place("discord", "200")}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Seconds a step: while something happens, while an alert goes on, while nothing does.
_CLOSE, _OPEN, _FAR = 30.0, 120.0, 1_800.0
_RESTLESS = 600.0


def at(day: str, time: str) -> float:
    """A moment of the week: ``Tue``, ``11:15``."""
    hour, minute = time.split(":")
    return MONDAY - 8 * 3_600.0 + _DAYS.index(day) * DAY + int(hour) * 3_600.0 + int(minute) * 60.0


async def idle(app: App, outbox: Outbox) -> bool:
    """Whether all is delivered that can be now: what is left waits for its time."""
    now, held = app.clock(), outbox._held_until
    if outbox._busy:
        return False
    due = await app.store.read(lambda db: message_rows.due(db, outbox._platform, now, 100))
    if all(held.get(outbox._courier.lane(message), 0) > now for message in due):
        return True
    outbox.wake()
    return False


class Week:
    """The bot, its chats and its world, over restarts."""

    def __init__(self, home: Path) -> None:
        self.clock = Clock(MONDAY)
        self.world = World()
        self.chats = {platform: WeekChat(platform, self.clock) for platform in ("slack", "discord")}
        self.chats["slack"].makes_rooms = True  # in Discord they may not be created: a thread takes their place
        self.parts = Parts(self.world)
        self._home = home
        self._team = write_team(home)
        self._restless = 0.0
        self.bot: Bot
        self.app: App

    # ------------------------------------------------------------ the bot comes and goes
    async def start(self) -> None:
        """As after a deployment, or after a crash: all that is known is what the state says."""
        settings = settings_for(
            self._home,
            vcc_lang="ko",
            vcc_team_dir=self._team,
            vcc_channel_alerts=(Account("slack", "ALERTS"), Account("discord", "200")),
            vcc_channel_incidents=(Account("slack", "INCIDENTS"), Account("discord", "300")),
        )
        groups = (*HOUSE, *self.parts.groups)
        self.app = App(settings, self.clock, groups, with_words(words_of(groups)))
        self.app.watch._sources = (Source("world", self.world.measure),)
        self.world.hears = self.app.health
        await self.app.open()
        for chat in self.chats.values():
            self.app.add(chat)
        self.bot = Bot(self.app, self.chats, self.clock)
        await self.round()

    @property
    def _outboxes(self) -> list[Outbox]:
        return list(self.app._outboxes.values())

    async def stop(self) -> None:
        """As before a deployment."""
        await self.app.close(grace=1)

    async def crash(self, when: Callable[[], bool]) -> None:
        """What is being delivered then is cut off there, and nobody tidies up."""
        async with self._delivering():
            await until(when, "the moment to crash at")
        self.app.store.close()
        self.app.instance.end()

    @asynccontextmanager
    async def _delivering(self) -> AsyncIterator[None]:
        """Only between rounds, so that what is shown does not depend on how fast this machine is."""
        loops = [asyncio.create_task(outbox.run()) for outbox in self._outboxes]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    # ------------------------------------------------------------ time
    async def to(self, day: str, time: str, every: float | None = None) -> None:
        """Let everything happen until then, and then as well; looking ``every`` seconds, or as often as is wise."""
        goal = at(day, time)
        while self.clock.now < goal:
            self.clock.now = min(goal, await self._next(every))
            await self.round()

    async def _next(self, every: float | None) -> float:
        """The next moment to look at: of the clock's round ones, or one at which a schedule is due."""
        now, step = self.clock.now, every
        if step is None and now < self._restless:
            step = _CLOSE
        elif step is None:
            step = _OPEN if await self.app.store.read(self._goes_on) else _FAR
        due = [each.next_at for each in await self.app.scheduler.everything() if each.next_at is not None]
        return min([(now // step + 1) * step, *due])

    @staticmethod
    def _goes_on(db: Database) -> bool:
        return bool(alert_rows.all_open(db) or incident_rows.open_ones(db))

    async def round(self, *, settle: bool = True) -> None:
        """Everything that runs by the clock, once."""
        self.app.wake()
        await self.app.scheduler.round()
        if await self.app.approvals.expire():
            self.app.wake()
        await self.app.tending.find_interrupted()
        await self.app.tending.keep_promises()
        await self.app.watch.round()
        await self.app.calling.escalation.round()
        await self.app.evidence.round()
        await self.app.incidents.watch.round()
        if settle:
            await self.settled()

    async def settled(self) -> None:
        """Until no request runs and everything is delivered that can be now."""
        await self.bot.quiet()
        async with self._delivering():
            for outbox in self._outboxes:
                await until(partial(idle, self.app, outbox), "all is delivered that can be")

    # ------------------------------------------------------------ what happens
    async def figure(self, signal: str, subject: str, value: float) -> None:
        """Something changes in the deployment."""
        self.world.set(signal, subject, value)
        await self.stir()

    async def stir(self) -> None:
        """Look closely for a while."""
        self._restless = self.clock.now + _RESTLESS
        await self.round()

    async def types(self, who: str, line: str, place: Place | None = None) -> Reply:
        """Somebody types a line."""
        reply = await self.bot.types(who, line, place=place)
        await self.stir()
        return reply

    async def presses(self, who: str, post: Posted, label: str) -> Reply:
        """Somebody presses a button where it stands."""
        return await self.types(who, post.button(label).types, post.place)

    def alert(self, platform: str, title: str) -> Posted:
        """The newest notice of this alert."""
        notices = [post for post in self.chats[platform].at(ALERTS[platform]) if not post.below and "rule" in (post.reply.data or {})]
        return [post for post in notices if title in post.reply.title][-1]


@asynccontextmanager
async def a_week(home: Path) -> AsyncIterator[Week]:
    """From Monday at eight on."""
    week = Week(home)
    await week.start()
    try:
        yield week
    finally:
        with contextlib.suppress(Exception):
            await week.stop()
