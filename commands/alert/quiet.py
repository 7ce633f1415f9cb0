"""``alert mute`` and ``alert unmute``: nothing is said of one thing, or of a whole rule, for a while; its end is said by itself."""

from __future__ import annotations

from typing import Annotated

from bot.alert_telling import AlertTelling
from bot.alerts import Mute
from bot.command import Between, Duration
from bot.context import Context
from bot.errors import Conflict, Usage
from bot.line import closest
from bot.model import Button, Reply, Risk, Tone
from commands.alert.group import alert_of, group

_LONGEST = 7 * 86_400.0


@group.command("mute", Risk.CHANGE, timeout=10, examples=("alert mute 7", "alert mute 7 --for 2h", "alert mute disk --for 1d"))
async def mute(ctx: Context, what: str, *, for_: Annotated[Duration, Between(60, _LONGEST)] = Duration(3_600)) -> Reply:
    """The alert of this number and what it is about, or a rule as a whole."""
    rule, subject, number = await _scope(ctx, what)
    made = await ctx.services.alerts.mute(rule, subject, ctx.person.name, ctx.clock() + for_, number)
    telling, typed = _telling(ctx), f"alert unmute {number or rule}"
    return Reply(
        ctx.words("alert.muted", scope=telling.scope(made), until=telling.figures.moment(made.until)),
        ctx.words("alert.muted_text"),
        tone=Tone.WARN,
        buttons=(Button(ctx.words("alerts.button.unmute"), typed),),
        data={"mute": made.id, "rule": rule, "subject": subject or None, "until": made.until},
    )


@group.command("unmute", Risk.CHANGE, timeout=10, examples=("alert unmute 7", "alert unmute disk"))
async def unmute(ctx: Context, what: str) -> Reply:
    """End what keeps this alert, or this rule, quiet."""
    found = await _found(ctx, what)
    for each in found:
        await ctx.services.alerts.unmute(each.id, ctx.person.name)
    scope = ", ".join(map(_telling(ctx).scope, found))
    return Reply(ctx.words("alert.unmuted", scope=scope), tone=Tone.GOOD, data={"mutes": [each.id for each in found]})


def _telling(ctx: Context) -> AlertTelling:
    return AlertTelling(ctx.words, ctx.settings.vcc_tz)


async def _scope(ctx: Context, what: str) -> tuple[str, str, int]:
    """(rule, subject, alert): a number, or the name of a rule."""
    word = what.lower().removeprefix("#")
    if word.isdecimal():
        alert = await alert_of(ctx, int(word[:12]))
        if not alert.is_open:
            raise Conflict("alerts.is_closed", number=alert.id)
        return alert.rule, alert.subject, alert.id
    names = {rule.name for rule in await ctx.services.rules.rules()}
    if word not in names:
        raise Usage("alert.unknown_rule", word=what, near=closest(word, names) or "/vcc alert rules")
    return word, "", 0


async def _found(ctx: Context, what: str) -> list[Mute]:
    word, mutes = what.lower().removeprefix("#"), await ctx.services.alerts.mutes()
    if word.isdecimal():
        alert = await alert_of(ctx, int(word[:12]))
        found = [each for each in mutes if each.covers(alert)]
    else:
        found = [each for each in mutes if each.rule == word]
    if not found:
        raise Conflict("alert.not_muted", word=what)
    return found
