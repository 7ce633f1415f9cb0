"""The group ``checklist``, for the modules that declare its commands; which list is meant, and what a signature is awaited about."""

from __future__ import annotations

from bot.checklists import Checklist
from bot.command import Group
from bot.context import Context
from bot.errors import Usage
from bot.line import closest

group = Group("checklist", default="show")
HOUR = 3_600.0
REMIND_AFTER, ESCALATE_AFTER = 4 * HOUR, 24 * HOUR


async def list_of(ctx: Context, name: str) -> tuple[str, Checklist]:
    """The list a person named. Usage with the nearest name, or all there are."""
    lists = await ctx.services.checklists.lists()
    wanted = name.lower()
    if wanted not in lists:
        raise Usage("checklist.unknown", name=name, near=closest(name, lists) or " · ".join(lists))
    return wanted, lists[wanted]


def about(name: str) -> str:
    """What the promise to remind is about: one for each list, so that a newer run takes the place of an older one."""
    return f"checklist.{name}"
