"""The bot as a process to be killed, on a real deployment: it types one line, and keeps what was promised for later.

Its clock is the machine's and so many seconds more: a test need not wait for minutes to pass.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from bot import config
from bot.app import App
from bot.connectors import console
from bot.model import Account
from bot.ops.mongo_profiler import Profiler, Profiling
from commands import db


def _die_at_the_switch(after: bool) -> None:
    """End, without a word, right before or right after the profiler is switched."""
    switch = Profiler.switch

    async def fatal(self: Profiler, wanted: Profiling) -> None:
        if after:
            await switch(self, wanted)
        os.kill(os.getpid(), signal.SIGKILL)

    Profiler.switch = fatal  # type: ignore[method-assign]


async def _live(environment: Mapping[str, str], ahead: float, line: str, answer: Path) -> None:
    app = App(config.read(environment, None), lambda: time.time() + ahead, groups=(db.group,))
    await app.open()
    running = asyncio.create_task(app.run())
    if line:
        reply = await console.ask(app.dispatch, app.words, line, Account("local", "olga"))
        partial = answer.with_suffix(".partial")
        partial.write_text(reply.outcome)
        partial.rename(answer)
    await running


def main(environment: Mapping[str, str], ahead: float, line: str, answer: Path, fatal: str = "") -> None:
    """The process: lives until it is killed; ``fatal`` (before, after) is where it kills itself."""
    if fatal:
        _die_at_the_switch(fatal == "after")
    asyncio.run(_live(environment, ahead, line, answer))
