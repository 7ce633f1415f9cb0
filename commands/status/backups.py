"""What ``status`` says of the backups: how old the last good and the last restorable one are, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.backup.glance import Glance, finished_at, look, problems
from bot.backup.room import directory_of
from bot.context import Context
from bot.errors import VccError
from bot.figures import Figures
from bot.ops.overview import DEADLINE, probe
from bot.ops.verdict import Problem


async def look_at_backups(ctx: Context) -> Glance | VccError:
    """The shelf, or why it cannot be seen."""
    return await probe("backup", lambda: ctx.ops.shelf_threads.run(look, directory_of(ctx.settings)), DEADLINE)


def judged(ctx: Context, found: Glance | VccError, now: float) -> tuple[Problem, ...]:
    """What is wrong with them."""
    return problems(found, now, ctx.settings.vcc_backup_max_age_hours, twice=bool(ctx.settings.vcc_backup_s3_url))


def worst_first(*found: Sequence[Problem]) -> tuple[Problem, ...]:
    """All problems in one line."""
    return tuple(sorted((problem for each in found for problem in each), key=lambda problem: -problem.severity))


def told(ctx: Context, figures: Figures, found: Glance | VccError, now: float) -> str:
    """Both ages, short."""
    if isinstance(found, VccError):
        return ctx.words("status.unknown")
    if found.good is None:
        return ctx.words("status.backup_none")
    restorable = finished_at(found.restorable)
    shown = ctx.words("status.backup_never") if restorable is None else figures.since(restorable, now)
    return ctx.words("status.backup", good=figures.since(finished_at(found.good), now), restorable=shown)


def raw_backups(found: Glance | VccError, now: float) -> dict[str, Any] | None:
    """The same raw; null when the shelf cannot be seen."""
    if isinstance(found, VccError):
        return None
    good, restorable = finished_at(found.good), finished_at(found.restorable)
    return {
        "count": found.backups,
        "last_good": found.good.id if found.good else None,
        "last_good_at": good,
        "last_good_age_s": None if good is None else now - good,
        "last_restorable": found.restorable.id if found.restorable else None,
        "last_restorable_at": restorable,
        "last_restorable_age_s": None if restorable is None else now - restorable,
        "free_bytes": found.free_bytes,
        "next_needs_bytes": found.needed_bytes,
    }
