"""``incident status`` and ``incident list``: how an incident stands, and which there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from bot.command import Between
from bot.context import Context
from bot.incidents import Entry, Incident
from bot.model import Reply, Risk, Table, Tone
from commands.incident.group import figures_of, group, incident_of, page_of

_LATEST = 6


@group.command("status", Risk.READ, examples=("incident", "incident status 3"))
async def status(ctx: Context, number: Annotated[int | None, Between(1, 10**12)] = None) -> Reply:
    """The runbook as it stands, and what happened last; without a number and a room of its own, all that go on."""
    book, page = ctx.services.incidents, page_of(ctx)
    if number is None and await book.of_place(ctx.invocation.place) is None:
        going_on = await book.open_ones()
        if not going_on:
            return Reply(ctx.words("incident.none_open"), tone=Tone.GOOD, data={"incidents": []})
        if len(going_on) > 1:
            return _listed(ctx, going_on, ctx.words("incident.several", count=len(going_on)))
    incident = await incident_of(ctx, number)
    timeline = await book.timeline(incident)
    lines = [_line(ctx, entry) for entry in timeline[-_LATEST:]]
    shown = page.overview(incident)
    text = "\n".join([shown.text, "", ctx.words("incident.latest"), *lines] if lines else [shown.text])
    return replace(shown, text=text, data={**page.raw(incident), "timeline": [raw_entry(entry) for entry in timeline]})


def _line(ctx: Context, entry: Entry) -> str:
    who = f" ({entry.person})" if entry.person else ""
    return f"{figures_of(ctx).moment(entry.at)} {entry.text}{who}"


def raw_entry(entry: Entry) -> dict[str, object]:
    """A line of the timeline as figures."""
    return {"at": entry.at, "what": entry.what, "text": entry.text, "person": entry.person}


@group.command("list", Risk.READ, examples=("incident list", "incident list --limit 50"))
async def listing(ctx: Context, *, limit: Annotated[int, Between(1, 200)] = 20) -> Reply:
    """The newest incidents, also those that are over."""
    found = await ctx.services.incidents.newest(limit)
    if not found:
        return Reply(ctx.words("incident.none_ever"), data={"incidents": []})
    return _listed(ctx, found, ctx.words("incident.listed", count=len(found)))


def _listed(ctx: Context, incidents: Sequence[Incident], title: str) -> Reply:
    figures, page = figures_of(ctx), page_of(ctx)
    columns = tuple(ctx.words(f"incident.column.{name}") for name in ("number", "title", "state", "since", "lasted", "lead"))
    rows = tuple(
        (
            f"#{each.number}",
            each.title,
            ctx.words("incident.state.open" if each.is_open else "incident.state.resolved"),
            figures.moment(each.opened_at),
            figures.duration(each.lasts(ctx.clock())),
            each.lead,
        )
        for each in incidents
    )
    going_on = any(each.is_open for each in incidents)
    data = {"incidents": [page.raw(each) for each in incidents]}
    return Reply(title, tone=Tone.WARN if going_on else Tone.NEUTRAL, tables=(Table(columns, rows),), data=data)
