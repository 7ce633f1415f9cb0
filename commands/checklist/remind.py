"""``checklist remind``: says in the channel what nobody signed yet. The bot types it itself: after four hours, and after a day."""

from __future__ import annotations

from typing import Annotated

from bot.checklists import Run
from bot.command import Between
from bot.context import Context
from bot.errors import Conflict
from bot.model import Reply, Risk, Role, Tone
from commands.checklist.group import ESCALATE_AFTER, about, group
from commands.checklist.page import Page, listed


@group.command("remind", Risk.CHANGE, examples=("checklist remind 12",))
async def remind(ctx: Context, run: Annotated[int, Between(1, 10**12)]) -> Reply:
    """Who should sign what; the admins by name once a day has passed."""
    book = ctx.services.checklists
    found = await book.run(run)
    if found is None:
        raise Conflict("checklist.no_run", run=run)
    newest = await book.newest(found.name)
    if newest is not None and newest.id != found.id:
        return Reply(ctx.words("checklist.superseded", run=run, newest=newest.id), data={"run": run, "unsigned": []})
    if not found.unsigned:
        await ctx.release(about(found.name))
        return Reply(ctx.words("checklist.all_signed", run=run), tone=Tone.GOOD, data={"run": run, "unsigned": []})
    late = ctx.clock() >= found.at + ESCALATE_AFTER
    if not late:
        await ctx.promise_at(found.at + ESCALATE_AFTER, f"checklist remind {run}", about(found.name), {"run": run})
    told = _told(ctx, found, late=late)
    await book.remind_elsewhere(found, "escalated" if late else "reminded", ctx.invocation.place, told)
    return told


def _told(ctx: Context, run: Run, *, late: bool) -> Reply:
    page, waiting = Page(ctx), run.unsigned
    admins = late or all(each.signer == "admin" for each in waiting)
    who = ctx.services.gate.who(Role.ADMIN if admins else Role.OPERATOR)
    values = {"name": run.title.of(ctx.words.language), "count": len(waiting), "age": page.figures.duration(ctx.clock() - run.at)}
    return Reply(
        title=ctx.words("checklist.escalated" if late else "checklist.reminded", **values),
        text="\n".join((listed(page, waiting), ctx.words("checklist.escalated_to" if late else "checklist.reminded_to", who=who))),
        tone=Tone.BAD if late else Tone.WARN,
        buttons=page.buttons(run),
        data={"run": run.id, "unsigned": [each.item for each in waiting], "escalated": late},
    )
