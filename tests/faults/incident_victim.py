"""The bot of ``victim``, with the incident commands; making a channel is a point to die at too."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from typing import Any

from bot import config
from bot.app import App
from bot.model import Place
from bot.rooms import RoomWish
from commands import help as help_group
from commands import incident, status
from tests.faults.victim import Points, _watch


def _watch_rooms(connector: Any, points: Points) -> None:
    make = connector.open_room

    async def counted(wish: RoomWish) -> Place | None:
        points.point()
        made: Place | None = await make(wish)
        points.point()
        return made

    connector.open_room = counted


async def _live(environment: Mapping[str, str], fatal: int) -> None:
    app = App(config.read(environment, None), groups=(help_group.group, incident.group, status.group))
    await app.open()
    app.connect()
    points = Points(app.settings.vcc_home, fatal)
    _watch(app, points)
    _watch_rooms(app.connectors["slack"], points)
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
