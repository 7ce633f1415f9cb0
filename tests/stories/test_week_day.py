"""A bad day on the real libraries: alerts in Slack and in Discord, while Slack is down for an hour, and while it slows us down.

The bot's clock is moved; the libraries keep their own. What stands in both places in the end, and who was called, is exactly what is
expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bot.alert_rules import Rule
from bot.alert_signals import Reading
from bot.monitors import LONGEST_GAP
from bot.testing.clock import Clock
from bot.testing.waiting import until
from commands import alert
from tests.bot.alerted import DISK, rule
from tests.stories.stage import CHANNEL, Stage, stage, texts
from tests.stories.week_bot import idle

PEOPLE = ("ada", "ben")
SETTINGS = {"VCC_ADMINS": "slack:UADA=discord:{ada},slack:UBEN=discord:{ben}"}
NOW: Mapping[str, Any] = {**DISK, "for": "0s", "clear_for": "0s"}
DISKS = rule(NOW)
LOST = rule(NOW, name="lost", title={"ko": "연결", "en": "Unreachable"}, signal="reachable.lost", above=1, clear=None)
QUEUE = rule(NOW, name="queue", title={"ko": "큐", "en": "Queue"}, signal="queue.waiting", above=100, clear=50, severity="warning")
INODES = rule(NOW, name="inodes", title={"ko": "아이노드", "en": "Inodes"}, signal="disk.inodes_percent", severity="warning")
RULES = (DISKS, LOST, QUEUE, INODES)
IN_SLACK = """
✅ Recovered: Disk · /data (after 32m)
  ✅ Recovered: Disk · /data (after 32m)
✅ Recovered: Queue · images (after 1h 3m)
  ✅ Recovered: Queue · images (after 1h 3m)
✅ Recovered: Inodes · /data (after 30m 30s)
  ✅ Recovered: Inodes · /data (after 30m 30s)
✅ Recovered: Unreachable · mongodb (after 17m 3s)
  @ben ❌ No answer for 16m 33s: calling ben
  ✅ Recovered: Unreachable · mongodb (after 17m 3s)
"""
# There the button was pressed.
IN_DISCORD = """
✅ Recovered: Disk · /data (after 32m)
  ✅ Recovered: Disk · /data (after 32m)
✅ ada is at alert #1
✅ Recovered: Queue · images (after 1h 3m)
  ✅ Recovered: Queue · images (after 1h 3m)
✅ Recovered: Inodes · /data (after 30m 30s)
  ✅ Recovered: Inodes · /data (after 30m 30s)
✅ Recovered: Unreachable · mongodb (after 17m 3s)
  ❌ No answer for 16m 33s: calling ben @ben
  ✅ Recovered: Unreachable · mongodb (after 17m 3s)
"""


class Day:
    """A stage whose bot lives by ``clock``."""

    def __init__(self, on: Stage, clock: Clock) -> None:
        self.on = on
        self.clock = clock

    async def looks(self, watched: Rule, subject: str, value: float) -> None:
        """A figure, half a minute later."""
        self.clock.forward(30)
        await self.on.app.watch.take(RULES, {watched.signal: ({subject: Reading(value)}, LONGEST_GAP)})
        await self.settled()

    async def passes(self, seconds: float) -> None:
        """Time, and nothing else."""
        self.clock.forward(seconds)
        await self.on.app.calling.escalation.round()
        await self.settled()

    async def settled(self) -> None:
        """Until all is delivered that can be now."""
        for outbox in self.on.app._outboxes.values():
            outbox.wake()
            await until(partial(idle, self.on.app, outbox), "all is delivered that can be")

    def slack(self) -> list[str]:
        """What stands in Slack, each message with its thread."""
        messages = self.on.slack.messages(CHANNEL)
        notices = [each for each in messages if each.thread_ts in ("", each.ts)]
        return [
            line
            for notice in notices
            for line in (
                self._title([notice.text]),
                *(f"  {self._title([each.text])}" for each in messages if each.thread_ts == notice.ts != each.ts),
            )
        ]

    def discord(self) -> list[str]:
        """What stands in Discord, each message with its thread."""
        told: list[str] = []
        for notice in self.on.discord.messages(self.on.room):
            if notice.content and notice.ephemeral_to is None:
                told.append(self._title([notice.content]))
                below = self.on.discord.messages(notice.id) if notice.thread_id else []
                told += [f"  {self._title([each.content])}" for each in below if each.content]
        return told

    def _title(self, node: Any) -> str:
        """The first line, without the markup of the platform."""
        line = "\n".join(texts(node)).partition("\n")[0]
        for name, member in self.on.members.items():
            line = line.replace(f"<@{member}>", f"@{name}").replace(f"<@U{name.upper()}>", f"@{name}").replace(f"discord:{member}", name)
        return line.translate(str.maketrans("", "", "\\*"))


async def test_a_bad_day_is_told_once_and_in_order_on_both_platforms(tmp_path: Path) -> None:
    clock = Clock()
    async with stage(tmp_path, PEOPLE, SETTINGS, (alert.group,), clock=clock) as on:
        day = Day(on, clock)
        await day.looks(DISKS, "/data", 91.0)
        await on.discord.press(on.members["ada"], on.discord.messages(on.room)[0].id, "Acknowledge")
        await on.slack.until(lambda: "ada" in day.slack()[0])
        await on.discord.until(lambda: len(day.discord()) == 2)
        for method in ("chat.postMessage", "chat.update"):
            on.slack.fail(method, status=503, times=1_000)
        await day.looks(QUEUE, "images", 200.0)
        await day.looks(INODES, "/data", 92.0)
        await day.passes(1_800)
        await day.looks(INODES, "/data", 10.0)
        await day.looks(DISKS, "/data", 70.0)
        await day.passes(1_800)
        on.slack.heal()
        await day.passes(61)
        await day.looks(QUEUE, "images", 20.0)
        on.slack.fail("chat.postMessage", status=429, times=2, retry_after=30)
        await day.looks(LOST, "mongodb", 1.0)
        for _ in range(3):
            await day.passes(31)
        await day.passes(900)
        await day.looks(LOST, "mongodb", 0.0)
        assert day.slack() == IN_SLACK.strip("\n").splitlines()
        assert day.discord() == IN_DISCORD.strip("\n").splitlines()
        assert {note.target for note in on.slack.notifications} == {"UADA", "UBEN"}
