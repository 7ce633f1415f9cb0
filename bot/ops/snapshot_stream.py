"""Takes a snapshot out of a tar stream, which a container engine sends. Blocks: run it in a thread.

Times in an engine's stream are whole seconds. Names are refused unless they stay in the tree and come in the tree's order.
Knows no engine.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.ops.bounded import describe
from bot.ops.dump_faults import writing
from bot.ops.snapshot_build import SECOND, Build, Folder
from bot.ops.snapshot_names import is_excluded
from bot.ops.tree_copy import wear, write
from bot.ops.tree_index import file_head, file_line, is_safe, key_of
from bot.ops.tree_values import Remark, Say, Snapshot, SnapshotResult, Stopping, TreeFault, never, silent

_PIECE = 1 << 20
_END = bytes(2 * 512)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_REMARKS: dict[bytes, Remark] = {
    tarfile.SYMTYPE: "symlink",
    tarfile.FIFOTYPE: "fifo",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
}


class Stream:
    """Chunks of bytes as a file that is read forwards only, which knows whether a tar archive came to its end."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self._tail = b""

    def read(self, size: int) -> bytes:
        """Exactly so many bytes; fewer at the end only."""
        pieces: list[memoryview] = []
        while size:
            if not self._rest:
                chunk = next(self._chunks, b"")
                if not chunk:
                    break
                self._rest, self._tail = memoryview(chunk), (self._tail + chunk[-len(_END) :])[-len(_END) :]
            piece, self._rest = self._rest[:size], self._rest[size:]
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def ended_well(self) -> bool:
        """Read what is left; whether it ends as an archive does, and was not cut off between two files."""
        while self.read(_PIECE):
            pass
        return self._tail == _END


@dataclass(frozen=True, slots=True)
class Member:
    """One name in the stream, below its root. ``status`` answers like the operating system; empty ``path`` is the root."""

    path: str
    info: tarfile.TarInfo
    content: tarfile.TarFile

    @property
    def st_size(self) -> int:
        return self.info.size

    @property
    def st_mtime_ns(self) -> int:
        return int(self.info.mtime) * SECOND

    @property
    def st_mode(self) -> int:
        return (stat.S_IFDIR if self.info.isdir() else stat.S_IFREG) | self.info.mode & 0o777

    @property
    def st_uid(self) -> int:
        return self.info.uid

    @property
    def st_gid(self) -> int:
        return self.info.gid

    def pieces(self) -> Iterator[bytes]:
        """The content; TreeFault when there is less of it than was promised."""
        file = self.content.extractfile(self.info)
        left = self.info.size
        while file is not None and left:
            try:
                piece = file.read(min(left, _PIECE))
            except tarfile.TarError:
                break
            if not piece:
                break
            left -= len(piece)
            yield piece
        if left:
            raise TreeFault("snapshot.unsafe_name", self.path, "cut off")


def members(chunks: Iterable[bytes]) -> Iterator[Member]:
    """Everything in a stream, its root first, in order. TreeFault for a name that leaves it, is out of order, or a broken stream."""
    stream = Stream(chunks)
    before: tuple[bytes, ...] = ()
    root = ""
    try:
        with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[call-overload]
            while info := archive.next():
                archive.members.clear()  # it keeps them all otherwise
                root = root or _root_of(info)
                path = info.name[len(root) + 1 :]
                if info.name != root:
                    _check(info, root, path, before)
                    before = key_of(path)
                yield Member(path, info, archive)
        if not stream.ended_well():
            raise TreeFault("snapshot.unsafe_name", root, "the stream was cut off")
    except tarfile.TarError as error:
        raise TreeFault("snapshot.unsafe_name", root, describe(error)) from error


def _root_of(info: tarfile.TarInfo) -> str:
    if not info.isdir() or not is_safe(info.name) or "/" in info.name:
        raise TreeFault("snapshot.unsafe_name", info.name, "not a directory's stream")
    return info.name


def _check(info: tarfile.TarInfo, root: str, path: str, before: tuple[bytes, ...]) -> None:
    if not info.name.startswith(root + "/") or not is_safe(path) or info.issparse() or info.size < 0:
        raise TreeFault("snapshot.unsafe_name", info.name)
    if key_of(path) <= before:
        raise TreeFault("snapshot.unsafe_name", info.name, "out of order")


def take_from(
    chunks: Iterable[bytes], target: Path, previous: Snapshot | None = None, *, progress: Say = silent, cancelled: Stopping = never
) -> SnapshotResult:
    """Like ``snapshot.take``, of what a tar stream holds. Unchanged is what has the size, the second and the mode it had."""
    build: Build | None = None
    with writing():
        try:
            found = members(chunks)
            first = next(found, None)
            if first is None:
                raise TreeFault("snapshot.unsafe_name", "", "empty stream")
            build = Build(Snapshot(target), previous, progress, cancelled)
            return _Take(build).run(first, found)
        finally:
            if build is not None:
                build.close()


class _Take:
    def __init__(self, build: Build) -> None:
        self._build = build
        self._levels: list[tuple[Folder, Member]] = []

    def run(self, root: Member, found: Iterable[Member]) -> SnapshotResult:
        self._levels = [(self._build.root(), root)]
        for member in found:
            if not is_excluded(member.path.partition("/")[0]):
                self._one(member)
        while len(self._levels) > 1:
            self._leave()
        return self._build.finish(self._levels[0][0], root)

    def _leave(self) -> None:
        self._build.leave(*self._levels.pop())

    def _one(self, member: Member) -> None:
        while not member.path.startswith(self._levels[-1][0].path):
            self._leave()
        folder = self._levels[-1][0]
        name = member.path[len(folder.path) :]
        if "/" in name:  # below something that is no directory
            raise TreeFault("snapshot.unsafe_name", member.path)
        if member.info.isdir():
            inner = self._build.below(folder, name)
            self._levels.append((inner, member))
            self._build.add_directory(self._build.enter(inner, member))
        elif member.info.isreg():
            self._file(folder, name, member)
        else:
            # A second name of one file is not followed either: VCC makes none.
            self._build.notes.add(_REMARKS.get(member.info.type, "special"), member.path)

    def _file(self, folder: Folder, name: str, member: Member) -> None:
        head = file_head(member.path, member)
        known = self._build.known(head, member.path)
        if known and self._build.may_trust(member.st_mtime_ns) and self._build.link(folder, name, member):
            self._build.add(file_line(head, known), member.st_size, new=False)
            return
        made, digest = os.open(name, _CREATE, 0o600, dir_fd=folder.target), hashlib.sha256()
        try:
            for piece in member.pieces():
                digest.update(piece)
                write(made, piece)
            wear(made, (member.st_uid, member.st_gid), member.st_mode, member.st_mtime_ns, self._build.ways)
        finally:
            os.close(made)
        self._build.add(file_line(head, digest.hexdigest()), member.st_size, new=True)
