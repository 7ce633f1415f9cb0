"""The bot as a process to be killed: real app, real Slack connector, and a counter of the points where a crash could hurt.

A point lies before and after every commit and before and after every delivery to the platform. From the moment the file
``armed`` exists, the process kills itself with SIGKILL at the point whose number it was given.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot import config
from bot.app import App
from bot.command import Group
from bot.context import Context
from bot.model import Fact, Outcome, Plan, Reply, Risk, Tone
from bot.outbox import Checkpoint
from bot.store.message_rows import Message
from bot.words import LANGUAGES, catalogue
from commands import approve, deny
from commands import help as help_group

work = Group("work")
WORDS = ("work.once.summary", "work.once.param.name", "work.careful.summary")


def _effect(ctx: Context, name: str) -> None:
    """What must not happen twice: a line in a file, on the disk before we go on."""
    path = ctx.settings.vcc_home / "effects"
    with path.open("a") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())


@work.command("once", Risk.CHANGE, examples=("work once",), locks=lambda: ("work",))
async def once(ctx: Context) -> Reply:
    """A change with an effect."""
    _effect(ctx, "once")
    return Reply("WORK DONE", tone=Tone.GOOD)


async def _plan(ctx: Context) -> Plan:
    return Plan("careful work", "does it once", (Fact("thing", "thing", "one", 1),), ("work",), False, "cannot be undone")


@work.risky("careful", _plan, examples=("work careful",))
async def careful(ctx: Context, plan: Plan) -> Reply:
    """A risky command with an effect."""
    _effect(ctx, "careful")
    return Reply("WORK DONE", outcome=Outcome.DONE, tone=Tone.GOOD)


class Points:
    """Counts the points passed since the file ``armed`` appeared, and dies at the chosen one."""

    def __init__(self, home: Path, fatal: int) -> None:
        self._armed = home / "armed"
        self._fatal = fatal
        self._passed = 0

    def point(self) -> None:
        """One more place where a crash could hurt."""
        if self._fatal and self._armed.exists():
            self._passed += 1
            if self._passed == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)


def _watch(app: App, points: Points) -> None:
    commit = app.store._commit

    def counted(batch: Any) -> None:
        points.point()
        commit(batch)
        points.point()

    app.store._commit = counted  # type: ignore[method-assign]
    for connector in app.connectors.values():
        _watch_connector(connector, points)


def _watch_connector(connector: Any, points: Points) -> None:
    deliver = connector.deliver

    async def counted(message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        points.point()
        posted: Mapping[str, str] = await deliver(message, checkpoint)
        points.point()
        return posted

    connector.deliver = counted


def teach() -> None:
    """Words for the commands of this file."""
    for language in LANGUAGES:
        sentences = catalogue(language)
        if isinstance(sentences, dict):
            sentences.update({key: key for key in WORDS})


async def _live(environment: Mapping[str, str], fatal: int) -> None:
    app = App(config.read(environment, None), groups=(approve.group, deny.group, help_group.group, work))
    await app.open()
    app.connect()
    _watch(app, Points(app.settings.vcc_home, fatal))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = asyncio.create_task(app.run())
    await stop.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await app.close()


def main(environment: Mapping[str, str], fatal: int) -> None:
    """The process: runs until SIGTERM, or until its fatal point."""
    teach()
    asyncio.run(_live(environment, fatal))
