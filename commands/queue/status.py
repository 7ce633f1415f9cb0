"""``queue status``: all Bull queues at a glance: counts, what waits too long, how fast they work, why jobs fail; or over a range."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.context import Context
from bot.figures import NONE, Figures
from bot.model import Button, Reply, Risk, Table
from bot.ops.bull_reasons import ReasonGroup, grouped
from bot.ops.bull_values import Finished, QueueStatus
from bot.ops.log_text import LogText
from bot.ops.telling import Telling, tone
from bot.ops.trend_telling import Period, Range
from bot.ops.verdict import queue_problems
from commands.queue.group import group
from commands.queue.naming import line
from commands.queue.over import over, rate

_COLUMNS = ("name", "state", "waiting", "active", "delayed", "failed", "completed", "stalled", "oldest")
_PERIOD = 3_600.0
_REASONS_SHOWN = 5
_REASONS_READ = 200
_REASON = 160


@dataclass(frozen=True, slots=True)
class _Pace:
    """How many jobs ended in the last hour, and in ``span`` seconds of it for which Bull still keeps every one (0: none)."""

    hour: Finished
    whole: Finished
    span: float

    @property
    def per_minute(self) -> float | None:
        """Ended jobs a minute, over the span."""
        return 60 * (self.whole.completed + self.whole.failed) / self.span if self.span > 0 else None

    @property
    def failure_percent(self) -> float | None:
        """Share of ended jobs that failed, over the span."""
        ended = self.whole.completed + self.whole.failed
        return 100 * self.whole.failed / ended if ended and self.span > 0 else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """One queue, its pace, and why its jobs failed."""

    queue: QueueStatus
    pace: _Pace
    reasons: tuple[ReasonGroup, ...]


@group.command("status", Risk.READ, timeout=40, examples=("queue status", "queue status --range 24h"))
async def status(ctx: Context, *, range: Range | None = None) -> Reply:
    """Every queue: now, or over a range of time with a picture."""
    return await (_now(ctx) if range is None else over(ctx, Period.until_now(range, ctx.clock())))


async def _now(ctx: Context) -> Reply:
    now = ctx.clock()
    seen = await asyncio.gather(*(_look(ctx, queue, now) for queue in await ctx.ops.bull.queues()))
    queues = [each.queue for each in seen]
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    problems = tuple(problem for queue in queues for problem in queue_problems(queue, now))
    telling = Telling(ctx.words, figures)
    waiting = sum(queue.waiting + queue.paused for queue in queues)
    key = "queue.title" if queues else "queue.none"
    return Reply(
        title=ctx.words(key, waiting=figures.count(waiting), active=figures.count(sum(queue.active for queue in queues))),
        text=telling.lines(problems),
        tone=tone(problems),
        fields=tuple((each.queue.name, _pace(ctx, figures, each.pace)) for each in seen),
        tables=(table_of(ctx, figures, queues), *_reasons(ctx, figures, seen)) if queues else (),
        buttons=tuple(_failed_button(ctx, queue) for queue in queues if queue.failed)[:3],
        data=[_raw(ctx, each) for each in seen],
    )


async def _look(ctx: Context, queue: QueueStatus, now: float) -> _Seen:
    bull = ctx.ops.bull
    hour = await bull.finished_since(queue.name, now - _PERIOD)
    begin = hour.whole_since
    whole = hour if not hour.at_least or begin is None else await bull.finished_since(queue.name, begin)
    failed = (await bull.jobs.failed_reasons(queue.name, _REASONS_READ))[1] if queue.failed else []
    pace = _Pace(hour, whole, now - begin if begin is not None and begin < now else 0.0)
    return _Seen(queue, pace, grouped(failed)[:_REASONS_SHOWN])


def table_of(ctx: Context, figures: Figures, queues: Sequence[QueueStatus]) -> Table:
    """One row for each queue."""
    now = ctx.clock()
    rows = tuple(
        (
            queue.name,
            ctx.words("queue.paused" if queue.is_paused else "queue.running"),
            *(figures.count(each) for each in (queue.waiting + queue.paused, queue.active, queue.delayed, queue.failed, queue.completed)),
            figures.count(queue.stalled),
            figures.duration(max(0.0, now - queue.oldest_waiting_at)) if queue.oldest_waiting_at else NONE,
        )
        for queue in queues
    )
    return Table(tuple(ctx.words(f"queue.column.{name}") for name in _COLUMNS), rows)


def _pace(ctx: Context, figures: Figures, pace: _Pace) -> str:
    """What ended in the last hour; what Bull let go of is not hidden: "at least", and the rate over what is whole."""
    words, hour = ctx.words, pace.hour
    least = words("queue.at_least") if hour.at_least else ""
    ended = words("queue.ended", completed=f"{least}{figures.count(hour.completed)}", failed=f"{least}{figures.count(hour.failed)}")
    if pace.per_minute is None or pace.failure_percent is None:
        return ended
    key = "queue.pace_lately" if hour.at_least else "queue.pace"
    share, span = figures.percent(pace.failure_percent), figures.duration(pace.span)
    return f"{ended} · {words(key, span=span, rate=rate(pace.per_minute), share=share)}"


def _reasons(ctx: Context, figures: Figures, seen: Sequence[_Seen]) -> tuple[Table, ...]:
    text = LogText(ctx.settings.secrets)
    rows = tuple(
        (each.queue.name, figures.count(reason.count), _said(ctx, text, reason.reason)) for each in seen for reason in each.reasons
    )
    columns = tuple(ctx.words(f"queue.column.{name}") for name in ("name", "count", "reason"))
    return (Table(columns, rows, ctx.words("queue.reasons_title")),) if rows else ()


def _said(ctx: Context, text: LogText, reason: str) -> str:
    return text.line(reason, _REASON) if reason else ctx.words("queue.no_reason")


def _failed_button(ctx: Context, queue: QueueStatus) -> Button:
    return Button(ctx.words("queue.failed_button", name=queue.name), line("jobs", ["failed"], queue=queue.name))


def _raw(ctx: Context, seen: _Seen) -> dict[str, Any]:
    text, pace = LogText(ctx.settings.secrets), seen.pace
    reasons = [
        {"reason": text.line(each.reason, _REASON), "count": each.count, "example": text.line(each.example)} for each in seen.reasons
    ]
    throughput = {
        "period": _PERIOD,
        "completed": pace.hour.completed,
        "failed": pace.hour.failed,
        "at_least": pace.hour.at_least,
        "span": pace.span,
        "per_minute": pace.per_minute,
        "failure_percent": pace.failure_percent,
    }
    return {**asdict(seen.queue), "throughput": throughput, "failed_reasons": reasons}
