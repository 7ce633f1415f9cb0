"""SIGKILL at every point of an alert's course (opened, evidence, acknowledged, recovered): nothing lost, nothing said twice."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from bot.alerts import Alert, AlertState
from bot.store import alert_rows
from bot.store.engine import Store
from bot.store.error_rows import FoundErrors, Reading, add
from tests.faults import alert_victim
from tests.faults.programs import processes
from tests.faults.test_kills import CHANNEL, MOST_POINTS, workspace
from tests.platforms.slack import FakeSlack, Message

RULES = """
[[rule]]
name = "service-down"
title = { ko = "꺼짐", en = "DOWN" }
signal = "service.down"
above = 1
clear_for = "0s"
severity = "critical"
"""

# Mostly they wait for each other's messages, so several run side by side.
AT_ONCE = 3
ENOUGH = 60.0


@asynccontextmanager
async def bot(slack: FakeSlack, home: Path, fatal: int = 0) -> AsyncIterator[BaseProcess]:
    """A bot process, connected; ended with SIGTERM unless it is dead by then."""
    environment = {
        "VCC_HOME": str(home),
        "VCC_TEAM_DIR": str(home / "team-data"),
        "VCC_LANG": "en",
        "VCC_ADMINS": "slack:UADA",
        "VCC_CHANNEL_OPS": f"slack:{CHANNEL}",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.base_url,
    }
    await slack.until(lambda: not slack.connections, ENOUGH)  # the dead one's may be noticed a moment later
    process = processes.Process(target=alert_victim.main, args=(environment, fatal))
    process.start()
    try:
        await slack.until(lambda: slack.connections or not process.is_alive(), ENOUGH)
        yield process
    finally:
        if process.is_alive():
            process.terminate()
        await asyncio.to_thread(process.join, ENOUGH)
        assert not process.is_alive()
        process.close()


async def prepared(home: Path) -> None:
    """A state in which there is evidence: an error that the index has."""
    (home / "team-data").mkdir(parents=True)
    (home / "team-data" / "alerts.toml").write_text(RULES)
    (home / "team-data" / "schedules.toml").write_text("schedule = []\n")
    (home / "figure").write_text("1")
    (home / "armed").touch()
    store, now = Store(home / "vcc.db"), time.time()
    store.open()
    found = FoundErrors("f1", "timeout", "MongoTimeout", (), now, now, {(int(now) // 60 * 60, 60): 1})
    await store.write(lambda db: add(db, Reading("backend", "c1", "", "p", now, [found])))
    store.close()


async def alerts(home: Path) -> list[Alert]:
    store = Store(home / "vcc.db")
    store.open()
    try:
        return await store.read(lambda db: alert_rows.since(db, 0))
    finally:
        store.close()


def said(message: Message) -> str:
    return json.dumps([message.text, message.blocks], ensure_ascii=False)


class Course:
    """Drives the alert from the outside as far as it comes while the bot lives; called again, it goes on."""

    def __init__(self, slack: FakeSlack, home: Path, process: BaseProcess) -> None:
        self._slack, self._home, self._process = slack, home, process
        self._seen = 0

    def messages(self) -> list[Message]:
        return self._slack.messages(CHANNEL)

    def notice(self) -> Message | None:
        return next((each for each in self.messages() if "Alert #1" in said(each)), None)

    def _shows(self, text: str) -> bool:
        return any(text in said(each) for each in self.messages())

    async def _until(self, condition: Callable[[], bool]) -> bool:
        """Whether it came true; not when the process died first."""
        await self._slack.until(lambda: condition() or not self._process.is_alive(), ENOUGH)
        return condition()

    async def run(self) -> None:
        if not await self._until(lambda: self.notice() is not None and self._shows("MongoTimeout")):
            return
        notice = self.notice()
        if notice is not None and not self._acknowledged():
            await self._slack.press("UADA", notice, 0)
            if not await self._until(self._acknowledged):
                return
        (self._home / "figure").write_text("0")
        await self._until(lambda: self._acknowledged() and sum("Recovered" in said(each) for each in self.messages()) >= 2)

    def _acknowledged(self) -> bool:
        notice = self.notice()
        return notice is not None and "is at it" in said(notice)


async def one_kill(home: Path, fatal: int) -> bool:
    """An alert's whole course with a death in it, and a second start; False when the point was never reached."""
    await prepared(home)
    async with workspace() as slack:
        async with bot(slack, home, fatal) as process:
            await Course(slack, home, process).run()
            killed = not process.is_alive()
            assert not killed or process.exitcode == -signal.SIGKILL
        async with bot(slack, home) as process:
            await Course(slack, home, process).run()
        told = [said(each) for each in slack.messages(CHANNEL)]
    context = f"killed at point {fatal}: {told}"
    (alert,) = await alerts(home)
    assert (alert.state, alert.acknowledged_by != "", alert.owed) == (AlertState.CLOSED, True, False), context
    assert sum("Alert #1" in each for each in told) == 1, context
    assert sum("MongoTimeout" in each for each in told) == 1, context
    assert sum("Recovered" in each for each in told) == 2, context
    return killed


@pytest.mark.parametrize("first", [1, 2], ids=["odd points", "even points"])
async def test_an_alert_killed_at_any_point_is_told_once_and_never_lost(tmp_path: Path, first: int) -> None:
    reached = 0
    for begin in range(first, MOST_POINTS, 2 * AT_ONCE):
        points = [begin + 2 * place for place in range(AT_ONCE)]
        killed = await asyncio.gather(*(one_kill(tmp_path / str(fatal), fatal) for fatal in points))
        reached = max([reached, *(fatal for fatal, was in zip(points, killed, strict=True) if was)])
        if not all(killed):
            break
    # At least: opened, evidence, pressed, acknowledged, recovered, and for each message the marks and the delivery.
    assert 18 <= reached < MOST_POINTS - 2
