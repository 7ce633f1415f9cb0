"""Removes whole backups, and reckons what that frees where files are shared by hard links. Blocks: run it in a thread.

What is being removed is renamed first: a backup is either whole or none. Knows nothing of which may go.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import NotFound
from bot.ops.dump_faults import SYSTEM, writing
from bot.ops.tree_values import TreeFault, reading
from bot.ops.tree_walk import names_of, not_too_deep, open_below, open_root, status_of

DELETING = ".deleting-"
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Freed:
    """What removing would give back to the file system: files whose last name goes, and the bytes of their blocks."""

    files: int
    bytes: int


def freed_by_removing(folders: Sequence[Path]) -> Freed:
    """Count each file once, and only when all its names are in ``folders``; names elsewhere keep it."""
    files, size = 0, 0
    seen: dict[tuple[int, int], int] = {}
    for folder in folders:
        for status in _files(folder):
            key = (status.st_dev, status.st_ino)
            names = seen.get(key, 0) + 1
            if names < status.st_nlink:
                # One with more names than there are folders to go is shared with those that stay.
                if status.st_nlink <= len(folders):
                    seen[key] = names
                continue
            seen.pop(key, None)
            files += 1
            size += status.st_blocks * _BLOCK
    return Freed(files, size)


def remove(folder: Path, backups: Path) -> None:
    """Remove one backup that stands directly in ``backups``. Killed anywhere, ``finish_removals`` goes on."""
    if folder.parent != backups or not _is_plain(folder.name):
        raise TreeFault("snapshot.outside", str(folder))
    parent = _opened(backups)
    try:
        status = status_of(parent, folder.name)
        if status is None:
            raise NotFound(SYSTEM, folder.name)
        if not stat.S_ISDIR(status.st_mode):
            raise TreeFault("snapshot.outside", folder.name)
        with writing():
            os.rename(folder.name, DELETING + folder.name, src_dir_fd=parent, dst_dir_fd=parent)
            os.fsync(parent)
            _delete(parent, DELETING + folder.name)
    finally:
        os.close(parent)


def finish_removals(backups: Path) -> tuple[str, ...]:
    """Remove what was being removed when the program ended; the names of those backups."""
    parent = _opened(backups)
    try:
        with reading(backups.name):
            found = sorted(name for name in names_of(parent) if name.startswith(DELETING))
        with writing():
            for name in found:
                _delete(parent, name)
    finally:
        os.close(parent)
    return tuple(name.removeprefix(DELETING) for name in found)


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(".") and "/" not in name and "\0" not in name


def _opened(directory: Path) -> int:
    with reading(directory.name):
        return open_root(directory)


def _delete(parent: int, name: str) -> None:
    """Never through a link: the library works on open directories. A link itself is unlinked."""
    status = status_of(parent, name)
    if status is not None and not stat.S_ISDIR(status.st_mode):
        os.unlink(name, dir_fd=parent)
    elif status is not None:
        shutil.rmtree(name, dir_fd=parent)


def _files(folder: Path) -> Iterator[os.stat_result]:
    root = _opened(folder)
    try:
        yield from _files_in(root, folder.name, 0)
    finally:
        os.close(root)


def _files_in(directory: int, path: str, depth: int) -> Iterator[os.stat_result]:
    not_too_deep(depth, path)
    inner: list[str] = []
    with reading(path), os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inner.append(entry.name)
            else:
                yield entry.stat(follow_symlinks=False)
    for name in inner:
        opened = open_below(directory, name)
        if opened is not None:
            try:
                yield from _files_in(opened, f"{path}/{name}", depth + 1)
            finally:
                os.close(opened)
