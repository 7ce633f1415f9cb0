"""``oncall``: who is called when something is wrong, changing that for a while, calling them, and answering a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from bot.command import Between, Duration, Group, Rest
from bot.context import Context
from bot.errors import Usage
from bot.figures import NONE, Figures
from bot.line import closest
from bot.model import Account, Reply, Risk, Role, Table, Tone
from bot.oncall import Contact, OnCallState, Shift
from bot.plain_text import harmless

group = Group("oncall", default="show")
_LONGEST = 60 * 86_400
_MESSAGE = 400
_ME = frozenset({"me", "나"})
_PLATFORMS = frozenset({"slack", "discord", "local"})


@group.command("show", Risk.READ, timeout=10, examples=("oncall", "oncall show"))
async def show(ctx: Context) -> Reply:
    """Who is on call now, until when, who is next, and how each is reached."""
    words, state = ctx.words, await ctx.services.oncall.state()
    shift = state.now
    columns = tuple(words(f"oncall.column.{name}") for name in ("name", "accounts", "mail", "phone"))
    rows = tuple(_row(each) for each in _everybody(state))
    notes = [words("oncall.stand_ins")] if not state.planned else []
    return Reply(
        words("oncall.now", name=shift.contact.name) if shift is not None else words("oncall.nobody_now"),
        "\n".join([*_lines(ctx, state), *notes, *([state.fault] if state.fault else [])]),
        tone=Tone.WARN if shift is None or state.fault else Tone.NEUTRAL,
        tables=(Table(columns, rows),) if rows else (),
        data=_data(state),
    )


def _everybody(state: OnCallState) -> tuple[Contact, ...]:
    """The one on call, then who is called after that, then all others."""
    first = state.roster.line_up(state.now.contact) if state.now is not None else ()
    return tuple({each.name: each for each in (*first, *state.roster.contacts)}.values())


def _row(contact: Contact) -> tuple[str, ...]:
    return (contact.name, " ".join(map(str, contact.accounts)) or NONE, contact.mail or NONE, contact.phone or NONE)


def _lines(ctx: Context, state: OnCallState) -> list[str]:
    words, figures = ctx.words, Figures(ctx.words.language, ctx.settings.vcc_tz)
    if state.now is None:
        return [words("oncall.nobody")]
    lines = [words("oncall.until", at=figures.moment(state.now.until))] if state.now.until is not None else []
    if state.now.set_by:
        lines.append(words("oncall.set_by", person=state.now.set_by))
    if state.following is not None:
        lines.append(words("oncall.following", name=state.following.name))
    line_up = state.roster.line_up(state.now.contact)
    if len(line_up) > 1:
        names = " → ".join(each.name for each in line_up)
        lines.append(words("oncall.order", names=names, wait=figures.duration(state.roster.escalate_after)))
    return lines


def _data(state: OnCallState) -> dict[str, object]:
    shift = state.now
    return {
        "on_call": shift.contact.name if shift is not None else None,
        "until": shift.until if shift is not None else None,
        "set_by": shift.set_by or None if shift is not None else None,
        "next": state.following.name if state.following is not None else None,
        "order": [each.name for each in state.roster.line_up(shift.contact)] if shift is not None else [],
        "escalate_after": state.roster.escalate_after,
        "contacts": [
            {"name": each.name, "accounts": [str(account) for account in each.accounts], "mail": each.mail, "phone": each.phone}
            for each in state.roster.contacts
        ],
    }


@group.command("set", Risk.CHANGE, timeout=10, examples=("oncall set ada", "oncall set ada --for 12h"), locks=lambda **_: ("oncall",))
async def put(ctx: Context, who: str, *, for_: Annotated[Duration | None, Between(300, _LONGEST)] = None) -> Reply:
    """Somebody is on call from now on, which is announced."""
    state = await ctx.services.oncall.state()
    contact = await _found(ctx, state, who)
    until = None if for_ is None else ctx.clock() + for_
    shift = await ctx.services.oncall.put(contact, ctx.person.name, until)
    return Reply(ctx.words("oncall.now", name=shift.contact.name), _until(ctx, shift), tone=Tone.GOOD, data=_shift(shift))


def _until(ctx: Context, shift: Shift) -> str:
    figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
    return ctx.words("oncall.until", at=figures.moment(shift.until)) if shift.until is not None else ctx.words("oncall.until_changed")


def _shift(shift: Shift) -> dict[str, object]:
    return {"on_call": shift.contact.name, "until": shift.until, "set_by": shift.set_by or None}


async def _found(ctx: Context, state: OnCallState, who: str) -> Contact:
    """A contact by name, by an account, or ``me``; somebody the settings know by an account. Usage with the nearest name."""
    named = state.roster.named(who)
    account = ctx.invocation.account if who.lower() in _ME else _account(ctx, who)
    if named is not None or account is None:
        return named or _unknown(state, who)
    person = await ctx.services.gate.person_of(account)
    contact = next((each for each in state.roster.contacts if person.accounts.intersection(each.accounts)), None)
    if contact is None and person.role >= Role.VIEWER:
        contact = Contact(person.name, tuple(sorted(person.accounts, key=str)))
    return contact or _unknown(state, who)


def _account(ctx: Context, who: str) -> Account | None:
    """An account as it is written, or as chats write the mention of somebody."""
    written = f"{ctx.invocation.place.platform}:{who.lstrip('@!')}" if who.startswith("@") else who
    try:
        account = Account.parse(written)
    except ValueError:
        return None
    return account if account.platform in _PLATFORMS else None


def _unknown(state: OnCallState, who: str) -> Contact:
    names: Iterable[str] = [each.name for each in state.roster.contacts]
    near = closest(who, names) or " · ".join(names) or NONE
    raise Usage("oncall.unknown", name=harmless(who, limit=60, newlines=False), near=near)


@group.command("page", Risk.CHANGE, timeout=10, examples=("oncall page the site is down, please call me",))
async def page(ctx: Context, message: Rest) -> Reply:
    """Call whoever is on call; without an answer the next one is called."""
    text = harmless(message, limit=_MESSAGE, newlines=False)
    paged = await ctx.services.oncall.page(text, ctx.person.name)
    title = ctx.words("oncall.paged", name=paged.called, number=paged.id)
    return Reply(title, ctx.words("oncall.paged_text"), tone=Tone.GOOD, data={"page": paged.id, "called": paged.called})


@group.command("ack", Risk.CHANGE, timeout=10, examples=("oncall ack 3",), locks=lambda number, **_: (f"page:{number}",))
async def ack(ctx: Context, number: int) -> Reply:
    """Say that one is at it; nobody else is called then."""
    answered = await ctx.services.oncall.acknowledge(number, ctx.person.name)
    title = ctx.words("oncall.acknowledged", number=answered.id, person=ctx.person.name)
    return Reply(title, tone=Tone.GOOD, data={"page": answered.id, "acknowledged_by": answered.acknowledged_by})
