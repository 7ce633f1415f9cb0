"""A snapshot while it is made: directories, links to the one before, the index, the sums. Knows not where the files come from."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from dataclasses import dataclass

from bot.ops.dump_faults import writing
from bot.ops.tree_copy import Ways, sync_file_system, wear
from bot.ops.tree_index import PERMISSIONS, IndexWriter, Previous, checked, directory_line
from bot.ops.tree_values import Notes, Say, Snapshot, SnapshotResult, Status, Stopped, Stopping, TreeFault, TreeMoved
from bot.ops.tree_walk import not_too_deep, open_below, open_root

SECOND = 1_000_000_000
# A file written twice within one tick of the clock may keep size and time though its content changed. So whatever was this
# young when the snapshot before began is read again, however it looks.
YOUNG = 2 * SECOND
_NEVER_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
_NO_LINK = frozenset({errno.EMLINK, errno.ENOENT, errno.ENOTDIR})
_TELL_EVERY = 512
_TYPE = 0o170000


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory of the snapshot, open, and the same one of the snapshot before. ``path`` ends with a slash, empty for the root."""

    target: int
    previous: int | None
    path: str
    depth: int

    def close(self) -> None:
        """Let both go."""
        os.close(self.target)
        if self.previous is not None:
            os.close(self.previous)


class Build:
    """One snapshot being made in ``snapshot.tree``, which does not exist yet."""

    def __init__(self, snapshot: Snapshot, previous: Snapshot | None, say: Say, stopping: Stopping) -> None:
        self._snapshot, self._say, self._stopping = snapshot, say, stopping
        self._begun, started_ns = time.monotonic(), time.time_ns()
        self.notes, self.ways = Notes(), Ways()
        self._files = self._bytes = self._new_files = self._new_bytes = self._directories = self._total = 0
        self._links, self._trusted_before = True, 0
        self._open: list[Folder] = []
        self._previous: Previous | None = None
        self._previous_tree = previous.tree if previous else None
        with writing():
            snapshot.tree.mkdir(mode=0o700)
            self._index = IndexWriter(snapshot.index, started_ns)
        if previous is not None:
            self._read_before(previous)

    def _read_before(self, previous: Snapshot) -> None:
        try:
            end = checked(previous.index)
        except TreeFault:
            self.notes.add("previous_unusable", previous.tree.name)
            return
        self._total, self._trusted_before = end.files, end.started_ns - YOUNG
        self._previous = Previous(previous.index)

    def root(self) -> Folder:
        """The snapshot's root."""
        previous = None
        if self._previous is not None and self._previous_tree is not None:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                previous = open_root(self._previous_tree)
        return self._opened(Folder(open_root(self._snapshot.tree), previous, "", 0))

    def _opened(self, folder: Folder) -> Folder:
        self._open.append(folder)
        return folder

    def below(self, folder: Folder, name: str) -> Folder:
        """A new directory. Close it with ``leave``."""
        path = f"{folder.path}{name}/"
        not_too_deep(folder.depth + 1, path)
        os.mkdir(name, 0o700, dir_fd=folder.target)
        previous = None if folder.previous is None else open_below(folder.previous, name)
        opened = open_below(folder.target, name)
        if opened is None:
            raise TreeFault("snapshot.unsafe_name", path)
        return self._opened(Folder(opened, previous, path, folder.depth + 1))

    def enter(self, folder: Folder, status: Status) -> bytes:
        """The line of a directory that was begun."""
        self._directories += 1
        return directory_line(folder.path, status)

    def leave(self, folder: Folder, status: Status) -> None:
        """Its time and owner, when nothing comes into it any more. We stay able to enter and remove it."""
        self._dress(folder, status, status.st_mode | stat.S_IRWXU)
        self._open.remove(folder)
        folder.close()

    def _dress(self, folder: Folder, status: Status, mode: int) -> None:
        wear(folder.target, (status.st_uid, status.st_gid), mode, status.st_mtime_ns, self.ways)

    def known(self, head: bytes, path: str) -> str:
        """The hash of a file that looks unchanged; empty when it does not."""
        return self._previous.sha256(head, path) if self._previous else ""

    def may_trust(self, mtime_ns: int) -> bool:
        """Whether looking unchanged is enough."""
        return mtime_ns < self._trusted_before

    def link(self, folder: Folder, name: str, status: Status) -> bool:
        """Link to the snapshot before; False when that cannot be, and it must be copied."""
        if folder.previous is None or not self._links:
            return False
        try:
            os.link(name, name, src_dir_fd=folder.previous, dst_dir_fd=folder.target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NEVER_LINKS | _NO_LINK:
                raise
            self._links = error.errno in _NO_LINK
            return False
        made = os.stat(name, dir_fd=folder.target, follow_symlinks=False)
        if self._look(made) == self._look(status):
            return True
        os.unlink(name, dir_fd=folder.target)
        self.notes.add("previous_damaged", folder.path + name)
        return False

    @staticmethod
    def _look(status: Status) -> tuple[int, int, int]:
        return status.st_size, status.st_mtime_ns, status.st_mode & (_TYPE | PERMISSIONS)

    def add(self, line: bytes, size: int, new: bool) -> None:
        """A file that stands; lines in order."""
        self._index.add(line)
        self._files += 1
        self._bytes += size
        if new:
            self._new_files += 1
            self._new_bytes += size
        if self._files % _TELL_EVERY == 0:
            self.look_up()

    def add_directory(self, line: bytes) -> None:
        """The line of a directory, in its turn."""
        self._index.add(line)

    def look_up(self) -> None:
        """Say how far it is; Stopped when it is wanted to end."""
        self._say(TreeMoved(self._files, self._bytes, self._total))
        if self._stopping():
            raise Stopped

    def finish(self, root: Folder, status: Status) -> SnapshotResult:
        """Everything to disk: the files by one sync of their file system, then the index, then the names of both.

        Nothing is called a backup before this has returned, so that one sync at the end serves as well as one for each file.
        """
        self.look_up()
        self._dress(root, status, stat.S_IRWXU)
        if self.ways.owner_refused:
            self.notes.add("owner_not_kept", self._snapshot.tree.name)
        digest = self._index.finish(self._files, self._bytes)
        sync_file_system(root.target)
        parent = open_root(self._snapshot.tree.parent)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)
        return SnapshotResult(
            files=self._files,
            bytes=self._bytes,
            new_files=self._new_files,
            new_bytes=self._new_bytes,
            linked=self._files - self._new_files,
            directories=self._directories,
            index_sha256=digest,
            noted=self.notes.count,
            noted_first=tuple(self.notes.first),
            took_s=time.monotonic() - self._begun,
        )

    def close(self) -> None:
        """Let everything go; what was made is for the caller to remove, unless it was finished."""
        self._index.close()
        if self._previous is not None:
            self._previous.close()
        while self._open:
            self._open.pop().close()
