"""``maintenance``: while something is worked on, alerts about it are recorded and not told; what is still wrong at the end is told then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from bot.alert_telling import AlertTelling
from bot.alerts import Window
from bot.command import Between, Duration, Group, ServiceName
from bot.context import Context
from bot.errors import Conflict, Usage
from bot.model import Button, Reply, Risk, Tone

group = Group("maintenance", default="list")
_LONGEST = 3 * 86_400.0


@group.command("list", Risk.READ, timeout=10, examples=("maintenance", "maintenance list"))
async def listing(ctx: Context) -> Reply:
    """What is worked on now, and until when."""
    windows, telling = await ctx.services.alerts.windows(), _telling(ctx)
    buttons = tuple(Button(ctx.words("maintenance.stop_button", number=each.id), f"maintenance stop {each.id}") for each in windows[:5])
    return Reply(
        title=ctx.words("maintenance.title" if windows else "maintenance.none", count=len(windows)),
        text="\n".join(f"#{each.id} {telling.window(each).title} ({each.person})" for each in windows),
        tone=Tone.WARN if windows else Tone.NEUTRAL,
        buttons=buttons,
        data=[each.raw for each in windows],
    )


@group.command(
    "start", Risk.CHANGE, timeout=10, examples=("maintenance start", "maintenance start backend --for 30m", "maintenance start --for 4h")
)
async def start(
    ctx: Context, service: ServiceName = ServiceName(""), *, for_: Annotated[Duration, Between(60, _LONGEST)] = Duration(7_200)
) -> Reply:
    """Begin: for one service, or for everything."""
    name = (await ctx.ops.containers.service(service)).name if service else ""
    window = await ctx.services.alerts.begin_window(name, ctx.person.name, ctx.clock() + for_)
    told = _telling(ctx).window(window)
    return Reply(told.title, ctx.words("maintenance.begun"), tone=Tone.WARN, buttons=told.buttons, data=window.raw)


@group.command("stop", Risk.CHANGE, timeout=10, examples=("maintenance stop", "maintenance stop 3"))
async def stop(ctx: Context, number: Annotated[int | None, Between(1, 10**12)] = None) -> Reply:
    """End one before its time: the one named, or the only one."""
    if number is None:
        number = _only(await ctx.services.alerts.windows())
    ended = await ctx.services.alerts.end_window(number, ctx.person.name)
    return Reply(_telling(ctx).window(ended).title, ctx.words("maintenance.ended"), tone=Tone.GOOD, data=ended.raw)


def _only(windows: Sequence[Window]) -> int:
    if not windows:
        raise Conflict("maintenance.nothing")
    if len(windows) > 1:
        raise Usage("maintenance.which", numbers=", ".join(str(each.id) for each in windows))
    return windows[0].id


def _telling(ctx: Context) -> AlertTelling:
    return AlertTelling(ctx.words, ctx.settings.vcc_tz)
