"""What each service took over a range of time: lowest, mean, highest and latest, and a picture. Asks Docker for names only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.chart import Chart, Unit
from bot.context import Context
from bot.errors import VccError
from bot.figures import Figures
from bot.model import Reply, Table, Tone
from bot.ops.container_values import Service
from bot.ops.overview import DEADLINE, probe
from bot.ops.trend_telling import Period, TrendTelling
from bot.series import Bucket, Series, summary
from commands.stats.record import ALL, BOTH, LIMIT, service_of, subjects

_NETWORK = ("network_received_per_s", "network_sent_per_s")
# A limit far above what is used would press the line flat on the ground.
_LIMIT_NEAR = 4

Found = Mapping[Series, Sequence[Bucket]]


async def over(ctx: Context, service: str | None, period: Period) -> Reply:
    """The record of the period. Without Docker it answers just so, and says that Docker is down."""
    listed, known = await asyncio.gather(probe("docker", ctx.ops.containers.services, DEADLINE), ctx.services.history.known())
    there = frozenset[str]() if isinstance(listed, VccError) else frozenset(each.name for each in listed)
    names = subjects(known, service, period.since, there)
    units = BOTH if service is None else ALL
    found = await ctx.services.history.read(
        [Series("service", name, figure) for name in names for figure in (*units, LIMIT)], period.since, period.until
    )
    page = _Page(ctx, period, names, found)
    covered = {series: measured for series, measured in known.items() if series.part == "service" and series.subject in names}
    telling = TrendTelling(ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz))
    reply = Reply(
        title=ctx.words("stats.title_range", name=_name(ctx, service, names), range=telling.span(period)),
        text="\n".join(line for line in (_down(ctx, listed), telling.coverage(covered, period)) if line),
        tone=Tone.WARN if isinstance(listed, VccError) else Tone.NEUTRAL,
        tables=page.tables(units),
        data={
            "range": period.name,
            "since": period.since,
            "until": period.until,
            "measured_since": min((measured.since for measured in covered.values()), default=None),
            "docker_up": not isinstance(listed, VccError),
            "services": page.data((*units, LIMIT)),
        },
    )
    return await ctx.illustrated(reply, "stats", *page.charts(units)) if any(found.values()) else reply


def _name(ctx: Context, typed: str | None, names: Sequence[str]) -> str:
    if typed is None:
        return ctx.words("stats.all")
    return service_of(names[0]) if names else typed


def _down(ctx: Context, listed: tuple[Service, ...] | VccError) -> str:
    return ctx.words("stats.docker_down", reason=ctx.words(listed.key, **listed.values)) if isinstance(listed, VccError) else ""


class _Page:
    """The table, the charts and the raw figures of what was found."""

    def __init__(self, ctx: Context, period: Period, names: Sequence[str], found: Found) -> None:
        self._words = ctx.words
        self._telling = TrendTelling(ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz))
        self._period = period
        self._names = names
        self._found = found

    def _buckets(self, name: str, figure: str) -> Sequence[Bucket]:
        return self._found.get(Series("service", name, figure), ())

    def tables(self, units: Mapping[str, Unit]) -> tuple[Table, ...]:
        """A line for each figure of each container."""
        columns = ("service", "figure", "least", "mean", "most", "latest")
        rows = tuple(
            (name, self._words(f"stats.column.{figure}"), *self._telling.cells(unit, summary(self._buckets(name, figure))))
            for name in self._names
            for figure, unit in units.items()
        )
        return (Table(tuple(self._words(f"stats.column.{column}") for column in columns), rows),) if rows else ()

    def charts(self, units: Mapping[str, Unit]) -> list[Chart]:
        """Processor and memory, one line for each container; of one service its network too."""
        charts = [
            self._telling.chart(
                self._words(f"stats.chart.{figure}"),
                unit,
                {name: self._buckets(name, figure) for name in self._names},
                self._period,
                self._limit() if figure == "memory_bytes" else None,
            )
            for figure, unit in BOTH.items()
        ]
        if all(figure in units for figure in _NETWORK):
            lines = {self._label(name, figure): self._buckets(name, figure) for name in self._names for figure in _NETWORK}
            charts.append(self._telling.chart(self._words("stats.chart.network"), Unit.BYTES_PER_SECOND, lines, self._period, None))
        return charts

    def _label(self, name: str, figure: str) -> str:
        told = self._words(f"stats.column.{figure}")
        return told if len(self._names) == 1 else f"{name} {told}"

    def _limit(self) -> tuple[float, str] | None:
        """The limit of the one container shown, when it is near enough to matter."""
        if len(self._names) != 1:
            return None
        limit, used = (summary(self._buckets(self._names[0], figure)) for figure in (LIMIT, "memory_bytes"))
        near = limit is not None and used is not None and 0 < limit.latest <= _LIMIT_NEAR * used.most
        return (limit.latest, self._words("stats.column.limit")) if limit is not None and near else None

    def data(self, figures: Sequence[str]) -> list[dict[str, Any]]:
        """The same raw; a figure without a measurement is null."""
        return [{"service": name, **{figure: self._raw(name, figure) for figure in figures}} for name in self._names]

    def _raw(self, name: str, figure: str) -> dict[str, float] | None:
        found = summary(self._buckets(name, figure))
        return None if found is None else asdict(found)
