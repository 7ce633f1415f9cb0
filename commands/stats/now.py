"""What each service takes at this moment, beside an hour ago; when Docker does not answer, what was measured last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bot.chart import Unit
from bot.context import Context
from bot.errors import OutsideError, VccError
from bot.figures import NONE, Figures
from bot.model import Reply, Table, Tone
from bot.ops.container_values import Service, Usage
from bot.ops.measures import of_service
from bot.ops.named import chosen
from bot.ops.overview import DEADLINE, probe
from bot.ops.trend import usual
from bot.ops.trend_telling import TrendTelling, an_hour_ago
from bot.series import Bucket, Series
from commands.stats.record import ALL, BOTH, LIMIT, subjects

_TIGHT = 90.0
_LOOK = 8.0


async def now(ctx: Context, service: str | None) -> Reply:
    """The running containers as they are."""
    seen = await probe("docker", lambda: _look(ctx, service), _LOOK)
    if isinstance(seen, OutsideError):
        return await _remembered(ctx, service, seen)
    if isinstance(seen, VccError):
        raise seen
    containers, used = seen
    before = await _hour_ago(ctx, used)
    stopped = sorted({each.name for each in containers if not each.running})
    return Reply(
        title=ctx.words("stats.title", name=ctx.words("stats.all") if service is None else containers[0].name),
        text=ctx.words("stats.stopped", names=", ".join(stopped)) if stopped else "",
        tone=Tone.WARN if stopped or any(usage.memory_percent >= _TIGHT for usage in used) else Tone.GOOD,
        tables=(_now_table(ctx, used, before),) if used else (),
        data=[{**asdict(usage), "memory_percent": usage.memory_percent, "hour_ago": before[_subject(usage)]} for usage in used],
    )


async def _look(ctx: Context, service: str | None) -> tuple[tuple[Service, ...], tuple[Usage, ...]]:
    containers = await chosen(ctx.ops.containers, service)
    return containers, await ctx.ops.containers.stats(None if service is None else containers[0].name)


def _subject(usage: Usage) -> str:
    return of_service(usage.service, usage.number)


async def _hour_ago(ctx: Context, used: Sequence[Usage]) -> dict[str, dict[str, float | None]]:
    """What each took an hour ago, as far as that is on record."""
    wanted = [Series("service", _subject(usage), figure) for usage in used for figure in BOTH]
    found = await probe("store", lambda: ctx.services.history.read(wanted, *an_hour_ago(ctx.clock())), DEADLINE)
    known: Mapping[Series, Sequence[Bucket]] = {} if isinstance(found, VccError) else found
    return {
        _subject(usage): {figure: usual(known.get(Series("service", _subject(usage), figure), ())) for figure in BOTH} for usage in used
    }


def _now_table(ctx: Context, used: Sequence[Usage], before: Mapping[str, Mapping[str, float | None]]) -> Table:
    names = ("service", "cpu", "memory", "limit", "network", "block", "processes", "hour")
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    telling = TrendTelling(ctx.words, figures)
    rows = tuple((*_row(figures, usage), _change(telling, usage, before[_subject(usage)])) for usage in used)
    return Table(tuple(ctx.words(f"stats.column.{name}") for name in names), rows)


def _row(figures: Figures, usage: Usage) -> tuple[str, ...]:
    share = f" ({figures.percent(usage.memory_percent)})" if usage.memory_limit_bytes else ""
    return (
        _subject(usage),
        figures.percent(usage.cpu_percent),
        figures.size(usage.memory_bytes) + share,
        figures.size(usage.memory_limit_bytes) if usage.memory_limit_bytes else NONE,
        f"↓{figures.size(usage.network_received_bytes)} ↑{figures.size(usage.network_sent_bytes)}",
        f"R {figures.size(usage.block_read_bytes)} W {figures.size(usage.block_written_bytes)}",
        str(usage.processes),
    )


def _change(telling: TrendTelling, usage: Usage, before: Mapping[str, float | None]) -> str:
    cpu, memory = before["cpu_percent"], before["memory_bytes"]
    if memory is None:
        return NONE
    told = "" if usage.cpu_percent is None else f"CPU {telling.change(Unit.PERCENT, usage.cpu_percent, cpu)} · "
    return told + telling.change(Unit.BYTES, usage.memory_bytes, memory)


async def _remembered(ctx: Context, service: str | None, error: OutsideError) -> Reply:
    """Docker does not answer: what was measured last, with its age. Without a record, its own failure."""
    names = subjects(await ctx.services.history.known(), service)
    found = await ctx.services.history.newest([Series("service", name, figure) for name in names for figure in (*ALL, LIMIT)])
    if not found:
        raise error
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    telling, columns = TrendTelling(ctx.words, figures), ("service", *ALL)
    rows = [(name, *(telling.value(unit, _value(found, name, figure)) for figure, unit in ALL.items())) for name in names]
    return Reply(
        title=ctx.words("stats.title_last", ago=figures.since(max(bucket.at for bucket in found.values()), ctx.clock())),
        text=ctx.words("stats.docker_down", reason=ctx.words(error.key, **error.values)),
        tone=Tone.WARN,
        tables=(Table(tuple(ctx.words(f"stats.column.{name}") for name in columns), tuple(rows)),),
        data=[{"service": each.subject, "figure": each.figure, "at": bucket.at, "value": bucket.mean} for each, bucket in found.items()],
    )


def _value(found: Mapping[Series, Bucket], name: str, figure: str) -> float | None:
    bucket = found.get(Series("service", name, figure))
    return None if bucket is None else bucket.mean
