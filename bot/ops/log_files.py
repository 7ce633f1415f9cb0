"""The files of one container's log: the one written now and the rotated ones, packed or not, opened as one whole.

What is open stays readable when the engine renames, packs or removes it meanwhile. Knows where lines end, not what is in them.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import shutil
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 18
HEAD_CAP = 1 << 20  # longer than any entry the engine writes
TRIES = 100
_PAUSE = 0.001
_BROKEN = (EOFError, OSError, zlib.error)


class LogFile:
    """One open file. ``size`` ends with a whole line and does not grow; a packed one is unpacked when first asked for it."""

    def __init__(self, handle: BinaryIO, *, packed: bool) -> None:
        self._handle = handle
        self._packed = packed
        self._size = -1
        status = os.fstat(handle.fileno())
        self.inode = status.st_ino
        self._raw_size = status.st_size

    @property
    def size(self) -> int:
        """Bytes up to the end of the last whole line."""
        if self._size < 0:
            self._unpack()
            self._size = self._last_end(self._raw_size)
        return self._size

    def read(self, offset: int, count: int) -> bytes:
        """Up to ``count`` bytes at ``offset``; fewer at the end only."""
        wanted = min(count, self.size - offset)
        return os.pread(self._handle.fileno(), wanted, offset) if wanted > 0 else b""

    def blocks(self, start: int, end: int, size: int = BLOCK) -> Iterator[tuple[int, bytes]]:
        """Whole lines from ``start`` (where one begins) to ``end``, about ``size`` bytes at a time, each with its offset.

        A file that was cut short meanwhile ends there.
        """
        wanted = size
        while start < end:
            data = self.read(start, min(wanted, end - start))
            last = data.rfind(b"\n") + 1
            if not data or (not last and len(data) < wanted):
                return
            if not last:
                wanted *= 2  # a line that is longer than a block
                continue
            yield start, data[:last]
            start, wanted = start + last, size

    def stretches(self, start: int, end: int, room: deque[bytearray]) -> Iterator[tuple[bytearray, int]]:
        """The same into the given buffers by turns, so that gigabytes cost no new memory: each with how much of it is whole lines.

        The first of ``room`` is always the one that may be written: a buffer goes to its end when it is given away, and only then,
        so that the turns hold over several files. A line longer than a buffer is passed over: the engine writes none that long.
        """
        end = min(end, self.size)
        while start < end:
            data = room[0]
            with memoryview(data) as view, view[: end - start] as wanted:
                count = os.preadv(self._handle.fileno(), [wanted], start)
            if not count:
                return
            last = data.rfind(b"\n", 0, count) + 1
            if last:
                room.rotate(-1)
                yield data, last
            start += last or count

    def head(self, offset: int) -> int:
        """How long the first line is, with its end; at most ``offset``. The stamp is at the end of it: less would not tell files apart."""
        end = self.read(0, min(offset, HEAD_CAP)).find(b"\n") + 1
        return end or min(offset, HEAD_CAP)

    def mark(self, head: int) -> str:
        """What tells this file from others: a digest of its first ``head`` bytes. Empty when it has not so many."""
        data = self._beginning(head)
        return hashlib.sha256(data).hexdigest()[:32] if len(data) == head else ""

    def close(self) -> None:
        """Let it go."""
        self._handle.close()

    def _beginning(self, count: int) -> bytes:
        if not self._packed:
            return os.pread(self._handle.fileno(), count, 0)
        self._handle.seek(0)
        with contextlib.suppress(*_BROKEN), gzip.open(self._handle) as unpacked:
            return unpacked.read(count)
        return b""

    def _unpack(self) -> None:
        """Onto the disk, not into memory. Of one that is damaged, what can be read."""
        if not self._packed:
            return
        beginning = tempfile.TemporaryFile()  # noqa: SIM115 - it takes the place of the handle, and is closed as that is
        self._handle.seek(0)
        with contextlib.suppress(*_BROKEN), gzip.open(self._handle) as unpacked:
            shutil.copyfileobj(unpacked, beginning, BLOCK)
        beginning.flush()
        self._handle.close()
        self._handle, self._packed = beginning, False
        self._raw_size = os.fstat(beginning.fileno()).st_size

    def _last_end(self, size: int) -> int:
        """Where the last line ends: what follows is half written."""
        while size > 0:
            begin = max(0, size - BLOCK)
            last = os.pread(self._handle.fileno(), size - begin, begin).rfind(b"\n")
            if last >= 0:
                return begin + last + 1
            size = begin
        return 0


def opened(path: Path) -> tuple[LogFile, ...]:
    """All files of the log whose newest one is ``path``, the oldest first. OSError when they cannot be read."""
    for _ in range(TRIES):
        with contextlib.ExitStack() as files:
            found = _all(path, files)
            # Rotated while they were opened: what was read first may be among them twice, and another not at all.
            if found and _inode(path) == found[-1].inode:
                files.pop_all()
                return found
        time.sleep(_PAUSE)
    raise FileNotFoundError(path)


def _inode(path: Path) -> int:
    """Which file has this name now; 0 for the moment between two."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _all(path: Path, files: contextlib.ExitStack) -> tuple[LogFile, ...]:
    """Nothing when one of them was renamed before it could be opened."""
    found: dict[int, LogFile] = {}
    try:
        for name in _newest_first(path):
            one = LogFile(name.open("rb", buffering=0), packed=name.suffix == ".gz")
            files.callback(one.close)
            if found.setdefault(one.inode, one) is not one:
                one.close()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise
        return ()
    return tuple(reversed(found.values()))


def _newest_first(path: Path) -> Iterator[Path]:
    """The names are looked for after the newest is open: a rotation in between shows then, as the newest has another name."""
    yield path
    yield from _rotated(path)


def _rotated(path: Path) -> list[Path]:
    """The newest first. While one is packed it is there twice: then the plain one is whole."""
    form = re.compile(re.escape(path.name) + r"\.(\d{1,6})(\.gz)?")
    matches = [match for match in map(form.fullmatch, os.listdir(path.parent)) if match]  # noqa: PTH208 - names are all it takes
    chosen: dict[int, str] = {}
    for match in sorted(matches, key=lambda match: match.group(2) or ""):
        chosen.setdefault(int(match.group(1)), match.group())
    return [path.with_name(chosen[number]) for number in sorted(chosen)]
