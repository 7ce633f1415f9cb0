"""``db profile``: records slow operations for a while. It is switched back by itself, to what was found before, even after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from bot.command import Between
from bot.context import Context
from bot.errors import Conflict, OutsideError, TimedOut, Unreachable
from bot.model import Button, Reply, Risk, Tone
from bot.ops.mongo_profiler import Profiling
from bot.store.promise_rows import Promise
from commands.db.group import group
from commands.db.telling import Telling

_ABOUT = "db.profile"
_SWITCH_BACK = "db profile off --due"
_SLOW = 1


def _lock(action: str, **rest: Any) -> tuple[str, ...]:
    return () if action == "status" else ("db",)


@group.command(
    "profile",
    Risk.CHANGE,
    timeout=30,
    examples=("db profile on --slowms 100 --minutes 10", "db profile off", "db profile status"),
    locks=_lock,
)
async def profile(
    ctx: Context,
    action: Literal["on", "off", "status"],
    *,
    slowms: Annotated[int, Between(1, 60_000)] = 100,
    minutes: Annotated[int, Between(1, 240)] = 10,
    due: bool = False,
) -> Reply:
    """Switch on with a time to end, switch back, or tell how it stands."""
    if action == "on":
        return await _on(ctx, slowms, minutes)
    return await _off(ctx, due=due) if action == "off" else await _status(ctx)


async def _on(ctx: Context, slowms: int, minutes: int) -> Reply:
    found = await ctx.ops.mongo.profiler.read()
    earlier = await ctx.promised(_ABOUT)
    before = _noted(earlier.note) if earlier else found
    ends = ctx.clock() + minutes * 60
    # First the promise, on the disk: from then on nothing that happens to us leaves it switched on.
    await ctx.promise_at(ends, _SWITCH_BACK, _ABOUT, _note(before))
    try:
        await ctx.ops.mongo.profiler.switch(Profiling(_SLOW, slowms))
    except OutsideError as error:
        if not isinstance(error, TimedOut | Unreachable):  # after those nobody knows whether it is on
            await _take_back(ctx, earlier)
        raise
    telling = Telling(ctx)
    return Reply(
        title=ctx.words("db.profile_on", slow=telling.figures.milliseconds(slowms), until=telling.figures.clock(ends, ctx.clock())),
        text="\n".join((*_warnings(ctx, found, ours=earlier is not None), ctx.words("db.profile_keeps"))),
        tone=Tone.WARN if found.filtered or (found.level and earlier is None) else Tone.GOOD,
        fields=((ctx.words("db.field.before"), _written(telling, before)),),
        buttons=(Button(ctx.words("db.slow_button"), "db slow"), Button(ctx.words("db.off_button"), "db profile off")),
        data={"level": _SLOW, "slowms": slowms, "until": ends, "before": _note(before), "extended": earlier is not None},
    )


async def _take_back(ctx: Context, earlier: Promise | None) -> None:
    """The promise as it was before this request."""
    if earlier is None:
        await ctx.release(_ABOUT)
    else:
        await ctx.promise_at(earlier.at, earlier.line, _ABOUT, earlier.note)


async def _off(ctx: Context, *, due: bool) -> Reply:
    """Switch back. ``due`` is what the promise types: only when its time has come, for a newer run may have replaced it."""
    promised = await ctx.promised(_ABOUT)
    telling = Telling(ctx)
    if due and promised is None:
        return Reply(ctx.words("db.profile_nothing_due"), data={"changed": False, "until": None})
    if due and promised and promised.at > ctx.clock():
        raise Conflict("db.profile_not_due", until=telling.figures.clock(promised.at, ctx.clock()))
    found = await ctx.ops.mongo.profiler.read()
    wanted = _noted(promised.note) if promised else Profiling(0, found.slowms, found.sample_rate)
    await ctx.ops.mongo.profiler.switch(wanted)
    await ctx.release(_ABOUT)
    done = "was_off" if not found.level and not wanted.level else "back" if wanted.level else "off"
    return Reply(
        title=ctx.words("db.profile_ended", state=_written(telling, wanted))
        if due
        else ctx.words(f"db.profile_{done}", state=_written(telling, wanted)),
        text=ctx.words("db.profile_foreign", state=_written(telling, found)) if promised is None and found.level else "",
        tone=Tone.WARN if wanted.level else Tone.GOOD,
        fields=((ctx.words("db.field.now"), _written(telling, wanted)),),
        buttons=(Button(ctx.words("db.slow_button"), "db slow"),),
        data={"changed": found != wanted, "level": wanted.level, "slowms": wanted.slowms, "until": None},
    )


async def _status(ctx: Context) -> Reply:
    found = await ctx.ops.mongo.profiler.read()
    promised = await ctx.promised(_ABOUT)
    telling = Telling(ctx)
    fields = [(ctx.words("db.field.now"), _written(telling, found))]
    if promised:
        fields.append((ctx.words("db.field.until"), telling.figures.clock(promised.at, ctx.clock())))
        fields.append((ctx.words("db.field.before"), _written(telling, _noted(promised.note))))
    foreign = bool(found.level) and promised is None
    return Reply(
        title=ctx.words("db.profile_running" if found.level else "db.profile_is_off"),
        text="\n".join(_warnings(ctx, found, ours=promised is not None)),
        tone=Tone.WARN if foreign else Tone.NEUTRAL,
        fields=tuple(fields),
        buttons=(Button(ctx.words("db.off_button"), "db profile off"),) if found.level else (),
        data={
            "level": found.level,
            "slowms": found.slowms,
            "until": promised.at if promised else None,
            "before": dict(promised.note) if promised else None,
        },
    )


def _warnings(ctx: Context, found: Profiling, *, ours: bool) -> list[str]:
    said = [ctx.words("db.profile_other", state=_written(Telling(ctx), found))] if found.level and not ours else []
    return said + ([ctx.words("db.profile_filter")] if found.filtered else [])


def _written(telling: Telling, state: Profiling) -> str:
    slow = telling.figures.milliseconds(state.slowms)
    return telling.words(f"db.level.{state.level}", slow=slow) if state.level in (0, 1, 2) else str(state.level)


def _note(state: Profiling) -> dict[str, Any]:
    return {"level": state.level, "slowms": state.slowms, "sample_rate": state.sample_rate}


def _noted(note: Mapping[str, Any]) -> Profiling:
    return Profiling(int(note["level"]), int(note["slowms"]), float(note["sample_rate"]))
