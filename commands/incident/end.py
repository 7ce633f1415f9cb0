"""How an incident ends and what is left of it: ``resolve``, ``report``, and ``notice`` for the users."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from bot.command import Between, Rest
from bot.context import Context
from bot.errors import Conflict, OutsideError
from bot.incidents import Incident, Report
from bot.model import Reply, Risk, Tone
from bot.plain_text import harmless
from bot.security.isolation import Isolations
from commands.incident.group import figures_of, group, incident_of, page_of
from commands.incident.post_mortem import post_mortem

_SUMMARY = 1_000
Number = Annotated[int | None, Between(1, 10**12)]


@group.command(
    "resolve", Risk.CHANGE, timeout=120, examples=("incident resolve Redis 메모리 부족, 재시작으로 복구", "incident resolve --incident 3")
)
async def resolve(ctx: Context, summary: Rest = Rest(""), *, incident: Number = None) -> Reply:
    """End it; the post-mortem goes to its room and to where it was announced."""
    found = await incident_of(ctx, incident)
    if not found.is_open:
        raise Conflict("incident.over", number=found.number, person=found.resolved_by)
    said, now = harmless(summary, limit=_SUMMARY, newlines=False).strip(), ctx.clock()
    as_ended = replace(found, resolved_at=now, resolved_by=ctx.person.name, summary=said)
    told = await post_mortem(ctx, as_ended)
    over = await ctx.services.incidents.resolve(found, Report(ctx.person.name, now, said, told.files))
    page = page_of(ctx)
    left = _left(ctx, over)
    return Reply(
        title=ctx.words("incident.ended", title=page.title(over), lasted=figures_of(ctx).duration(over.lasts(now))),
        text="\n".join(left) or said,
        tone=Tone.WARN if left else Tone.GOOD,
        files=told.files,
        buttons=page.buttons(over),
        data={**page.raw(over), "figures": told.figures},
    )


def _left(ctx: Context, over: Incident) -> list[str]:
    """What is easily forgotten now: steps that nobody took, services that are cut off still."""
    steps = "\n".join(f"☐ {page_of(ctx).named(step)}" for step in over.open_steps)
    try:
        names = [each.service for each in Isolations(ctx.ops, ctx.settings.vcc_home).all() if each.incident == over.number]
    except OutsideError:  # a record that cannot be read: ``check setup`` says so, and the incident is over all the same
        names = []
    said = [ctx.words("incident.still_isolated", names=", ".join(names), name=names[0])] if names else []
    return [*said, *([ctx.words("incident.steps_left", steps=steps)] if steps else [])]


@group.command("report", Risk.READ, timeout=120, examples=("incident report", "incident report 3"))
async def report(ctx: Context, number: Number = None) -> Reply:
    """The post-mortem as it stands; also of an incident that is over."""
    found = await incident_of(ctx, number)
    told, page = await post_mortem(ctx, found), page_of(ctx)
    return Reply(page.title(found), files=told.files, footer=page.overview(found).footer, data={**page.raw(found), "figures": told.figures})


@group.command("notice", Risk.READ, examples=("incident notice", "incident notice 3"))
async def notice(ctx: Context, number: Number = None) -> Reply:
    """What users may be told, to be copied; the bot sends it to nobody."""
    found = await incident_of(ctx, number)
    draft, since = found.runbook.notice, figures_of(ctx).moment(found.opened_at)
    drafts = {language: _filled(draft.of(language), found.service or "VCC", since, found.title) for language in ("ko", "en")}
    return Reply(
        title=ctx.words("incident.drafted", number=found.number),
        code="\n\n".join(drafts.values()),
        footer=ctx.words("incident.drafted_how"),
        data={"incident": found.number, **drafts},
    )


def _filled(draft: str, service: str, since: str, title: str) -> str:
    return draft.replace("{service}", service).replace("{since}", since).replace("{title}", title)
