"""What ``status`` says of the incidents that go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.context import Context
from bot.errors import VccError
from bot.incidents import Incident


def told_incidents(ctx: Context, incidents: Sequence[Incident] | VccError) -> tuple[tuple[str, str], ...]:
    """A field that names them; none while there is none."""
    if isinstance(incidents, VccError) or not incidents:
        return ()
    return ((ctx.words("status.field.incidents"), " · ".join(f"#{each.number} {each.title}" for each in incidents)),)


def raw_incidents(incidents: Sequence[Incident] | VccError) -> list[dict[str, Any]] | None:
    """The same raw; null when it is not known."""
    if isinstance(incidents, VccError):
        return None
    return [
        {"number": each.number, "kind": each.kind, "title": each.title, "lead": each.lead, "opened_at": each.opened_at}
        for each in incidents
    ]
