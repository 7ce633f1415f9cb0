"""``checklist show``: the newest run as it stands now, with the signatures that came since."""

from __future__ import annotations

from typing import Annotated

from bot.command import Between
from bot.context import Context
from bot.errors import Conflict
from bot.model import Reply, Risk
from commands.checklist.group import group, list_of
from commands.checklist.page import Page


@group.command("show", Risk.READ, examples=("checklist show", "checklist show weekly", "checklist show --run 12"))
async def show(ctx: Context, name: str = "", *, run: Annotated[int | None, Between(1, 10**12)] = None) -> Reply:
    """A run as it stands: the newest, the newest of a list, or the one named."""
    book = ctx.services.checklists
    wanted = await _known(ctx, name) if name else ""
    found = await (book.run(run) if run is not None else book.newest(wanted))
    if found is None and run is not None:
        raise Conflict("checklist.no_run", run=run)
    if found is None:
        lists = await book.lists()
        names = " · ".join(lists)
        return Reply(ctx.words("checklist.none"), ctx.words("checklist.none_text", names=names), data={"run": None, "lists": list(lists)})
    return Page(ctx).report(found, await book.newest(found.name, before=found.id), await book.fault())


async def _known(ctx: Context, name: str) -> str:
    """A list that was run may be gone from the file since."""
    run = await ctx.services.checklists.newest(name.lower())
    return run.name if run is not None else (await list_of(ctx, name))[0]
