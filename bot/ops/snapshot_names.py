"""Names at the top of the uploads: what is left alone, and what a restore is called at each step. Touches no file."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

# What VCC's own backup and restore work in: never read, never touched. The others are ours, see ``phase_of``.
_TEMPORARY = frozenset({"backup-temp", "restore-temp"})
_BEGINNINGS = (".db-tmp-", "restore-")

Phase = Literal["building", "built", "moving_out", "moving_in", "done", "undoing", "returning", "undone", "settling"]

BUILDING = ".restoring-{}.part"
BUILT = ".restoring-{}"
LEAVING = ".before-restore-{}.part"
BEFORE = ".before-restore-{}"
UNDOING = ".undoing-{}"
RETURNING = ".returning-{}"
UNDONE = ".undone-{}"
DELETING = ".deleting-{}"
_OURS = re.compile(r"\.(?:restoring|before-restore|undoing|returning|undone|deleting)-([A-Za-z0-9_-]{1,64})(?:\.part)?")


def is_excluded(name: str) -> bool:
    """Whether a name at the top of the uploads is left alone."""
    return name in _TEMPORARY or name.startswith(_BEGINNINGS) or mark_of(name) != ""


def mark_of(name: str) -> str:
    """Whose restore a working directory belongs to; empty for everything else."""
    found = _OURS.fullmatch(name)
    return found[1] if found else ""


def is_mark(mark: str) -> bool:
    """Whether it can be part of such a name."""
    return mark_of(BUILT.format(mark)) == mark != ""


def phase_of(names: Collection[str], mark: str) -> Phase | None:
    """Where a restore stands, from the names there are. None when nothing of it is left.

    building, built: the live tree is untouched. moving_out, moving_in: old entries leave, then new ones come. done: the old ones
    are kept. undoing, returning: the new ones leave, then the old ones come back. undone: the new ones are kept. settling: what
    was kept is being deleted.
    """
    pairs: tuple[tuple[str, Phase], ...] = (
        (DELETING, "settling"),
        (RETURNING, "returning"),
        (UNDOING, "undoing"),
        (BUILDING, "building"),
        (LEAVING, "moving_out"),
        (BEFORE, "moving_in" if BUILT.format(mark) in names else "done"),
        (BUILT, "built"),
        (UNDONE, "undone"),
    )
    return next((phase for form, phase in pairs if form.format(mark) in names), None)
