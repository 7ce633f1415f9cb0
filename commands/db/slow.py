"""``db slow``: slow operations by their shape, from whoever can tell of them. No value of any query is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from bot.command import Between, Duration
from bot.context import Context
from bot.errors import TimedOut, Unreachable, VccError
from bot.figures import Figures
from bot.model import Button, Reply, Risk, Table, Tone
from bot.ops.mongo_log import LoggedOperations, logged
from bot.ops.mongo_profiler import Profiling
from bot.ops.mongo_slow import SlowGroup, SlowOperation, SlowTally, Source
from bot.ops.overview import probe
from commands.db.group import group
from commands.db.telling import Telling

_READING = 40.0
_ASKING = 8.0
_USUAL_SLOWMS = 100
_SHOWN = 2_400  # characters: what fits into one message beside the table


Operations = tuple[SlowOperation, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """What each teller said, or why it said nothing."""

    profiling: Profiling | VccError
    recorded: Operations | VccError
    running: Operations | VccError
    log: LoggedOperations | VccError | None


@group.command("slow", Risk.READ, timeout=90, examples=("db slow", "db slow --limit 20 --since 1h"))
async def slow(
    ctx: Context,
    *,
    limit: Annotated[int, Between(1, 50)] = 10,
    since: Annotated[Duration, Between(60, 30 * 86_400)] = Duration(86_400),
) -> Reply:
    """The slowest shapes, with what each teller had to say."""
    begin = ctx.clock() - since
    told = await _ask(ctx, begin)
    if isinstance(told.recorded, VccError) and isinstance(told.running, VccError) and isinstance(told.log, VccError | None):
        raise told.recorded  # nobody could tell anything
    tally = _tally(told)
    groups = tally.groups()
    telling = Telling(ctx)
    page = _Page(telling, groups[:limit])
    scans = any("COLLSCAN" in plan for each in groups[:limit] for plan in each.plans)
    return Reply(
        title=ctx.words("db.slow_title" if groups else "db.slow_none", groups=len(groups), period=telling.figures.duration(since)),
        text="\n".join(_notes(ctx, telling.figures, told, tally, len(groups) - limit)),
        tone=Tone.WARN if scans else Tone.NEUTRAL if groups else Tone.GOOD,
        fields=_sources(ctx, telling, told),
        tables=page.tables(),
        code=page.shapes(),
        buttons=(Button(ctx.words("db.on_button"), "db profile on"),) if not told.recorded or isinstance(told.recorded, VccError) else (),
        data={
            "since": begin,
            "sources": {name: _raw_source(each) for name, each in _by_name(told)},
            "groups": [page.raw(each) for each in groups[:limit]],
            "groups_total": len(groups),
        },
    )


async def _ask(ctx: Context, begin: float) -> _Told:
    mongo = ctx.ops.mongo
    profiling = await probe("mongodb", mongo.profiler.read, _ASKING)
    least = _USUAL_SLOWMS if isinstance(profiling, VccError) else profiling.slowms
    gone = profiling if isinstance(profiling, Unreachable | TimedOut) else None

    async def ask(question: Callable[[], Awaitable[Operations]]) -> Operations | VccError:
        # A server that did not answer once is not waited for again.
        return await probe("mongodb", question, _ASKING) if gone is None else gone

    recorded, running, log = await asyncio.gather(
        ask(lambda: mongo.profiler.recorded(begin)),
        ask(lambda: mongo.profiler.running(least)),
        probe("docker", lambda: logged(ctx.ops.containers, ctx.ops.logs, mongo.database, begin, _READING), _READING + _ASKING),
    )
    return _Told(profiling, recorded, running, log)


def _tally(told: _Told) -> SlowTally:
    tally = SlowTally()
    log = told.log.operations if isinstance(told.log, LoggedOperations) else ()
    for operations in (told.recorded, told.running, log):
        for operation in () if isinstance(operations, VccError) else operations:
            tally.add(operation)
    return tally


def _by_name(told: _Told) -> tuple[tuple[Source, Sequence[SlowOperation] | VccError | None], ...]:
    log = told.log.operations if isinstance(told.log, LoggedOperations) else told.log
    return ((Source.PROFILER, told.recorded), (Source.RUNNING, told.running), (Source.LOG, log))


def _raw_source(answer: Sequence[SlowOperation] | VccError | None) -> dict[str, Any]:
    if answer is None:
        return {"used": False, "operations": 0, "reason": "absent"}
    if isinstance(answer, VccError):
        return {"used": False, "operations": 0, "reason": answer.key}
    return {"used": True, "operations": len(answer), "reason": ""}


def _sources(ctx: Context, telling: Telling, told: _Told) -> tuple[tuple[str, str], ...]:
    """Each teller by name, with how much it told or why nothing."""
    words = ctx.words
    rows: list[tuple[str, str]] = []
    for source, answer in _by_name(told):
        if answer is None:
            said = words("db.source_absent")
        elif isinstance(answer, VccError):
            said = words(answer.key, **answer.values)
        else:
            said = words("db.source_told", count=telling.figures.count(len(answer)))
        if source is Source.PROFILER and not isinstance(told.profiling, VccError) and told.profiling.level == 0:
            said = f"{said} · {words('db.source_off')}"
        rows.append((words(f"db.source.{source.value}"), said))
    return tuple(rows)


def _notes(ctx: Context, figures: Figures, told: _Told, tally: SlowTally, hidden: int) -> list[str]:
    notes = [ctx.words("db.slow_hidden", count=figures.count(hidden))] if hidden > 0 else []
    if isinstance(told.log, LoggedOperations) and told.log.partial:
        notes.append(ctx.words("db.slow_partial"))
    if tally.overflow:
        notes.append(ctx.words("db.slow_overflow", count=figures.count(tally.overflow)))
    return notes


class _Page:
    """The groups as a table, and their shapes below it under the same numbers."""

    def __init__(self, telling: Telling, groups: Sequence[SlowGroup]) -> None:
        self._telling = telling
        self._groups = groups

    def tables(self) -> tuple[Table, ...]:
        """None without groups."""
        if not self._groups:
            return ()
        names = ("number", "count", "slowest", "mean", "plan", "ratio", "last")
        rows = tuple((str(number), *self._cells(each)) for number, each in enumerate(self._groups, 1))
        return (Table(tuple(self._telling.words(f"db.column.{name}") for name in names), rows),)

    def _cells(self, group: SlowGroup) -> tuple[str, ...]:
        telling, figures = self._telling, self._telling.figures
        plans = dict.fromkeys(telling.plan(plan) for plan, _ in group.plans.most_common(3))
        return (
            figures.count(group.count),
            figures.milliseconds(group.slowest_ms),
            figures.milliseconds(group.mean_ms),
            " / ".join(plans) or telling.plan(""),
            telling.ratio(group.examined_per_returned),
            telling.words("db.now") if group.sources[Source.RUNNING] else figures.moment(group.last_at),
        )

    def shapes(self) -> str:
        """What each does, as many as fit."""
        written = [f"{number}. {self._shape(each)}" for number, each in enumerate(self._groups, 1)]
        while sum(len(line) + 1 for line in written) > _SHOWN:
            written.pop()
        return "\n".join(written)

    def _shape(self, group: SlowGroup) -> str:
        shape = group.shape
        return self._telling.line(f"{shape.collection} {shape.operation} {shape.pattern}".strip())

    def raw(self, group: SlowGroup) -> dict[str, Any]:
        """For ``--json``."""
        line = self._telling.line
        return {
            "collection": line(group.shape.collection),
            "operation": line(group.shape.operation),
            "shape": line(group.shape.pattern),
            "count": group.count,
            "slowest_ms": group.slowest_ms,
            "mean_ms": group.mean_ms,
            "last_at": group.last_at,
            "plans": [line(plan) for plan, _ in group.plans.most_common()],
            "scans": any("COLLSCAN" in plan for plan in group.plans),
            "examined": group.examined if group.measured else None,
            "returned": group.returned if group.measured else None,
            "examined_per_returned": group.examined_per_returned,
            "sources": {source.value: count for source, count in group.sources.items()},
        }
