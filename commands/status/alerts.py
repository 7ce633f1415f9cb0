"""What ``status`` says of the alerts that are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.alert_telling import AlertTelling
from bot.alerts import Alert, Severity
from bot.context import Context
from bot.errors import VccError

_SHOWN = 3


def told_alerts(ctx: Context, alerts: Sequence[Alert] | VccError) -> tuple[tuple[str, str], ...]:
    """A field that names the worst; none while all is quiet."""
    if isinstance(alerts, VccError) or not alerts:
        return ()
    telling = AlertTelling(ctx.words, ctx.settings.vcc_tz)
    named = " · ".join(f"#{each.id} {telling.name(each)}" for each in alerts[:_SHOWN])
    more = f" (+{len(alerts) - _SHOWN})" if len(alerts) > _SHOWN else ""
    return ((ctx.words("status.field.alerts"), f"{named}{more}"),)


def raw_alerts(alerts: Sequence[Alert] | VccError) -> dict[str, Any] | None:
    """The same raw; null when it is not known."""
    if isinstance(alerts, VccError):
        return None
    return {
        "open": [each.id for each in alerts],
        "critical": sum(each.severity is Severity.CRITICAL for each in alerts),
        "unacknowledged": sum(not each.acknowledged_by for each in alerts),
    }
