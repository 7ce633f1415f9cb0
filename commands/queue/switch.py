"""``queue pause`` and ``queue resume``: whether workers take new jobs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Any

from bot.context import Context
from bot.figures import Figures
from bot.model import Reply, Risk, Tone
from commands.queue.group import group, held
from commands.queue.naming import names_of
from commands.queue.status import table_of


@group.command("pause", Risk.CHANGE, timeout=15, examples=("queue pause", 'queue pause "image generation"'), locks=held)
async def pause(ctx: Context, name: str | None = None) -> Reply:
    """Let no worker take a new job."""
    return await _switch(ctx, name, "paused_now", ctx.ops.bull.pause)


@group.command("resume", Risk.CHANGE, timeout=15, examples=("queue resume", 'queue resume "image generation"'), locks=held)
async def resume(ctx: Context, name: str | None = None) -> Reply:
    """Let workers take jobs again."""
    return await _switch(ctx, name, "resumed_now", ctx.ops.bull.resume)


async def _switch(ctx: Context, name: str | None, said: str, change: Callable[[str], Coroutine[Any, Any, int]]) -> Reply:
    """One queue or all; what they are afterwards is looked up, not assumed."""
    names = await names_of(ctx, name)
    for each in names:
        await change(each)
    queues = [await ctx.ops.bull.queue(each) for each in names]
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    return Reply(
        title=ctx.words(f"queue.{said}", names=", ".join(names)),
        tone=Tone.GOOD if said == "resumed_now" else Tone.WARN,
        tables=(table_of(ctx, figures, queues),),
        data=[asdict(queue) for queue in queues],
    )
