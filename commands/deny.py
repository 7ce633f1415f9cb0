"""``deny``: refuse an open ticket, or withdraw one's own; nothing runs."""

from __future__ import annotations

from typing import Annotated

from bot.command import Between, Group, Rest
from bot.context import Context
from bot.model import Outcome, Reply, Risk, Tone

group = Group("deny")


@group.command("deny", Risk.CHANGE, examples=("deny 12", "deny 12 not before the backup"))
async def deny(ctx: Context, ticket: Annotated[int, Between(1, 1e12)], reason: Rest = Rest(""), *, plan: str = "") -> Reply:
    """Close the ticket once."""
    decided = await ctx.services.tickets.deny(ctx, ticket, plan, reason)
    text = ctx.words("deny.denied", line=decided.invocation.line)
    return Reply(ctx.words("deny.denied_title", number=ticket), text, Outcome.DONE, Tone.NEUTRAL, ticket=ticket, private=True)
