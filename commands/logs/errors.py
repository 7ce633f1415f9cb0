"""``logs errors``: what went wrong, sorted by kind and counted, from the index that outlives the logs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from bot.command import Between, Moment, ServiceName
from bot.context import Context
from bot.errors import Conflict, OutsideError, RecordUnwritable
from bot.model import Progress, Reply, Risk, Tone
from bot.moments import Present
from bot.ops.container_values import Service
from bot.ops.error_log import ErrorGroup, ErrorGrouper
from bot.ops.named import resolve
from bot.ops.verdict import label
from bot.store.error_rows import IndexedErrors, Losses
from commands.logs.error_page import ErrorPage
from commands.logs.group import group
from commands.logs.page import attached, failures, raise_if_all_failed

_READING = 100.0
_SHORTEST, _LONGEST = 60.0, 90 * 86_400.0
_ALWAYS_WORTH_A_LOOK = frozenset({"unhandled", "database", "connection"})


@dataclass(slots=True)
class _Asked:
    """Which services, and the containers that they have now. ``engine`` when these could not be told."""

    names: tuple[str, ...]
    containers: tuple[Service, ...]
    engine: OutsideError | None = None


@dataclass(slots=True)
class _Seen:
    """What is known of their errors."""

    groups: Sequence[IndexedErrors] = ()
    losses: Losses = field(default_factory=Losses)
    lines: int = 0
    failed: dict[str, OutsideError] = field(default_factory=dict)
    late: bool = False
    indexed: bool = True


@group.command("errors", Risk.READ, timeout=150, examples=("logs errors", "logs errors backend --since 1h", "logs errors --new"))
async def errors(
    ctx: Context,
    service: ServiceName | None = None,
    *,
    since: Moment = Moment("24h"),
    new: bool = False,
    limit: Annotated[int, Between(1, 50)] = 10,
) -> Reply:
    """Errors by kind, the same ones counted together; harmless noise apart."""
    period = Present(ctx.clock(), ctx.settings.vcc_tz).period(since, shortest=_SHORTEST, longest=_LONGEST)
    asked = await _asked(ctx, service)
    ctx.say(Progress(ctx.words("logs.reading")))
    seen = await _seen(ctx, asked, period.since)
    page = ErrorPage(ctx, _started(asked.containers))
    told = [each for each in seen.groups if each.kind != "known" and (page.is_new(each) or not new)]
    noise = [each for each in seen.groups if each.kind == "known"]
    shown = told[:limit]
    name = ctx.words("logs.all") if service is None else asked.names[0]
    total = sum(each.count for each in told)
    key = ("logs.new_errors_title" if new else "logs.errors_title") if told else ("logs.no_new_errors" if new else "logs.no_errors")
    period_told = page.figures.duration(ctx.clock() - period.since)
    return Reply(
        title=ctx.words(key, name=name, period=period_told, count=page.figures.count(total), groups=len(told)),
        text="\n".join((*_failures(ctx, asked, seen), *_notes(ctx, page, seen, told, len(told) - limit), *_noise(ctx, page, noise))),
        tone=_tone(told, asked, seen),
        code=page.listed(shown),
        files=await attached(ctx, "errors.log", page.everything(told), wanted=len(told) > limit),
        footer=page.counted_from(told, period.since),
        data={**_figures(seen, period.since), **page.data(told, noise, limit)},
    )


async def _asked(ctx: Context, service: str | None) -> _Asked:
    """The services that are or were: also those that have no container any more, and all of them when Docker is down."""
    containers, engine = tuple[Service, ...](), None
    try:
        containers = await ctx.ops.containers.services()
    except OutsideError as error:
        engine = error
    known = sorted({each.name for each in containers} | {*await _indexed_services(ctx)})
    if not known:
        raise engine or Conflict("verdict.no_services")
    names = tuple(known) if service is None else (resolve(known, service),)
    return _Asked(names, tuple(each for each in containers if each.name in names), engine)


async def _indexed_services(ctx: Context) -> Sequence[str]:
    try:
        return await ctx.services.errors.services()
    except RecordUnwritable:
        return ()


async def _seen(ctx: Context, asked: _Asked, since: float) -> _Seen:
    """What the index knows once it has caught up; what the logs say now, should it be of no use."""
    index = ctx.services.errors
    try:
        caught = await index.catch_up(asked.containers, _READING)
        groups, losses = await index.groups(asked.names, since), await index.losses(asked.names, since)
    except RecordUnwritable:
        return await _read_through(ctx, asked.containers, since)
    by_id = {each.container_id: label(each) for each in asked.containers}
    failed = {by_id[container]: error for container, error in caught.failed.items()}
    if not groups:
        raise_if_all_failed(asked.containers, failed)
    return _Seen(groups, losses, caught.lines, failed, late=bool(caught.late))


async def _read_through(ctx: Context, containers: Sequence[Service], since: float) -> _Seen:
    seen, grouper = _Seen(indexed=False), ErrorGrouper()

    async def read(each: Service) -> None:
        try:
            async with asyncio.timeout(_READING):
                await ctx.ops.logs.errors(each, grouper, since=since)
        except OutsideError as error:
            seen.failed[label(each)] = error
        except TimeoutError:
            seen.late = True

    await asyncio.gather(*(read(each) for each in containers))
    raise_if_all_failed(containers, seen.failed)
    seen.groups = [_as_indexed(each) for each in grouper.groups(known=True)]
    seen.losses = Losses(overflow=grouper.overflow)
    seen.lines = grouper.lines
    return seen


def _as_indexed(each: ErrorGroup) -> IndexedErrors:
    return IndexedErrors(
        fingerprint=each.fingerprint,
        service=each.service,
        kind=each.kind.value,
        example=each.newest_example,
        trace=each.trace,
        first_seen=each.first_seen,
        last_seen=each.last_seen,
        total=each.count,
        count=each.count,
        counted_from=each.first_seen,
    )


def _started(containers: Sequence[Service]) -> dict[str, float]:
    """When each service was last deployed or restarted; of several containers, when the first of them was."""
    started: dict[str, float] = {}
    for each in containers:
        if each.started_at is not None:
            started[each.name] = min(each.started_at, started.get(each.name, each.started_at))
    return started


def _failures(ctx: Context, asked: _Asked, seen: _Seen) -> list[str]:
    engine = [ctx.words("logs.from_index", reason=ctx.words(asked.engine.key, **asked.engine.values))] if asked.engine else []
    return [*engine, *failures(ctx, seen.failed)]


def _notes(ctx: Context, page: ErrorPage, seen: _Seen, told: Sequence[IndexedErrors], hidden: int) -> list[str]:
    words, count, notes = ctx.words, page.figures.count, list[str]()
    fresh = sum(page.is_new(each) for each in told)
    if fresh:
        notes.append(words("logs.new_kinds", count=count(fresh)))
    if seen.late:
        notes.append(words("logs.partial"))
    if hidden > 0:
        notes.append(words("logs.hidden", count=count(hidden)))
    for name, at in sorted(seen.losses.gaps.items()):
        notes.append(words("logs.gap", name=name, at=page.figures.moment(at)))
    if seen.losses.overflow or seen.losses.forgotten:
        notes.append(words("logs.overflow", count=count(seen.losses.overflow), groups=count(seen.losses.forgotten)))
    return notes


def _noise(ctx: Context, page: ErrorPage, noise: Sequence[IndexedErrors]) -> list[str]:
    return [ctx.words("logs.noise", count=page.figures.count(sum(each.count for each in noise)))] if noise else []


def _tone(told: Sequence[IndexedErrors], asked: _Asked, seen: _Seen) -> Tone:
    if any(each.kind in _ALWAYS_WORTH_A_LOOK for each in told):
        return Tone.BAD
    return Tone.WARN if told or seen.failed or seen.late or asked.engine else Tone.GOOD


def _figures(seen: _Seen, since: float) -> dict[str, Any]:
    return {
        "since": since,
        "lines": seen.lines,
        "partial": seen.late,
        "indexed": seen.indexed,
        "overflow": seen.losses.overflow,
        "forgotten": seen.losses.forgotten,
        "gaps": dict(seen.losses.gaps),
        "unreadable": sorted(seen.failed),
    }
