"""How fast the file systems fill, and their used bytes over a range of time, from the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.chart import Chart, Unit
from bot.context import Context
from bot.figures import Figures
from bot.ops.host import FileSystem
from bot.ops.trend import HOUR, LOOK_BACK, Growth, growth
from bot.ops.trend_telling import Period, TrendTelling
from bot.series import Series
from bot.services import History

# More pictures than this below each other nobody looks at.
_MOST_CHARTS = 3
# A file system that is nearly empty would be a line on the ground under its limit.
_LIMIT_NEAR = 4


@dataclass(frozen=True, slots=True)
class Filling:
    """The growth of one file system, and since when it is measured (None: never)."""

    growth: Growth
    since: float | None


def _used(entry: FileSystem) -> Series:
    return Series("disk", entry.path, "used_bytes")


async def filling(history: History, systems: Sequence[FileSystem], now: float) -> dict[str, Filling]:
    """The growth of each file system by its path, by the hours of the last days."""
    known = await history.known()
    found = await history.read([_used(entry) for entry in systems], now - LOOK_BACK, now, int(HOUR))
    since = {entry.path: known[_used(entry)].since for entry in systems if _used(entry) in known}
    return {entry.path: Filling(growth(found.get(_used(entry), ()), entry.free_bytes), since.get(entry.path)) for entry in systems}


async def charts(ctx: Context, systems: Sequence[FileSystem], period: Period) -> list[Chart]:
    """Used bytes of the fullest file systems; those without a record are left out."""
    fullest = sorted(systems, key=lambda entry: -entry.percent)[:_MOST_CHARTS]
    found = await ctx.services.history.read([_used(entry) for entry in fullest], period.since, period.until)
    telling = TrendTelling(ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz))
    return [
        telling.chart(
            ctx.words("disk.chart", path=entry.path),
            Unit.BYTES,
            {ctx.words("disk.column.used"): found[_used(entry)]},
            period,
            _limit(ctx, entry),
        )
        for entry in fullest
        if found.get(_used(entry))
    ]


def _limit(ctx: Context, entry: FileSystem) -> tuple[float, str] | None:
    """What ordinary users may fill: some of the whole is kept back for root, and is no room."""
    whole = entry.used_bytes + entry.free_bytes
    return (whole, ctx.words("disk.column.total")) if whole <= _LIMIT_NEAR * entry.used_bytes else None
