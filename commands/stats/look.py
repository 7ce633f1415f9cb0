"""``stats``: the one command of the group."""

from __future__ import annotations

from bot.command import ServiceName
from bot.context import Context
from bot.model import Reply, Risk
from bot.ops.trend_telling import Period, Range
from commands.stats.group import group
from commands.stats.now import now
from commands.stats.over import over


@group.command("stats", Risk.READ, timeout=40, examples=("stats", "stats backend", "stats --range 24h"))
async def stats(ctx: Context, service: ServiceName | None = None, *, range: Range | None = None) -> Reply:
    """Processor, memory, network, disk and processes of each container: now, or over a range of time with a picture."""
    return await (now(ctx, service) if range is None else over(ctx, service, Period.until_now(range, ctx.clock())))
