"""The bot as a process to be killed while an alert runs its course: real app, real Slack connector, one figure that a test writes.

A point lies before every commit that changes a row and before every delivery to the platform. From the moment the file ``armed``
exists, the process kills itself with SIGKILL at the point whose number it was given. Its rounds follow each other at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot import config
from bot.alert_signals import Reading, Readings, Source
from bot.app import App
from bot.outbox import Checkpoint
from bot.store.message_rows import Message
from commands import alert
from commands import help as help_group
from tests.faults.victim import Points

PAUSE = 0.1


def _count_commits(app: App, points: Points) -> None:
    """A commit that changes nothing is no point: rounds make many of those."""
    db, execute = app.store._db, app.store._db.execute
    seen = db.conn.total_changes

    def counted(sql: str, *values: Any) -> Any:
        nonlocal seen
        if sql == "COMMIT" and db.conn.total_changes != seen:
            points.point()
            seen = db.conn.total_changes
        return execute(sql, *values)

    db.execute = counted  # type: ignore[method-assign, assignment]


def _count_deliveries(connector: Any, points: Points) -> None:
    deliver = connector.deliver

    async def counted(message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        points.point()
        posted: Mapping[str, str] = await deliver(message, checkpoint)
        return posted

    connector.deliver = counted


def _one_figure(app: App, path: Path) -> None:
    async def measure() -> Readings:
        return {"service.down": {"backend": Reading(float(await asyncio.to_thread(path.read_text)), "it is down")}}

    app.watch._sources = (Source("figure", measure),)
    app.watch._sleep = lambda seconds: asyncio.sleep(PAUSE)
    app.sampler._sources = ()


async def _live(environment: Mapping[str, str], fatal: int) -> None:
    app = App(config.read(environment, None), groups=(alert.group, help_group.group))
    await app.open()
    app.connect()
    points = Points(app.settings.vcc_home, fatal)
    _one_figure(app, app.settings.vcc_home / "figure")
    _count_commits(app, points)
    for connector in app.connectors.values():
        _count_deliveries(connector, points)
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
    asyncio.run(_live(environment, fatal))
