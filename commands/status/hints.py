"""What the record adds to a glance: an hour ago, the days before, and a range of time as pictures. Reads the record only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.chart import Chart, Unit
from bot.context import Context
from bot.errors import VccError
from bot.figures import Figures
from bot.ops.host import FileSystem, HostStatus
from bot.ops.trend import HOUR, LOOK_BACK, Growth, growth, usual
from bot.ops.trend_telling import Period, TrendTelling, an_hour_ago
from bot.series import Bucket, Measured, Series
from bot.services import History

MEMORY = Series("host", "", "memory_percent")
CPU = Series("host", "", "cpu_percent")
REDIS = Series("redis", "", "used_memory")
MONGODB = Series("mongodb", "", "resident_bytes")
# More file systems than these nobody looks at in a glance.
MOST_DISKS = 3


@dataclass(frozen=True, slots=True)
class Hints:
    """What was an hour ago, by series, and the hourly use of each file system, by its path; empty where nothing is on record."""

    hour_ago: Mapping[Series, float] = field(default_factory=dict)
    used: Mapping[str, Sequence[Bucket]] = field(default_factory=dict)

    def waiting(self, queue: str) -> float | None:
        """How many jobs waited in this queue an hour ago."""
        return self.hour_ago.get(Series("queue", queue, "waiting"))

    def growths(self, host: HostStatus | VccError) -> dict[str, Growth]:
        """How each of the fullest file systems fills, by its path; some milliseconds of work, so it is asked once."""
        shown = [] if isinstance(host, VccError) else fullest(host)
        return {entry.path: growth(self.used.get(entry.path, ()), entry.free_bytes) for entry in shown}


async def hints(history: History, now: float) -> Hints:
    """A few milliseconds of reading, however much is on record."""
    known = await history.known()
    recent = [series for series, measured in known.items() if measured.latest >= now - 2 * HOUR]
    waiting = [series for series in recent if (series.part, series.figure) == ("queue", "waiting")]
    before = await history.read([MEMORY, REDIS, MONGODB, *waiting], *an_hour_ago(now))
    disks = [series for series in recent if (series.part, series.figure) == ("disk", "used_bytes")]
    hourly = await history.read(disks, now - LOOK_BACK, now, int(HOUR))
    return Hints(
        hour_ago={series: mean for series, buckets in before.items() if (mean := usual(buckets)) is not None},
        used={series.subject: buckets for series, buckets in hourly.items()},
    )


def fullest(host: HostStatus) -> list[FileSystem]:
    """The file systems a glance shows."""
    return sorted(host.file_systems, key=lambda entry: -entry.percent)[:MOST_DISKS]


def raw(found: Hints, growths: Mapping[str, Growth]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "hour_ago": {
            "host_memory_percent": found.hour_ago.get(MEMORY),
            "redis_used_memory": found.hour_ago.get(REDIS),
            "mongodb_resident_bytes": found.hour_ago.get(MONGODB),
            "queues": [
                {"name": series.subject, "waiting": value} for series, value in sorted(found.hour_ago.items()) if series.part == "queue"
            ],
        },
        "disk": [_raw_growth(path, each) for path, each in growths.items()],
    }


def _raw_growth(path: str, found: Growth) -> dict[str, Any]:
    return {
        "path": path,
        "course": found.course.value,
        "bytes_per_day": found.per_day,
        "days_until_full": found.days_until_full,
        "confidence": found.confidence and found.confidence.value,
    }


async def charts(ctx: Context, period: Period) -> tuple[list[Chart], str]:
    """The machine, its file systems and the queues over the period; and what must be known about the record."""
    known = await ctx.services.history.known()
    disks, queues = _among(known, "disk", "percent", period), _among(known, "queue", "waiting", period)
    found = await ctx.services.history.read([CPU, MEMORY, *disks, *queues], period.since, period.until)
    telling, words = TrendTelling(ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz)), ctx.words
    machine = {"CPU": found[CPU], words("status.column.memory"): found[MEMORY]}
    drawn = (
        telling.chart(words("status.field.host"), Unit.PERCENT, machine, period),
        telling.chart(words("status.field.disk"), Unit.PERCENT, {series.subject: found[series] for series in disks}, period),
        telling.chart(words("status.chart.queues"), Unit.COUNT, {series.subject: found[series] for series in queues}, period),
    )
    measured = {series: known[series] for series in (CPU, MEMORY, *disks, *queues) if series in known}
    return [chart for chart in drawn if any(line.points for line in chart.lines)], telling.coverage(measured, period)


def _among(known: Mapping[Series, Measured], part: str, figure: str, period: Period) -> list[Series]:
    wanted: Iterable[Series] = (series for series in known if (series.part, series.figure) == (part, figure))
    return sorted(series for series in wanted if known[series].latest >= period.since)
