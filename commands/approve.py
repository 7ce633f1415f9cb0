"""``approve``: grant an open ticket as a second person; the held request then runs."""

from __future__ import annotations

from typing import Annotated

from bot.command import Between, Group
from bot.context import Context
from bot.model import Outcome, Reply, Risk, Role, Tone

group = Group("approve")


@group.command("approve", Risk.CHANGE, open_to=Role.OPERATOR, timeout=3_600, examples=("approve 12", "approve 12 --code 4821"))
async def approve(ctx: Context, ticket: Annotated[int, Between(1, 1e12)], *, plan: str = "", code: str = "") -> Reply:
    """Grant, then run. In chat the card shows how it goes; at the terminal the answer is the outcome itself."""
    held = await ctx.services.tickets.grant(ctx, ticket, plan, code)
    at_terminal = ctx.invocation.place.platform == "local"
    outcome = await ctx.services.run_held(held, at_terminal)
    if outcome is not None:
        return outcome
    return Reply(
        ctx.words("approve.granted_title", number=ticket),
        ctx.words("approve.granted", line=held.line),
        Outcome.DONE,
        Tone.GOOD,
        ticket=ticket,
        private=True,
    )
