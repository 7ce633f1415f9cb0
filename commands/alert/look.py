"""``alert list`` and ``alert rules``: what goes on, is kept quiet, waits to be delivered; and from when on something is an alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from bot.alert_rules import Rule
from bot.alert_telling import AlertTelling
from bot.alerts import Alert, AlertState, Mute, Severity
from bot.command import Between, Duration
from bot.context import Context
from bot.figures import NONE
from bot.model import Button, Reply, Risk, Table, Tone
from commands.alert.group import group

_SHOWN, _BUTTONS = 20, 5
_DAY = 86_400.0
_SIGNS = {Severity.CRITICAL: "✘", Severity.WARNING: "!"}


@group.command("list", Risk.READ, timeout=10, examples=("alert", "alert list --since 24h"))
async def listing(ctx: Context, *, since: Annotated[Duration | None, Between(60, 400 * _DAY)] = None) -> Reply:
    """What goes on now; with a period, what was open in it too."""
    book, page = ctx.services.alerts, _Page(ctx)
    going_on = await book.open()
    found = going_on if since is None else tuple(reversed(await book.since(ctx.clock() - since)))
    mutes, windows, outbox = await book.mutes(), await book.windows(), await ctx.services.outbox_state()
    fields = (
        ("windows", [page.telling.window(each).title for each in windows]),
        ("mutes", [page.telling.muted(each) for each in mutes]),
        ("outbox", [told for row in outbox if (told := page.waiting(*row))]),
    )
    return Reply(
        title=page.title(going_on),
        text="" if found else ctx.words("alert.none_text"),
        tone=page.tone(going_on),
        fields=tuple((ctx.words(f"alert.field.{name}"), "\n".join(lines)) for name, lines in fields if lines),
        tables=(page.table(found[:_SHOWN]),) if found else (),
        buttons=page.buttons(going_on),
        footer="\n".join(part for part in (page.more(found), await ctx.services.rules.fault()) if part),
        data={
            "open": len(going_on),
            "alerts": [raw(each) for each in found[:_SHOWN]],
            "mutes": [_raw_mute(each) for each in mutes],
            "maintenance": [each.raw for each in windows],
            "outbox": [{"platform": name, "waiting": waiting, "given_up": dead, "next_at": at} for name, waiting, dead, at in outbox],
        },
    )


@group.command("rules", Risk.READ, timeout=10, examples=("alert rules",))
async def rules(ctx: Context) -> Reply:
    """Every rule in force: from when on it is bad, for how long, how bad."""
    page, found = _Page(ctx), await ctx.services.rules.rules()
    fault = await ctx.services.rules.fault()
    columns = tuple(ctx.words(f"alert.column.{name}") for name in ("rule", "title", "limit", "for", "severity"))
    return Reply(
        title=ctx.words("alert.rules_title", count=len(found)),
        text=fault,
        tone=Tone.BAD if fault else Tone.NEUTRAL,
        tables=(Table(columns, tuple(page.rule(each) for each in found)),) if found else (),
        footer=ctx.words("alert.rules_footer"),
        data=[each.model_dump(mode="json", by_alias=True, exclude={"channel"}) for each in found],
    )


class _Page:
    """Says how alerts stand, in few words."""

    def __init__(self, ctx: Context) -> None:
        self._words = ctx.words
        self._now = ctx.clock()
        self.telling = AlertTelling(ctx.words, ctx.settings.vcc_tz)

    def title(self, going_on: Sequence[Alert]) -> str:
        critical = sum(each.severity is Severity.CRITICAL for each in going_on)
        if not going_on:
            return self._words("alert.none")
        return self._words("alert.title_critical" if critical else "alert.title", count=len(going_on), critical=critical)

    @staticmethod
    def tone(going_on: Sequence[Alert]) -> Tone:
        if not going_on:
            return Tone.GOOD
        return Tone.BAD if any(each.severity is Severity.CRITICAL for each in going_on) else Tone.WARN

    def table(self, found: Sequence[Alert]) -> Table:
        names = ("number", "about", "since", "state")
        return Table(tuple(self._words(f"alert.column.{name}") for name in names), tuple(map(self._row, found)))

    def _row(self, alert: Alert) -> tuple[str, ...]:
        value = self.telling.value(alert)
        sign = _SIGNS[alert.severity] if alert.is_open else "✔"
        about = f"{sign} {self.telling.name(alert)}" + (f" {value}" if value else "")
        return (f"#{alert.id}", about, self.telling.figures.since(alert.opened_at, self._now), self._state(alert))

    def _state(self, alert: Alert) -> str:
        if alert.is_open and alert.announced_at is None:
            return self._words("alert.state.quiet")
        if alert.state is AlertState.ACKNOWLEDGED:
            return self._words("alert.state.acknowledged", person=alert.acknowledged_by)
        if alert.incident is not None:
            return self._words("alerts.incident", number=alert.incident)
        return self._words(f"alert.state.{alert.state.value}", at=self.telling.figures.moment(alert.closed_at))

    def buttons(self, going_on: Sequence[Alert]) -> tuple[Button, ...]:
        """To acknowledge the worst."""
        waiting = [each for each in going_on if each.state is AlertState.OPEN][:_BUTTONS]
        return tuple(Button(self._words("alert.ack_button", number=each.id), f"alert ack {each.id}") for each in waiting)

    def more(self, found: Sequence[Alert]) -> str:
        return self._words("alert.more", shown=_SHOWN, count=len(found)) if len(found) > _SHOWN else ""

    def waiting(self, platform: str, count: int, given_up: int, next_at: float) -> str:
        """How deliveries stand: ``3 waiting, slack until 11:41``; nothing of what is just being delivered."""
        told = self._words("alert.waiting", platform=platform, count=count, at=self.telling.figures.clock(next_at, self._now))
        dead = self._words("alert.given_up", platform=platform, count=given_up)
        return " · ".join(part for part, there in ((told, count and next_at > self._now), (dead, given_up)) if there)

    def rule(self, rule: Rule) -> tuple[str, ...]:
        limit = self.telling.figure(rule.unit, rule.limit)
        sign = "≥" if rule.above is not None else "≤"
        span = self.telling.figures.duration(rule.for_) if rule.for_ else NONE
        severity = self._words(f"alerts.severity.{rule.severity.value}")
        return (
            rule.name,
            rule.title.of(self._words.language),
            f"{sign} {limit}" if limit else self._words("alert.when_bad"),
            span,
            severity,
        )


def raw(alert: Alert) -> dict[str, Any]:
    """An alert for programs."""
    return {
        "id": alert.id,
        "rule": alert.rule,
        "subject": alert.subject,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "title": alert.title,
        "text": alert.text,
        "value": alert.value,
        "unit": alert.unit,
        "opened_at": alert.opened_at,
        "closed_at": alert.closed_at,
        "repeats": alert.count,
        "acknowledged_by": alert.acknowledged_by or None,
        "acknowledged_at": alert.acknowledged_at,
        "incident": alert.incident,
        "flapping": alert.flapping,
        "folded": alert.folded,
        "announced": alert.announced_at is not None,
    }


def _raw_mute(mute: Mute) -> dict[str, Any]:
    return {"id": mute.id, "rule": mute.rule, "subject": mute.subject or None, "by": mute.person, "until": mute.until}
