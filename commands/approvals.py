"""``approvals``: the tickets that wait for a second person."""

from __future__ import annotations

from bot.command import Group
from bot.context import Context
from bot.figures import Figures
from bot.model import Reply, Risk, Table

group = Group("approvals")


@group.command("approvals", Risk.READ, examples=("approvals",))
async def approvals(ctx: Context) -> Reply:
    """Open tickets, oldest first."""
    words, now = ctx.words, ctx.clock()
    figures = Figures(words.language, ctx.settings.vcc_tz)
    tickets = await ctx.services.tickets.open()
    rows = tuple(
        (f"#{each.id}", each.asker, each.invocation.line, each.plan.title, figures.duration(max(0.0, each.expires_at - now)))
        for each in tickets
    )
    columns = tuple(words(f"approvals.column.{name}") for name in ("ticket", "asker", "line", "plan", "left"))
    data = [
        {
            "ticket": each.id,
            "asker": each.asker,
            "line": each.invocation.line,
            "title": each.plan.title,
            "plan": each.digest,
            "created_at": each.created_at,
            "expires_at": each.expires_at,
        }
        for each in tickets
    ]
    if not tickets:
        return Reply(words("approvals.none"), data=data)
    text = words("approvals.how", oldest=figures.moment(tickets[0].created_at))
    return Reply(words("approvals.open", count=len(tickets)), text, tables=(Table(columns, rows),), data=data)
