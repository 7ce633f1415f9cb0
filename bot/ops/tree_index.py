"""The index of a snapshot: one line of JSON for each file and directory, sorted by the bytes of the path's parts.

Readable and comparable by hand. Names that are not UTF-8 are written with escapes (``\\udcXX``) and come back byte for byte.
The last line vouches for all before it. Knows no file but its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring, encode_basestring_ascii
from pathlib import Path
from typing import Any

from bot.ops.tree_values import Status, TreeFault

VERSION = 1
PERMISSIONS = 0o777
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class IndexEnd:
    """What stands at the index's beginning and end. ``started_ns`` is when the snapshot began, since the epoch."""

    started_ns: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a file, or a directory (``sha256`` is then empty, and ``path`` ends with a slash)."""

    path: str
    mode: int
    mtime_ns: int
    uid: int
    gid: int
    size: int = 0
    sha256: str = ""

    @property
    def is_directory(self) -> bool:
        """Whether it is one."""
        return self.path.endswith("/")


def key_of(path: str) -> tuple[bytes, ...]:
    """By this the lines are sorted: a directory is followed by all that is in it."""
    return tuple(os.fsencode(path).rstrip(b"/").split(b"/"))


def file_head(path: str, status: Status) -> bytes:
    """The line of a file up to its hash: as long as this is the same, the file is taken to be unchanged."""
    return _bytes(
        path,
        f'"size":{status.st_size},"mtime_ns":{status.st_mtime_ns},"mode":"{status.st_mode & PERMISSIONS:04o}",'
        f'"uid":{status.st_uid},"gid":{status.st_gid},"sha256":"',
    )


def file_line(head: bytes, sha256: str) -> bytes:
    """A whole line."""
    return head + sha256.encode() + b'"}\n'


def directory_line(path: str, status: Status) -> bytes:
    """The line of a directory; ``path`` ends with a slash."""
    mode = f'"mode":"{stat.S_IMODE(status.st_mode) & PERMISSIONS:04o}"'
    return _bytes(path, f'"mtime_ns":{status.st_mtime_ns},{mode},"uid":{status.st_uid},"gid":{status.st_gid}}}\n')


def _bytes(path: str, rest: str) -> bytes:
    try:
        return f'{{"path":{encode_basestring(path)},{rest}'.encode()
    except UnicodeEncodeError:
        return f'{{"path":{encode_basestring_ascii(path)},{rest}'.encode()


class IndexWriter:
    """Writes an index. It is whole when ``finish`` has returned."""

    def __init__(self, path: Path, started_ns: int) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=1 << 18)
        self._hash = hashlib.sha256()
        self.add(json.dumps({"tree": VERSION, "started_ns": started_ns}).encode() + b"\n")

    def add(self, line: bytes) -> None:
        """The next line; who calls keeps the order."""
        self._hash.update(line)
        self._file.write(line)

    def finish(self, files: int, size: int) -> str:
        """End it and bring it to disk; gives the SHA-256 of the whole file."""
        self.add(json.dumps({"files": files, "bytes": size, "sha256": self._hash.hexdigest()}).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def close(self) -> None:
        """Let the file go, whatever state it is in: what is still in the buffer may find no room either."""
        try:
            self._file.close()
        except OSError:
            return


def checked(index: Path) -> IndexEnd:
    """Read an index through. TreeFault unless it is whole, unchanged, and of a version known here."""
    seen, last = hashlib.sha256(), b""
    try:
        with index.open("rb", buffering=1 << 18) as file:
            first = last = file.readline()
            for line in file:
                seen.update(last)
                last = line
        begin, end = json.loads(first), json.loads(last)
        if begin["tree"] == VERSION and end["sha256"] == seen.hexdigest():
            return IndexEnd(int(begin["started_ns"]), int(end["files"]), int(end["bytes"]))
    except OSError as error:
        raise TreeFault("snapshot.unreadable", index.name, str(error)) from error
    except (ValueError, KeyError, TypeError):
        pass
    raise TreeFault("snapshot.damaged", index.name)


def lines(index: Path) -> Generator[bytes, None, None]:
    """The lines of files and directories, raw and in order."""
    with index.open("rb", buffering=1 << 18) as file:
        file.readline()
        before = file.readline()
        for line in file:
            yield before
            before = line


def entries(index: Path) -> Iterator[Entry]:
    """The files and directories, in order. TreeFault for a line that is none, or whose path leads out of the tree."""
    return (parsed(line, index.name) for line in lines(index))


def parsed(line: bytes, index: str = "") -> Entry:
    """One line."""
    try:
        found: dict[str, Any] = json.loads(line)
        path = str(found["path"])
        entry = Entry(
            path,
            int(found["mode"], 8) & PERMISSIONS,
            int(found["mtime_ns"]),
            int(found["uid"]),
            int(found["gid"]),
            int(found.get("size", 0)),
            str(found.get("sha256", "")),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise TreeFault("snapshot.damaged", index, str(error)) from error
    if not is_safe(path) or not (entry.is_directory or (len(entry.sha256) == 64 and _HEX.issuperset(entry.sha256))):
        raise TreeFault("snapshot.unsafe_name", path)
    return entry


def is_safe(path: str) -> bool:
    """Whether a relative path (a slash at its end is allowed) stays in the tree, whatever tree that is."""
    parts = path.removesuffix("/").split("/")
    return "\0" not in path and not any(part in ("", ".", "..") for part in parts)


class Previous:
    """The lines of the snapshot before, walked along with the tree: each path is asked for once, in order."""

    def __init__(self, index: Path) -> None:
        self._lines = lines(index)
        self._index = index.name
        self._line = b""
        self._key: tuple[bytes, ...] | None = None
        self._next()

    def close(self) -> None:
        """Let the file go."""
        self._lines.close()

    def sha256(self, head: bytes, path: str) -> str:
        """The hash of a file whose line begins so; empty when it was not there, or was different."""
        if not self._line.startswith(head):
            self._skip_to(path)
            if not self._line.startswith(head):
                return ""
        found = self._line[len(head) : len(head) + 64].decode("ascii", "replace")
        self._next()
        return found

    def _skip_to(self, path: str) -> None:
        wanted = key_of(path)
        while self._line:
            if self._key is None:
                self._key = key_of(str(json.loads(self._line)["path"]))
            if self._key >= wanted:
                return
            self._next()

    def _next(self) -> None:
        self._line, self._key = next(self._lines, b""), None
