"""``alert ack`` and ``alert test``: somebody is at it; and an alert about nothing, to see that alerts arrive."""

from __future__ import annotations

from typing import Annotated

from bot.alert_telling import AlertTelling
from bot.command import Between
from bot.context import Context
from bot.model import Reply, Risk, Tone
from commands.alert.group import group

Number = Annotated[int, Between(1, 10**12)]


@group.command("ack", Risk.CHANGE, timeout=10, examples=("alert ack 7",))
async def ack(ctx: Context, alert: Number) -> Reply:
    """It stands in the alert's own message from then on; nobody is called any more, and nothing is said again."""
    found = await ctx.services.alerts.acknowledge(alert, ctx.person.name)
    telling = AlertTelling(ctx.words, ctx.settings.vcc_tz)
    return Reply(
        ctx.words("alert.acknowledged", number=found.id, person=ctx.person.name),
        telling.name(found),
        tone=Tone.GOOD,
        data={"alert": found.id, "state": found.state.value, "acknowledged_by": found.acknowledged_by},
    )


@group.command("test", Risk.CHANGE, timeout=10, examples=("alert test",))
async def test(ctx: Context) -> Reply:
    """Told where alerts are told, as any other; over by itself half a minute later."""
    made = await ctx.services.alerts.test(ctx.words("alert.test_title"), ctx.person.name)
    if made.announced_at is None:
        return Reply(ctx.words("alert.test_quiet", number=made.id), tone=Tone.WARN, data={"alert": made.id, "announced": False})
    sent = {"alert": made.id, "announced": True}
    return Reply(ctx.words("alert.test_sent", number=made.id), ctx.words("alert.test_text"), tone=Tone.GOOD, data=sent)
