"""The group ``incident``, for the modules that declare its commands; which incident is meant."""

from __future__ import annotations

from bot.command import Group
from bot.context import Context
from bot.errors import Conflict, Usage, VccError
from bot.figures import Figures
from bot.incident_page import IncidentPage
from bot.incidents import Incident
from bot.line import normalise, split

group = Group("incident", default="status")


async def incident_of(ctx: Context, number: int | None) -> Incident:
    """The incident of this number, else the one whose room the line was typed in, else the only open one. Usage lists them."""
    book = ctx.services.incidents
    if number is not None:
        found = await book.get(number)
        if found is None:
            raise Conflict("incident.none_such", number=number)
        return found
    here = await book.of_place(ctx.invocation.place)
    if here is not None:
        return here
    going_on = await book.open_ones()
    if not going_on:
        raise Conflict("incident.none_open")
    if len(going_on) > 1:
        listed = " · ".join(f"#{each.number} {each.title}" for each in going_on)
        raise Usage("incident.which", listed=listed, number=going_on[-1].number)
    return going_on[0]


def figures_of(ctx: Context) -> Figures:
    """How figures are written here."""
    return Figures(ctx.words.language, ctx.settings.vcc_tz)


def page_of(ctx: Context) -> IncidentPage:
    """How an incident looks."""
    return IncidentPage(ctx.words, ctx.settings.vcc_tz, ctx.clock, lambda line: _is_there(ctx, line))


def _is_there(ctx: Context, line: str) -> bool:
    try:
        ctx.services.catalogue.resolve(split(normalise(line)))
    except VccError:
        return False
    return True
