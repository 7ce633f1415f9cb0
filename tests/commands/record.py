"""A record of figures for tests of the commands that tell it: written as the sampler writes, up to now."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from sqlite_utils import Database

from bot.history import History
from bot.series import Series
from bot.store import sample_rows
from tests.commands.conftest import Bot

HOUR, DAY = 3_600.0, 86_400.0
Shape = Callable[[float], float]


def wave(middle: float, height: float) -> Shape:
    """A value that goes up and down every twenty minutes, of seconds ago."""
    return lambda ago: middle + height * math.sin(ago / 200)


async def record(bot: Bot, shapes: dict[Series, Shape], hours: float, step: float = 60.0) -> None:
    """Write the last hours; a shape tells the value so many seconds ago."""
    now, moments = time.time(), [number * step for number in range(int(hours * HOUR / step))]

    def write(db: Database) -> None:
        for ago in moments:
            sample_rows.add(db, int(now - ago), {series: shape(ago) for series, shape in shapes.items()})

    await bot.app.store.write(write)


async def record_services(bot: Bot, hours: float = 2.0) -> History:
    """Two services, one of them no longer there; backend's memory grew."""
    shapes = {
        Series("service", "backend", "cpu_percent"): wave(30, 10),
        Series("service", "backend", "memory_bytes"): lambda ago: 2e8 - ago * 1e4,
        Series("service", "backend", "memory_limit_bytes"): lambda ago: 2.5e8,
        Series("service", "backend", "network_received_per_s"): wave(2_000, 500),
        Series("service", "backend", "network_sent_per_s"): wave(1_000, 500),
        Series("service", "gone#2", "cpu_percent"): wave(5, 1),
        Series("service", "gone#2", "memory_bytes"): lambda ago: 1e7,
    }
    await record(bot, shapes, hours)
    return bot.app.history
