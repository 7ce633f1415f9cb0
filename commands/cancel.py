"""``cancel``: lets a running request know that it should end early. Ends nothing by itself."""

from __future__ import annotations

from bot import line
from bot.command import Group
from bot.context import Context
from bot.errors import Conflict, Forbidden
from bot.model import Invocation, Outcome, Reply, Risk, Role

group = Group("cancel")


@group.command("cancel", Risk.READ, examples=("cancel R-7K3QF2MA",))
async def cancel(ctx: Context, reference: str) -> Reply:
    """Whoever asked for it may end it, and so may every operator."""
    running = await ctx.services.requests.running(reference.upper())
    if running is None:
        raise Conflict("cancel.not_running", reference=reference)
    command, _ = ctx.services.catalogue.resolve(line.split(line.normalise(running.line)))
    if not command.cancellable:
        raise Conflict("cancel.cannot", command=command.name)
    await _require(ctx, running)
    await ctx.services.requests.ask_to_end(running.reference, ctx.person.name)
    return Reply(ctx.words("cancel.asked"), ctx.words("cancel.soon", line=running.line), Outcome.DONE, private=True)


async def _require(ctx: Context, running: Invocation) -> None:
    owner = await ctx.services.gate.person_of(running.account)
    if running.account not in ctx.person.accounts and ctx.person.role < Role.OPERATOR:
        raise Forbidden("cancel.not_yours", owner=owner.name, helpers=ctx.services.gate.who(Role.OPERATOR))
