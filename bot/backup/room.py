"""Where backups are kept, what crashes left there, and whether there is room for another. Touches no whole backup."""

from __future__ import annotations

import os
from pathlib import Path

from bot.backup import swap
from bot.backup.manifest import SYSTEM, Manifest
from bot.backup.shelf import Shelf
from bot.config import Settings
from bot.errors import Conflict, OutsideError
from bot.figures import Figures

# What is written besides, and what the file system itself needs.
_SLACK, _SHARE = 16 << 20, 1.02
# Of uploads that a backup before has, so much may have changed since: nobody has looked.
_CHANGED = 0.02


def directory_of(settings: Settings) -> Path:
    """The directory of the settings."""
    if settings.vcc_backup_dir is None:
        raise OutsideError("error.not_configured", system=SYSTEM, setting="VCC_BACKUP_DIR")
    return settings.vcc_backup_dir


def ready(shelf: Shelf) -> None:
    """Take away what crashes left. Conflict when the directory is not there: nothing makes it, as it may be a mount that is missing."""
    if not shelf.directory.is_dir():
        raise Conflict("backup.no_place", path=str(shelf.directory))
    if not os.access(shelf.directory, os.R_OK | os.W_OK | os.X_OK):
        raise Conflict("backup.not_writable", path=str(shelf.directory))
    shelf.sweep()
    swap.finish(shelf.directory)


def needed(database: int, uploads: int, uploads_before: int) -> int:
    """About so many bytes. Of uploads only what is new takes room: ``uploads_before`` is what the last backup has of them."""
    new = max(0, uploads - uploads_before) + int(_CHANGED * min(uploads, uploads_before))
    return int((database + new) * _SHARE) + _SLACK


def like(manifest: Manifest) -> int:
    """What another one like this would need."""
    database, uploads = manifest.database.bytes if manifest.database else 0, manifest.uploads
    if uploads is None:
        return needed(database, 0, 0)
    first = uploads.new_files == uploads.files
    return needed(database, uploads.bytes, uploads.bytes) + (0 if first else uploads.new_bytes)


def free(directory: Path) -> int:
    """Bytes that may still be written there. OutsideError when it cannot be looked at."""
    try:
        figures = os.statvfs(directory)
    except OSError as error:
        raise OutsideError("backup.no_directory", system=SYSTEM, detail=repr(error), path=str(directory)) from error
    return figures.f_bavail * figures.f_frsize


def refuse_without(directory: Path, bytes_needed: int, settings: Settings) -> None:
    """Conflict, with both figures, when there is not so much room."""
    there = free(directory)
    if there < bytes_needed:
        size = Figures(settings.vcc_lang, settings.vcc_tz).size
        raise Conflict("backup.no_room", needed=size(bytes_needed), free=size(there), path=str(directory))
