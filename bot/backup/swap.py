"""Puts a backup in the place of a damaged one of the same name. A crash in between leaves one of the two there. Blocks.

Knows nothing of what makes one damaged.
"""

from __future__ import annotations

from pathlib import Path

from bot.ops.dump_faults import writing
from bot.ops.folder_sync import sync_folder
from bot.ops.snapshot_remove import DELETING, finish_removals

_ASIDE = ".replaced-"


def put(arrived: Path, directory: Path) -> None:
    """What stands at ``arrived`` gets its place in ``directory``; what had its name there is removed, once it has."""
    place = directory / arrived.name
    try:
        with writing():
            if place.exists():
                place.rename(directory / f"{_ASIDE}{arrived.name}")
            arrived.rename(place)
            sync_folder(directory)
    finally:
        finish(directory)


def finish(directory: Path) -> None:
    """What was put aside goes when its place is taken, and else comes back. What was being removed goes too."""
    for aside in sorted(directory.glob(f"{_ASIDE}*")):
        name = aside.name.removeprefix(_ASIDE)
        with writing():
            aside.rename(directory / f"{DELETING}{name}" if (directory / name).exists() else directory / name)
            sync_folder(directory)
    finish_removals(directory)
