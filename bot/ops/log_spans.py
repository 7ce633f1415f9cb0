"""Which bytes of a log's files hold a window of time, or its newest entries: found by bisecting, not by reading.

Stamps are nearly ordered: the two streams of a container are stamped before they queue to be written. So a window is looked for
with some room around it, and whoever reads the bytes filters exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bot.ops.log_entries import parse, stamp_of
from bot.ops.log_files import BLOCK, LogFile

DISORDER = 1.0  # seconds
_NEAR = 1 << 16


class Span(NamedTuple):
    """Bytes of one file, whole lines."""

    file: LogFile
    start: int
    end: int


def spans(files: Sequence[LogFile], since: float | None, until: float | None, tail: int = 0, begin: int = 0) -> list[Span]:
    """What to read for the window, the oldest first. Of ``tail`` newest entries (0: all) the window is taken, as the engine does.

    The oldest file is read from ``begin`` on.
    """
    if tail:
        return newest(files, tail)
    found = []
    for number, file in enumerate(files):
        if since is not None and _all_before(files[number + 1 :], since):
            continue
        start = bisected(file, since - DISORDER) if since is not None else 0
        start = max(start, begin if number == 0 else 0)
        end = file.size if until is None else beyond(file, until)
        if start < end:
            found.append(Span(file, start, end))
        if end < file.size:
            break
    return found


def newest(files: Sequence[LogFile], count: int) -> list[Span]:
    """The last ``count`` entries of all files together."""
    found: list[Span] = []
    for file in reversed(files):
        start, left = _back(file, count)
        found.append(Span(file, start, file.size))
        count = left
        if count <= 0:
            break
    return found[::-1]


def seconds_of(stamp: bytes) -> float:
    """About when: the time of a stamp to the second."""
    return datetime.fromisoformat(stamp[:19].decode("ascii") + "+00:00").timestamp()


def _all_before(later: Sequence[LogFile], since: float) -> bool:
    """Whether the file before these ended before ``since``: the next one began before it."""
    for file in later:
        first = _stamp_in(file, 0, file.size)
        if first is not None:
            return first[1] < stamp_of(since - DISORDER)
    return False


def bisected(file: LogFile, moment: float) -> int:
    """Where a line begins before which nothing is as late as ``moment``."""
    wanted, low, high = stamp_of(moment), 0, file.size
    while high - low > _NEAR:
        middle = (low + high) // 2
        found = _stamp_in(file, middle, high)
        if found is None or found[1] >= wanted:
            high = middle
        else:
            low = found[0]
    return low


def beyond(file: LogFile, until: float) -> int:
    """Where the first entry after ``until`` begins; the end of the file when there is none."""
    limit = stamp_of(until)
    for offset, data in file.blocks(bisected(file, until - DISORDER), file.size):
        at = 0
        while at < len(data):
            end = data.index(b"\n", at)
            entry = parse(data[at:end])
            if entry is not None and entry.stamp > limit:
                return offset + at
            at = end + 1
    return file.size


def _stamp_in(file: LogFile, start: int, end: int) -> tuple[int, bytes] | None:
    """The first line that begins after ``start`` (or at it, at the very beginning) and has a stamp: where it begins, and the stamp."""
    if start:
        start = _line_after(file, start, end)
    for offset, data in file.blocks(start, end, _NEAR):
        at = 0
        while at < len(data):
            stop = data.index(b"\n", at)
            entry = parse(data[at:stop])
            if entry is not None:
                return offset + at, entry.stamp
            at = stop + 1
    return None


def _line_after(file: LogFile, start: int, end: int) -> int:
    while start < end:
        data = file.read(start, min(BLOCK, end - start))
        found = data.find(b"\n")
        if found >= 0:
            return start + found + 1
        start += len(data) or end
    return end


def _back(file: LogFile, count: int) -> tuple[int, int]:
    """Where the last ``count`` lines begin, and how many are still wanted from the file before."""
    end = file.size
    while end > 0:
        begin = max(0, end - BLOCK)
        data = file.read(begin, end - begin)
        lines = data.count(b"\n")
        if lines > count:
            at = len(data)
            for _ in range(count + 1):
                at = data.rfind(b"\n", 0, at)
            return begin + at + 1, 0
        count, end = count - lines, begin
    return 0, count
