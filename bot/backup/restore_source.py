"""What is restored from: a backup on the shelf, or a dump that mongodump wrote, lying below the backups' directory.

Reads; knows nothing of what it will replace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.backup.database_part import FOLDER
from bot.backup.manifest import SYSTEM
from bot.backup.shelf import MANIFEST, Backup, Shelf, is_id
from bot.backup.uploads_part import snapshot_in
from bot.errors import Conflict, NotFound, OutsideError, Usage
from bot.ops.dump_faults import reading
from bot.ops.dump_source import Source, open_dump
from bot.ops.tree_values import Snapshot

ALL, DATABASE, FILES = "all", "database", "files"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where data comes from, and what finds it again. ``backup`` is None for a dump by itself; ``stamp`` changes when what lies there does.

    ``only`` is the one collection that is wanted; empty: all of them.
    """

    wanted: str
    path: Path
    backup: Backup | None
    dump: Path | None
    snapshot: Snapshot | None
    stamp: str
    only: str = ""

    @property
    def id(self) -> str:
        """The backup's id, or how the dump's file is called."""
        return self.path.name

    def opened(self, live: str) -> Source:
        """The dump, of the database that is called as the ``live`` one where there are several. Blocks."""
        if self.dump is None:
            raise NotFound(SYSTEM, self.id)
        try:
            return open_dump(self.dump)
        except OutsideError as error:
            if error.key != "dump.several":
                raise
            return open_dump(self.dump, live)


def find(shelf: Shelf, wanted: str, only: str) -> Origin:
    """The backup of this id (the newest without one), or the dump at this path; Usage, NotFound or Conflict that says why it cannot be.

    Blocks.
    """
    if wanted and not is_id(wanted):
        return _of_path(shelf.directory, wanted, only)
    return _of_backup(shelf.get(wanted), only)


def _of_backup(backup: Backup, only: str) -> Origin:
    manifest = backup.manifest
    if manifest is None:
        raise backup.trouble or OutsideError("backup.no_manifest", system=SYSTEM, name=backup.id)
    if backup.proof.fault:
        raise Conflict("restore.damaged", id=backup.id)
    database, files = only != FILES and manifest.database is not None, only in (ALL, FILES) and manifest.uploads is not None
    if not (database or files) or (only not in (ALL, FILES) and not database):
        raise Conflict("restore.lacks", id=backup.id)
    dump = backup.path / FOLDER / manifest.database.name if database and manifest.database is not None else None
    with reading(backup.id):
        stamp = hashlib.sha256((backup.path / MANIFEST).read_bytes()).hexdigest()
    return Origin(backup.id, backup.path, backup, dump, snapshot_in(backup.path) if files else None, stamp, _collection(only))


def _of_path(directory: Path, wanted: str, only: str) -> Origin:
    path = _below(directory, wanted)
    if only == FILES:
        raise Usage("restore.no_files_there")
    with reading(path.name):
        stamp = hashlib.sha256("\n".join(_told(path)).encode("utf-8", "surrogateescape")).hexdigest()
    return Origin(wanted, path, None, path, None, stamp, _collection(only))


def _collection(only: str) -> str:
    return "" if only in (ALL, DATABASE, FILES) else only


def _below(directory: Path, text: str) -> Path:
    """The place inside the backups' directory, wherever links lead; Usage for any other, and for what the bot itself works in."""
    try:
        found, root = (directory / text).resolve(strict=True), directory.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise NotFound(SYSTEM, text[:200]) from error
    if not found.is_relative_to(root) or found == root or found.relative_to(root).parts[0].startswith("."):
        raise Usage("restore.outside", path=str(directory))
    return found


def _told(path: Path) -> Iterator[str]:
    """Every file's name, size and time: enough to see that somebody changed it between the card and the work."""
    for file in sorted([path, *path.rglob("*")] if path.is_dir() else [path]):
        status = file.lstat()
        yield f"{file.relative_to(path.parent)} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
