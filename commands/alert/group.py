"""The group ``alert``, for the modules that declare its commands; which alert is meant."""

from __future__ import annotations

from bot.alerts import Alert
from bot.command import Group
from bot.context import Context
from bot.errors import Conflict

group = Group("alert", default="list")


async def alert_of(ctx: Context, number: int) -> Alert:
    """The alert of this number. Conflict when there is none."""
    alert = await ctx.services.alerts.get(number)
    if alert is None:
        raise Conflict("alerts.no_alert", number=number)
    return alert
