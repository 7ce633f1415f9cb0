"""``incident open``: begins one; its announcement, its steps and its timeline are there from then on, and a room follows."""

from __future__ import annotations

from typing import Annotated, Literal

from bot.command import Between, Rest, ServiceName
from bot.context import Context
from bot.errors import VccError
from bot.incidents import Opening
from bot.model import Reply, Risk, Tone
from bot.ops.overview import DEADLINE, probe
from bot.plain_text import harmless
from bot.runbooks import Kind
from commands.incident.group import group, page_of

_TITLE = 120


@group.command(
    "open",
    Risk.CHANGE,
    examples=("incident open service 로그인이 안 됨 --service backend", "incident open security", "incident open service --alert 7"),
)
async def open_one(
    ctx: Context,
    kind: Literal["service", "security"],
    title: Rest = Rest(""),
    *,
    service: ServiceName | None = None,
    alert: Annotated[int | None, Between(1, 10**12)] = None,
) -> Reply:
    """Open an incident; whoever opens it leads until somebody else is named."""
    book, wanted = ctx.services.incidents, Kind(kind)
    runbook = (await book.runbooks())[wanted]
    about = await ctx.services.alerts.get(alert) if alert else None
    if service is None and about is not None and about.subject in await _services(ctx):
        service = ServiceName(about.subject)
    told = f"{about.title} {about.subject}" if about is not None else f"{service or ''} {runbook.title.of(ctx.words.language)}"
    opening = Opening(
        kind=wanted,
        title=harmless(title, limit=_TITLE, newlines=False).strip() or told.strip(),
        service=service or "",
        alert=alert or 0,
        person=ctx.person.name,
        at=ctx.clock(),
        invocation=ctx.invocation,
    )
    incident = await book.open(opening)
    page = page_of(ctx)
    return Reply(
        title=ctx.words("incident.opened", title=page.title(incident)),
        text=ctx.words("incident.opened_text" if incident.rooms else "incident.opened_alone", lead=incident.lead),
        tone=Tone.WARN,
        buttons=page.buttons(incident),
        data=page.raw(incident),
    )


async def _services(ctx: Context) -> frozenset[str]:
    """The services there are; none while Docker does not say, which keeps no incident from being opened."""
    listed = await probe("docker", ctx.ops.containers.services, DEADLINE)
    return frozenset() if isinstance(listed, VccError) else frozenset(each.name for each in listed)
