"""Takes a hard-linked snapshot of a directory that others write to: unchanged files cost a link, the others a copy.

Every snapshot is a plain tree, complete by itself. Blocks: run it in a thread. Knows nothing of backups, documents or chat.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from bot.errors import NotFound
from bot.ops.dump_faults import SYSTEM, writing
from bot.ops.snapshot_build import Build, Folder
from bot.ops.snapshot_names import is_excluded
from bot.ops.tree_copy import Copied, copy_file, sha256_of
from bot.ops.tree_index import file_head, file_line
from bot.ops.tree_pool import Ordered
from bot.ops.tree_values import Remark, Say, Snapshot, SnapshotResult, Stopping, never, reading, silent
from bot.ops.tree_walk import open_below, open_root, remark_on, sorted_names, status_of


@dataclass(frozen=True, slots=True)
class _Job:
    """A file to be copied. ``known`` is the hash it had, when it may still be the same."""

    source: int
    folder: Folder
    name: str
    status: os.stat_result
    head: bytes
    known: str

    @property
    def path(self) -> str:
        return self.folder.path + self.name


@dataclass(frozen=True, slots=True)
class _Done:
    """The line of a file or directory, in its turn; or what is said of a name that has none."""

    line: bytes
    size: int = 0
    new: bool = False
    directory: bool = False
    remark: Remark | None = None
    path: str = ""


def take(
    source: Path, target: Path, previous: Snapshot | None = None, *, progress: Say = silent, cancelled: Stopping = never
) -> SnapshotResult:
    """Copy ``source`` to ``target``, which does not exist yet, with the index beside it; see ``Snapshot``.

    What a failure, a cancellation or a kill leaves at ``target`` is for the caller to remove.
    """
    with reading(source.name):
        try:
            root, status = open_root(source), source.stat()
        except FileNotFoundError as error:
            raise NotFound(SYSTEM, source.name, str(error)) from error
    try:
        with writing():
            return _Take(Build(Snapshot(target), previous, progress, cancelled)).run(root, status)
    finally:
        os.close(root)


class _Take:
    def __init__(self, build: Build) -> None:
        self._build = build
        self._pool: Ordered[_Job, _Done] = Ordered(self._copy, self._took)
        # The threads use these: whatever fails, they are closed after the threads have ended.
        self._open: list[int] = []

    def run(self, source: int, status: os.stat_result) -> SnapshotResult:
        root = self._build.root()
        try:
            self._fill(source, root)
            self._pool.drain()
            return self._build.finish(root, status)
        finally:
            self._pool.close()
            self._build.close()
            for opened in self._open:
                os.close(opened)

    def _fill(self, source: int, folder: Folder) -> None:
        for name in sorted_names(source, folder.path):
            if folder.depth == 0 and is_excluded(name):
                continue
            status = status_of(source, name)
            if status is None:
                self._pool.put(_Done(b"", remark="gone", path=folder.path + name))
            elif stat.S_ISREG(status.st_mode):
                self._file(source, folder, name, status)
            elif stat.S_ISDIR(status.st_mode):
                self._directory(source, folder, name, status)
            else:
                self._pool.put(_Done(b"", remark=remark_on(status.st_mode), path=folder.path + name))

    def _directory(self, source: int, folder: Folder, name: str, status: os.stat_result) -> None:
        with reading(folder.path + name):
            opened = open_below(source, name)
        if opened is None:
            now = status_of(source, name)
            remark: Remark = "gone" if now is None or stat.S_ISDIR(now.st_mode) else remark_on(now.st_mode)
            self._pool.put(_Done(b"", remark=remark, path=folder.path + name))
            return
        self._open.append(opened)
        inner = self._build.below(folder, name)
        self._pool.put(_Done(self._build.enter(inner, status), directory=True))
        self._fill(opened, inner)
        self._pool.drain()
        self._build.leave(inner, status)
        os.close(self._open.pop())

    def _file(self, source: int, folder: Folder, name: str, status: os.stat_result) -> None:
        path = folder.path + name
        head = file_head(path, status)
        known = self._build.known(head, path)
        if known and self._build.may_trust(status.st_mtime_ns):
            if self._build.link(folder, name, status):
                self._pool.put(_Done(file_line(head, known), status.st_size))
                return
            known = ""
        self._pool.add(_Job(source, folder, name, status, head, known), status.st_size)

    def _copy(self, job: _Job) -> _Done:
        """In a thread of the pool."""
        with writing():
            same = job.known and sha256_of(job.source, job.name, job.path) == (job.known, job.status.st_size)
            if same and self._build.link(job.folder, job.name, job.status):
                return _Done(file_line(job.head, job.known), job.status.st_size)
            copied = copy_file(job.source, job.folder.target, job.name, job.path, self._build.ways)
        if not isinstance(copied, Copied):
            return _Done(b"", remark=copied, path=job.path)
        return _Done(file_line(file_head(job.path, copied.status), copied.sha256), copied.status.st_size, new=True)

    def _took(self, done: _Done) -> None:
        if done.remark is not None:
            self._build.notes.add(done.remark, done.path)
        elif done.directory:
            self._build.add_directory(done.line)
        else:
            self._build.add(done.line, done.size, done.new)
