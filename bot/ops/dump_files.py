"""Writes the files of a dump: under a temporary name until they are whole and on disk, hashed and counted on the way.

Blocks: run it in a thread. Knows nothing of any server.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from bot.ops.bson_frames import whole
from bot.ops.dump_faults import Damaged, writing
from bot.ops.folder_sync import sync_folder

PART = ".part"


class BsonFile:
    """One ``.bson`` file being written. It gets its name when it is finished, never before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = _part_of(path)
        self._hash = hashlib.sha256()
        self.documents = 0
        self.bytes = 0
        with writing():
            self._descriptor = _created(self._part)

    def add(self, batch: bytes) -> None:
        """Append whole documents. Damaged when they are not."""
        end, count = whole(batch, self._path.name, self.bytes)
        if end != len(batch):
            raise Damaged(self._path.name, self.bytes + end, "the server sent half a document")
        with writing():
            _write(self._descriptor, batch)
        self._hash.update(batch)
        self.documents += count
        self.bytes += len(batch)

    def finish(self) -> str:
        """Bring it to disk under its own name; gives the SHA-256."""
        with writing():
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
            self._part.rename(self._path)
        return self._hash.hexdigest()

    def abandon(self) -> None:
        """Remove it, unless it was finished."""
        if self._descriptor < 0:
            return
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
            self._descriptor = -1
            self._part.unlink()


def write_file(path: Path, content: bytes) -> str:
    """Write a small file whole and to disk; gives the SHA-256."""
    part = _part_of(path)
    with writing():
        descriptor = _created(part)
        try:
            _write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.rename(path)
    return hashlib.sha256(content).hexdigest()


def make_directory(path: Path) -> None:
    """A new directory that is nobody else's business."""
    with writing():
        path.mkdir(mode=0o700)


def remove_directory(path: Path) -> None:
    """Remove a directory that was made here, with all in it."""
    with writing():
        shutil.rmtree(path)


def settle(directory: Path) -> None:
    """The names of a directory's files, and its own, to disk."""
    with writing():
        sync_folder(directory)
        sync_folder(directory.parent)


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _part_of(path: Path) -> Path:
    """One at a time is written, so a long name may be cut."""
    return path.with_name(path.name[:200] + PART)
