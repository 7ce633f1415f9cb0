"""Copies the files of a snapshot into an empty directory: proven against the index on the way, never linked to the backup.

Takes names, times and modes from the index, so that it serves for a snapshot that came back from elsewhere too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from bot.ops.tree_copy import Copied, Ways, copy_file, wear
from bot.ops.tree_index import PERMISSIONS, Entry, entries
from bot.ops.tree_pool import Ordered
from bot.ops.tree_values import Say, Snapshot, Stopped, Stopping, TreeFault, TreeMoved
from bot.ops.tree_walk import not_too_deep, open_below

_TELL_EVERY = 256
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class _Level:
    """A directory open on both sides. ``path`` ends with a slash, empty for the root."""

    path: str
    source: int
    target: int
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class _Job:
    level: _Level
    name: str
    entry: Entry


class Filler:
    """Fills one directory. ``ways.owner`` is who the copies belong to."""

    def __init__(self, ways: Ways, total: int, say: Say, stopping: Stopping) -> None:
        self._ways, self._total, self._say, self._stopping = ways, total, say, stopping
        self._pool: Ordered[_Job, int] = Ordered(self._copy, self._count)
        self._levels: list[_Level] = []
        self.files = self.bytes = 0

    def run(self, snapshot: Snapshot, source: int, target: int) -> None:
        """All of the snapshot, from its open tree. TreeFault names the first file that is not what the index says."""
        self._levels = [_Level("", source, target, None)]
        try:
            for entry in entries(snapshot.index):
                while not entry.path.startswith(self._levels[-1].path):
                    self._leave()
                self._enter(entry)
            while len(self._levels) > 1:
                self._leave()
            self._pool.drain()
        finally:
            self._pool.close()
            for level in self._levels[1:]:
                os.close(level.source)
                os.close(level.target)

    def _enter(self, entry: Entry) -> None:
        level = self._levels[-1]
        name = entry.path.removesuffix("/")[len(level.path) :]
        if not name or "/" in name:
            raise TreeFault("snapshot.damaged", entry.path)
        if not entry.is_directory:
            self._pool.add(_Job(level, name, entry), entry.size)
            return
        not_too_deep(len(self._levels), entry.path)
        os.mkdir(name, 0o700, dir_fd=level.target)
        source, target = open_below(level.source, name), open_below(level.target, name)
        if source is None or target is None:
            for opened in (source, target):
                if opened is not None:
                    os.close(opened)
            raise TreeFault("snapshot.damaged", entry.path)
        self._levels.append(_Level(entry.path, source, target, entry))

    def _leave(self) -> None:
        self._pool.drain()
        level = self._levels[-1]
        if level.entry is not None:
            wear(level.target, (level.entry.uid, level.entry.gid), level.entry.mode, level.entry.mtime_ns, self._ways)
        self._levels.pop()
        os.close(level.source)
        os.close(level.target)

    def _copy(self, job: _Job) -> int:
        """In a thread of the pool."""
        entry, level = job.entry, job.level
        copied = copy_file(level.source, level.target, job.name, entry.path, self._ways)
        if not isinstance(copied, Copied) or copied.sha256 != entry.sha256:
            raise TreeFault("snapshot.damaged", entry.path)
        if copied.status.st_mode & PERMISSIONS != entry.mode:
            os.chmod(job.name, entry.mode, dir_fd=level.target)
        if copied.status.st_mtime_ns != entry.mtime_ns:
            os.utime(job.name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=level.target, follow_symlinks=False)
        return entry.size

    def _count(self, size: int) -> None:
        self.files += 1
        self.bytes += size
        if self.files % _TELL_EVERY == 0:
            self._say(TreeMoved(self.files, self.bytes, self._total))
            if self._stopping():
                raise Stopped


def room_needed(snapshot: Snapshot) -> int:
    """The bytes that copies of all files take, in whole blocks."""
    return sum(max(1, -(-each.size // BLOCK)) * BLOCK for each in entries(snapshot.index))


def foreign_mounts(directory: int) -> Iterator[str]:
    """Names at the top that are file systems of their own: they cannot be moved away by renaming."""
    own = os.fstat(directory).st_dev
    with os.scandir(directory) as found:
        for entry in found:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode) and status.st_dev != own:
                yield entry.name
