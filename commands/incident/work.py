"""What is done while an incident goes on: ``step``, ``note``, ``assign``, ``followup``."""

from __future__ import annotations

from typing import Annotated, Literal

from bot.command import Between, Rest
from bot.context import Context
from bot.errors import Usage
from bot.incidents import Action, Entry, Step, StepState, What
from bot.line import closest
from bot.model import Account, Reply, Risk, Role, Tone
from bot.plain_text import harmless
from commands.incident.group import group, incident_of, page_of

_NOTE = 1_000
Number = Annotated[int | None, Between(1, 10**12)]
_TO = {"done": StepState.DONE, "skip": StepState.SKIPPED, "undo": StepState.OPEN}


@group.command("step", Risk.CHANGE, examples=("incident step 2 done", "incident step 3 skip 재시작 필요 없음", "incident step 2 undo"))
async def step(
    ctx: Context,
    number: Annotated[int, Between(1, 99)],
    to: Literal["done", "skip", "undo"] = "done",
    note: Rest = Rest(""),
    *,
    incident: Number = None,
) -> Reply:
    """A step was taken, is not needed, or is open again after all."""
    found = await incident_of(ctx, incident)
    before = found.step(number)
    if before is None:
        raise Usage("incident.no_step", number=found.number, step=number)
    said = harmless(note, limit=_NOTE, newlines=False)
    changed = await ctx.services.incidents.set_step(found.number, Step(number, before.text, _TO[to], ctx.person.name, ctx.clock(), said))
    page = page_of(ctx)
    title = ctx.words(f"incident.entry.step_{_TO[to]}", step=page.named(before))
    following = changed.open_steps[:1]
    text = ctx.words("incident.next", step=page.named(following[0])) if following else ctx.words("incident.all_steps")
    return Reply(
        title, "\n".join(part for part in (said, text) if part), tone=Tone.GOOD, buttons=page.buttons(changed), data=page.raw(changed)
    )


@group.command("note", Risk.CHANGE, examples=("incident note 재시작 뒤에도 로그인 오류가 남음", "incident note seen at 14:03 --incident 3"))
async def note(ctx: Context, text: Rest, *, incident: Number = None) -> Reply:
    """Keep something in the timeline."""
    found = await incident_of(ctx, incident)
    said = harmless(text, limit=_NOTE).strip()
    if not said:
        raise Usage("incident.empty")
    entry = Entry(ctx.clock(), What.NOTE, said, ctx.person.name, ctx.invocation.reference)
    await ctx.services.incidents.add(found.number, entry, ctx.invocation.place)
    return Reply(ctx.words("incident.noted", number=found.number), said, data={"incident": found.number})


@group.command("assign", Risk.CHANGE, examples=("incident assign ada", "incident assign me", "incident assign slack:U0123 --incident 3"))
async def assign(ctx: Context, who: str, *, incident: Number = None) -> Reply:
    """Name who leads."""
    found = await incident_of(ctx, incident)
    lead = await named(ctx, who)
    changed = await ctx.services.incidents.assign(found.number, lead, ctx.person.name)
    return Reply(ctx.words("incident.assigned", person=lead, number=found.number), tone=Tone.GOOD, data=page_of(ctx).raw(changed))


@group.command("followup", Risk.CHANGE, examples=("incident followup 디스크 알림 기준 조정 --owner ada",))
async def followup(ctx: Context, text: Rest, *, owner: str = "", incident: Number = None) -> Reply:
    """Something to do afterwards, and whose it is."""
    found = await incident_of(ctx, incident)
    said = harmless(text, limit=_NOTE, newlines=False).strip()
    if not said:
        raise Usage("incident.empty")
    whose = await named(ctx, owner) if owner else ""
    changed = await ctx.services.incidents.act_later(found.number, Action(ctx.clock(), said, whose, ctx.person.name))
    shown = ctx.words("incident.owner", person=whose) if whose else ctx.words("incident.nobody")
    return Reply(ctx.words("incident.later", number=found.number), f"{said} — {shown}", data=page_of(ctx).raw(changed))


async def named(ctx: Context, who: str) -> str:
    """The name of a person who may work on incidents: ``me``, an account, or a name the settings give. Usage with the nearest."""
    word = who.strip().removeprefix("@")
    if word.lower() in ("me", "나"):
        return ctx.person.name
    if ":" in word:
        try:
            person = await ctx.services.gate.person_of(Account.parse(word))
        except ValueError as error:
            raise Usage("incident.unknown_person", who=who, near="-") from error
        if person.role >= Role.OPERATOR:
            return person.name
    known = ctx.services.gate.who(Role.OPERATOR).split(", ")
    if word in known:
        return word
    raise Usage("incident.unknown_person", who=who, near=closest(word, known) or " · ".join(known))
