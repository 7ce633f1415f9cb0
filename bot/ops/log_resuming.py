"""Where reading went to in a log's files, and finding that place again after they were rotated, packed, or read another way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.ops.log_anchor import RECENT, RECENT_BYTES, Stamped, anchor, digest
from bot.ops.log_entries import framed, parse
from bot.ops.log_files import LogFile
from bot.ops.log_position import LogPosition
from bot.ops.log_spans import DISORDER, bisected, seconds_of

Place = tuple[Sequence[LogFile], int, bool]


def position(container_id: str, file: LogFile, offset: int, *, unfinished: str, gap: bool) -> LogPosition:
    """Reading goes on behind ``offset`` in this file."""
    head = file.head(offset)
    found = anchor(list(_recent(file, offset)))
    return LogPosition(
        container_id,
        "file",
        mark=file.mark(head) if head else "",
        head=head,
        offset=offset,
        inode=file.inode,
        since=found.since if found else "",
        seen=found.seen if found else 0,
        seen_mark=found.seen_mark if found else "",
        last=found.last if found else "",
        unfinished=unfinished,
        gap=gap,
    )


def _recent(file: LogFile, offset: int) -> Iterator[Stamped]:
    """The newest entries before ``offset``."""
    begin = max(0, offset - RECENT_BYTES)
    raw = file.read(begin, offset - begin).rsplit(b"\n", RECENT + 1)
    for line in raw[:-1] if begin == 0 and len(raw) <= RECENT + 1 else raw[1:-1]:
        entry = parse(line)
        if entry is not None:
            yield Stamped(entry.stamp, framed(entry))


def resumed(files: Sequence[LogFile], after: LogPosition) -> Place:
    """The files from which to read on, where in the first of them, and whether something is missing before that."""
    if after.source == "file":
        for number, file in enumerate(files):
            if _is_meant(file, after) and file.size >= after.offset:
                return files[number:], after.offset, False
        return files, 0, True
    return _by_anchor(files, after) or _by_time(files, after.last.encode())


def _is_meant(file: LogFile, after: LogPosition) -> bool:
    return file.mark(after.head) == after.mark if after.head else file.inode == after.inode


def _by_anchor(files: Sequence[LogFile], after: LogPosition) -> Place | None:
    """Behind the entries that were read; None when they are not there as they were."""
    since, again = after.since.encode(), list[Stamped]()
    if not after.seen:
        return None
    for number, file in enumerate(files):
        for place, entry in _since(file, since):
            again.append(entry)
            if len(again) == after.seen:
                return (files[number:], place, False) if digest(again) == after.seen_mark else None
    return None


def _since(file: LogFile, since: bytes) -> Iterator[tuple[int, Stamped]]:
    """The entries of a file not stamped before ``since``, and where each ends."""
    for offset, data in file.blocks(bisected(file, seconds_of(since) - DISORDER), file.size):
        for raw in data.split(b"\n")[:-1]:
            offset += len(raw) + 1
            entry = parse(raw)
            if entry is not None and entry.stamp >= since:
                yield offset, Stamped(entry.stamp, framed(entry))


def _by_time(files: Sequence[LogFile], last: bytes) -> Place:
    """Behind the last entry that is not later than ``last``."""
    for number in range(len(files) - 1, -1, -1):
        file, behind = files[number], 0
        for offset, data in file.blocks(bisected(file, seconds_of(last) - DISORDER) if last else 0, file.size):
            for raw in data.split(b"\n")[:-1]:
                offset += len(raw) + 1
                entry = parse(raw)
                behind = offset if entry is not None and entry.stamp <= last else behind
        if behind:
            return files[number:], behind, False
    return files, 0, bool(last)
