"""How the queues went over a range of time: lowest, mean, highest and latest, the share that failed, a picture. Redis may be down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bot.chart import Chart, Unit
from bot.context import Context
from bot.errors import VccError
from bot.figures import NONE, Figures
from bot.model import Reply, Table, Tone
from bot.ops.bull_values import QueueStatus
from bot.ops.overview import DEADLINE, probe
from bot.ops.telling import Telling
from bot.ops.trend_telling import Period, TrendTelling
from bot.ops.verdict import Problem, queue_problems
from bot.plain_text import harmless
from bot.series import Bucket, Measured, Series, Summary, summary

PART = "queue"
STATES = ("waiting", "active", "delayed", "failed")
PACE = ("finished_per_min", "failed_per_min")
STALLED, OLDEST = "stalled", "oldest_waiting_s"
# So few queues are told in full; of more there is room for what matters most, and for the busiest.
FEW, SHOWN = 2, 8
_NAME = 60

Found = Mapping[Series, Sequence[Bucket]]


async def over(ctx: Context, period: Period) -> Reply:
    """The record of the period; what is wrong now stands beside it. Without Redis it answers just so, and says that Redis is down."""
    listed, known = await asyncio.gather(probe("redis", lambda: ctx.ops.bull.queues(), DEADLINE), ctx.services.history.known())
    covered = {series: measured for series, measured in known.items() if series.part == PART and measured.latest >= period.since}
    names = sorted({series.subject for series in covered})
    told = (*STATES, STALLED, OLDEST, *PACE) if len(names) <= FEW else ("waiting", *PACE)
    found = await ctx.services.history.read([Series(PART, name, figure) for name in names for figure in told], period.since, period.until)
    wrong = [] if isinstance(listed, VccError) else [problem for queue in listed for problem in queue_problems(queue, ctx.clock())]
    page = _Page(ctx, period, _busiest_first(names, found), found)
    reply = Reply(
        title=ctx.words("queue.title_range", range=page.span()),
        text="\n".join(line for line in (_down(ctx, listed), page.wrong(wrong), page.coverage(covered)) if line),
        tone=Tone.WARN if wrong or isinstance(listed, VccError) else Tone.NEUTRAL,
        fields=page.failures(),
        tables=page.tables(told),
        footer=page.left_out(),
        data={
            "range": period.name,
            "since": period.since,
            "until": period.until,
            "measured_since": min((measured.since for measured in covered.values()), default=None),
            "redis_up": not isinstance(listed, VccError),
            "queues": page.data(told),
        },
    )
    return await ctx.illustrated(reply, "queue", *page.charts()) if any(found.values()) else reply


def _busiest_first(names: Sequence[str], found: Found) -> list[str]:
    """Few stay in the order of their names; of many those come first that had most waiting."""
    if len(names) <= FEW:
        return list(names)
    most = {name: max((bucket.most for bucket in found[Series(PART, name, "waiting")]), default=0.0) for name in names}
    return sorted(names, key=lambda name: -most[name])


def _down(ctx: Context, listed: tuple[QueueStatus, ...] | VccError) -> str:
    return ctx.words("queue.redis_down", reason=ctx.words(listed.key, **listed.values)) if isinstance(listed, VccError) else ""


class _Page:
    """The table, the charts and the raw figures of what was found."""

    def __init__(self, ctx: Context, period: Period, names: Sequence[str], found: Found) -> None:
        self._words = ctx.words
        self._figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._telling = TrendTelling(ctx.words, self._figures)
        self._period = period
        self._all = names
        self._names = names[:SHOWN]
        self._found = found

    def _buckets(self, name: str, figure: str) -> Sequence[Bucket]:
        return self._found.get(Series(PART, name, figure), ())

    def _summary(self, name: str, figure: str) -> Summary | None:
        return summary(self._buckets(name, figure))

    def wrong(self, found: Sequence[Problem]) -> str:
        """What is wrong at this moment."""
        return Telling(self._words, self._figures).lines(found)

    def span(self) -> str:
        """How long the period is."""
        return self._telling.span(self._period)

    def coverage(self, covered: Mapping[Series, Measured]) -> str:
        """What must be known about the record."""
        return self._telling.coverage(covered, self._period)

    def left_out(self) -> str:
        """That some queues are not shown."""
        if len(self._names) == len(self._all):
            return ""
        return self._words("queue.busiest", shown=self._figures.count(len(self._names)), count=self._figures.count(len(self._all)))

    # ------------------------------------------------------------ figures
    def failures(self) -> tuple[tuple[str, str], ...]:
        """For each queue how fast it worked and how much of that failed."""
        return tuple((_plain(name), self._failure(name)) for name in self._names if self._summary(name, "finished_per_min"))

    def _failure(self, name: str) -> str:
        pace, share = self._summary(name, "finished_per_min"), self._failure_percent(name)
        if pace is None or share is None:
            return self._words("queue.none_ended")
        return self._words("queue.pace", rate=rate(pace.mean), share=self._figures.percent(share))

    def _failure_percent(self, name: str) -> float | None:
        """Of all jobs that ended in the period. Both figures are measured together, so their means stand for the same time."""
        ended, failed = (self._summary(name, figure) for figure in PACE)
        return 100 * failed.mean / ended.mean if ended and failed and ended.mean > 0 else None

    def tables(self, told: Sequence[str]) -> tuple[Table, ...]:
        """A line for each figure of each queue; what never happened has none."""
        names = ("name", "figure", "least", "mean", "most", "latest")
        rows = tuple(row for name in self._names for figure in told if (row := self._row(name, figure)))
        return (Table(tuple(self._words(f"queue.column.{column}") for column in names), rows),) if rows else ()

    def _row(self, name: str, figure: str) -> tuple[str, ...] | None:
        found = self._summary(name, figure)
        if figure in (STALLED, OLDEST) and (found is None or not found.most):
            return None
        return (_plain(name), self._words(f"queue.column.{figure}"), *self._cells(figure, found))

    def _cells(self, figure: str, found: Summary | None) -> tuple[str, ...]:
        if figure != OLDEST:
            return self._telling.cells(Unit.PER_MINUTE if figure in PACE else Unit.COUNT, found)
        values = (found.least, found.mean, found.most, found.latest) if found else ()
        return tuple(self._figures.duration(value) if value else NONE for value in values)

    def data(self, told: Sequence[str]) -> list[dict[str, Any]]:
        """The same raw, of every queue; a figure without a measurement is null."""
        return [
            {"name": name, **{figure: self._raw(name, figure) for figure in told}, "failure_percent": self._failure_percent(name)}
            for name in self._all
        ]

    def _raw(self, name: str, figure: str) -> dict[str, float] | None:
        found = self._summary(name, figure)
        return None if found is None else asdict(found)

    # ------------------------------------------------------------ pictures
    def charts(self) -> list[Chart]:
        """Of few queues all states of each, and one of their pace; of many one for each figure, with a line for each queue."""
        if len(self._all) > FEW:
            return [self._of_all("waiting", Unit.COUNT), *(self._of_all(figure, Unit.PER_MINUTE) for figure in PACE)]
        pace = {self._label(name, figure): self._buckets(name, figure) for name in self._names for figure in PACE}
        return [*(self._states(name) for name in self._names), self._chart(self._words("queue.chart.pace"), Unit.PER_MINUTE, pace)]

    def _states(self, name: str) -> Chart:
        lines = {self._words(f"queue.column.{figure}"): self._buckets(name, figure) for figure in STATES}
        return self._chart(self._words("queue.chart.states", name=_plain(name)), Unit.COUNT, lines)

    def _of_all(self, figure: str, unit: Unit) -> Chart:
        return self._chart(self._words(f"queue.column.{figure}"), unit, {name: self._buckets(name, figure) for name in self._names})

    def _chart(self, title: str, unit: Unit, lines: Mapping[str, Sequence[Bucket]]) -> Chart:
        return self._telling.chart(title, unit, lines, self._period)

    def _label(self, name: str, figure: str) -> str:
        told = self._words(f"queue.column.{figure}")
        return told if len(self._names) == 1 else f"{name} {told}"


def rate(per_minute: float) -> str:
    """Jobs a minute; of a slow queue with one digit more."""
    return f"{per_minute:.1f}" if per_minute >= 1 else f"{per_minute:.2f}"


def _plain(name: str) -> str:
    return harmless(name, limit=_NAME, newlines=False)
