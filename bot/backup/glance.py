"""The shelf at one glance: the newest good and the newest restorable backup, how old they are, and what is wrong with that. Asks nobody."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.backup import room
from bot.backup.manifest import SYSTEM, Manifest
from bot.backup.prune import is_good
from bot.backup.shelf import Backup, Shelf
from bot.errors import OutsideError, VccError
from bot.ops.verdict import Problem, Severity

HOUR = 3_600.0
# How often a backup is drilled: so much longer than the last good one may the last restorable one be ago.
_BETWEEN_DRILLS = 7 * 24 * HOUR
# The newest is compared with the middle one of so many before it.
_BEFORE = 5
_SUDDENLY = 0.7


@dataclass(frozen=True, slots=True)
class Glance:
    """``good`` and ``restorable`` are the newest such, ``sent`` the newest good one that reached a second place; ``good_since`` is when
    the oldest good one was made. ``since`` is when the directory last changed: without any backup, since when there could have been one.
    ``dropped`` names what there is suddenly less of, with (now, before)."""

    backups: int
    good: Backup | None
    restorable: Backup | None
    newest: Backup | None
    since: float
    free_bytes: int
    needed_bytes: int
    dropped: tuple[tuple[str, int, int], ...] = ()
    good_since: float | None = None
    sent: Backup | None = None


def look(directory: Path) -> Glance:
    """Read the manifests. OutsideError when the directory cannot be read. Blocks."""
    backups = Shelf(directory).backups()
    good = [each for each in backups if is_good(each)]
    try:
        since = directory.stat().st_mtime
    except OSError as error:
        raise OutsideError("backup.no_directory", system=SYSTEM, detail=repr(error), path=str(directory)) from error
    manifest = good[0].manifest if good else None
    return Glance(
        backups=len(backups),
        good=next(iter(good), None),
        restorable=next((each for each in good if each.proof.restorable_at is not None), None),
        newest=next(iter(backups), None),
        since=since,
        free_bytes=room.free(directory),
        needed_bytes=room.like(manifest) if manifest else 0,
        dropped=tuple(dropped([each.manifest for each in good if each.manifest is not None])),
        good_since=finished_at(good[-1]) if good else None,
        sent=next((each for each in good if each.proof.remote_at is not None), None),
    )


def dropped(manifests: Sequence[Manifest]) -> Iterator[tuple[str, int, int]]:
    """What the newest has far less of than those before it had, as a rule: (what, now, before)."""
    for name in ("documents", "files", "database_bytes", "uploads_bytes"):
        told = [value for each in manifests[: _BEFORE + 1] if (value := _figure(each, name)) is not None]
        if len(told) > 1 and told[0] < _SUDDENLY * (before := statistics.median_low(told[1:])):
            yield name, told[0], before


def _figure(manifest: Manifest, name: str) -> int | None:
    database, uploads = manifest.database, manifest.uploads
    if name in ("documents", "database_bytes"):
        return None if database is None else database.documents if name == "documents" else database.bytes
    return None if uploads is None else uploads.files if name == "files" else uploads.bytes


def finished_at(backup: Backup | None) -> float | None:
    """When it was made."""
    return backup.manifest.finished_at if backup is not None and backup.manifest is not None else None


def problems(found: Glance | VccError, now: float, max_age_hours: float, *, twice: bool = False) -> tuple[Problem, ...]:
    """What is wrong with the backups, as ``status`` tells it. ``twice``: there is a second place for them."""
    if isinstance(found, VccError):
        name = "unset" if found.key == "error.not_configured" else "down"
        return (Problem(Severity.WARN, SYSTEM, name, {"part": SYSTEM, "error": found}),)
    longest = max_age_hours * HOUR
    return (*_problems(found, now, longest), *(_only_here(found, now, longest) if twice else ()))


def _problems(found: Glance, now: float, longest: float) -> Iterator[Problem]:
    good_at = finished_at(found.good)
    waited = now - (found.since if good_at is None else good_at)
    if waited > longest:
        name = "backup_none" if good_at is None else "backup_old"
        yield Problem(Severity.WARN, SYSTEM, name, {"waited": waited})
    proven_at = finished_at(found.restorable) or found.good_since
    if proven_at is not None and now - proven_at > longest + _BETWEEN_DRILLS:
        yield Problem(Severity.WARN, SYSTEM, "backup_undrilled", {"waited": now - proven_at})
    if found.newest is not None and found.newest is not found.good and not is_good(found.newest):
        yield Problem(Severity.WARN, SYSTEM, "backup_bad", {"id": found.newest.id})
    for what, less, before in found.dropped:
        unit = "_bytes" if what.endswith("_bytes") else ""
        yield Problem(Severity.WARN, SYSTEM, f"backup_less_{what}", {f"less{unit}": less, f"before{unit}": before})
    if found.free_bytes < found.needed_bytes:
        yield Problem(Severity.WARN, SYSTEM, "backup_no_room", {"free": found.free_bytes, "needed": found.needed_bytes})


def _only_here(found: Glance, now: float, longest: float) -> Iterator[Problem]:
    """A good backup that never left this machine is lost with it."""
    sent_at = finished_at(found.sent) or found.good_since
    if sent_at is not None and now - sent_at > longest:
        yield Problem(Severity.WARN, SYSTEM, "backup_only_here", {"waited": now - sent_at})
