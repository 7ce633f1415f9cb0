"""The uploads directory: how many files of each kind, how big, how old. Reads names and sizes only, never a file's content.

Knows VCC's directories; nothing of the documents that point to the files.
"""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import Denied, NotFound, OutsideError, Rejected
from bot.ops.bounded import Vendor, Workers, describe, within

SYSTEM = "uploads"
KINDS = {
    "generated": "generated",
    "reference": "reference",
    "videos": "videos",
    "backup-temp": "temp",
    "restore-temp": "temp",
    "temp": "temp",
}
OTHER = "other"
PLACEHOLDER = ".gitkeep"
DIRECTORY = "/uploads/"
DAY = 86400.0
AGES = (("7d", 7 * DAY), ("30d", 30 * DAY), ("90d", 90 * DAY))
OLDER = "older"
LOOK_AT_CLOCK_EVERY = 256


@dataclass(frozen=True, slots=True)
class Amount:
    """So many files, so many bytes (their length, not the blocks they take)."""

    count: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class KindUsage:
    """One kind of upload. ``by_age`` goes from ``7d`` (changed within a week) to ``older`` (than 90 days), each file once.

    ``oldest_at`` and ``newest_at`` are the files' change times in seconds since the epoch; None when there are none.
    """

    kind: str
    total: Amount
    by_age: dict[str, Amount]
    oldest_at: float | None
    newest_at: float | None


@dataclass(frozen=True, slots=True)
class UploadsUsage:
    """The whole directory. ``placeholder`` means it holds nothing but ``.gitkeep``: the real uploads are elsewhere.

    ``partial`` when the deadline ended the walk: the figures are then what was seen, and too small. ``unreadable`` counts
    directories that could not be opened.
    """

    path: str
    kinds: tuple[KindUsage, ...]
    total: Amount
    placeholder: bool
    partial: bool
    unreadable: int


def translate(error: Exception, seconds: float) -> OutsideError:
    """What the operating system throws, in our words."""
    if isinstance(error, PermissionError):
        return Denied(SYSTEM, describe(error))
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotFound(SYSTEM, str(error.filename or ""), describe(error))
    return Rejected(SYSTEM, describe(error))


UPLOADS = Vendor(SYSTEM, (OSError,), translate)


@dataclass(slots=True)
class _Tally:
    """The sums of one kind while walking."""

    ages: dict[str, list[int]] = field(default_factory=lambda: {name: [0, 0] for name in (*(name for name, _ in AGES), OLDER)})
    oldest: float | None = None
    newest: float | None = None

    def add(self, size: int, changed: float, now: float) -> None:
        age = now - changed
        cell = self.ages[next((name for name, limit in AGES if age <= limit), OLDER)]
        cell[0] += 1
        cell[1] += size
        self.oldest = changed if self.oldest is None else min(self.oldest, changed)
        self.newest = changed if self.newest is None else max(self.newest, changed)

    def finished(self, kind: str) -> KindUsage:
        by_age = {name: Amount(*cell) for name, cell in self.ages.items()}
        return KindUsage(kind, _sum(by_age.values()), by_age, self.oldest, self.newest)


class _Walk:
    """One walk with an end in time. Links are not followed: what they point to is not ours to count."""

    def __init__(self, root: Path, seconds: float) -> None:
        self._root = root
        self._ends = time.monotonic() + seconds
        self._seen = 0
        self.partial = False
        self.unreadable = 0

    def files(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Each file with the name of the top directory it is under ("" for the root itself)."""
        with os.scandir(self._root):
            pass  # the root must be readable: its error is the caller's
        pending = [("", str(self._root))]
        while pending and not self.partial:
            top, directory = pending.pop()
            for entry in self._entries(directory):
                if not self._in_time():
                    return
                if entry.is_dir(follow_symlinks=False):
                    pending.append((top or entry.name, entry.path))
                else:
                    yield top, entry

    def _entries(self, directory: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(directory) as entries:
                yield from entries
        except OSError:
            self.unreadable += 1

    def _in_time(self) -> bool:
        self._seen += 1
        if self._seen % LOOK_AT_CLOCK_EVERY == 0 and time.monotonic() > self._ends:
            self.partial = True
        return not self.partial


def measure(root: Path, seconds: float, now: float) -> UploadsUsage:
    """Walk ``root`` for at most ``seconds``. OSError when it cannot be opened at all."""
    walk = _Walk(root, seconds)
    tallies: dict[str, _Tally] = {}
    placeholders = 0
    for top, entry in walk.files():
        if entry.name == PLACEHOLDER:
            placeholders += 1
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue  # removed while we looked
        if stat.S_ISREG(status.st_mode):
            tallies.setdefault(KINDS.get(top, OTHER), _Tally()).add(status.st_size, status.st_mtime, now)
    kinds = tuple(tally.finished(kind) for kind, tally in sorted(tallies.items()))
    return UploadsUsage(
        path=str(root),
        kinds=kinds,
        total=_sum([kind.total for kind in kinds]),
        placeholder=placeholders > 0 and not kinds and not walk.partial,
        partial=walk.partial,
        unreadable=walk.unreadable,
    )


@dataclass(frozen=True, slots=True)
class Presence:
    """How many of the files that documents point to were looked for here, and how many are missing. ``root`` is what the
    documents call this directory, empty when they name none."""

    looked_for: int
    missing: int
    root: str


def within_uploads(path: str) -> tuple[str, str]:
    """A path of the backend's as (its uploads directory, the rest below it); two empty texts for one that lies elsewhere."""
    head, found, rest = path.partition(DIRECTORY)
    if not found or "\0" in rest or any(part in ("", ".", "..") for part in rest.split("/")):
        return "", ""
    return head + DIRECTORY.rstrip("/"), rest


def presence(root: Path, paths: Iterable[str], seconds: float) -> Presence:
    """Look for files under ``root`` for at most ``seconds``; what cannot be looked at is not missing. OSError without a root."""
    with os.scandir(root):
        pass
    ends, looked_for, missing = time.monotonic() + seconds, 0, 0
    roots: Counter[str] = Counter()
    for path in paths:
        theirs, rest = within_uploads(path)
        if not rest or time.monotonic() > ends:
            continue
        roots[theirs] += 1
        looked_for += 1
        try:
            (root / rest).lstat()
        except (FileNotFoundError, NotADirectoryError):
            missing += 1
        except OSError:
            looked_for -= 1
    return Presence(looked_for, missing, roots.most_common(1)[0][0] if roots else "")


def _sum(amounts: Iterable[Amount]) -> Amount:
    parts = list(amounts)
    return Amount(sum(part.count for part in parts), sum(part.bytes for part in parts))


class Uploads:
    """The uploads directory at ``path``; a walk ends after ``deadline`` seconds with what it has."""

    def __init__(self, path: Path, deadline: float = 10.0) -> None:
        self._path = path
        self._deadline = deadline
        self._workers = Workers("uploads", 2)

    def close(self) -> None:
        """Let the threads go."""
        self._workers.close()

    async def usage(self, deadline: float | None = None) -> UploadsUsage:
        """How much there is. The walk stops by itself at the deadline; a file system that hangs is given up a little later."""
        seconds = self._deadline if deadline is None else deadline
        async with within(UPLOADS, seconds + 1.0):
            return await self._workers.run(measure, self._path, seconds, time.time())

    async def presence(self, paths: Iterable[str], deadline: float = 3.0) -> Presence:
        """Whether the files at these paths of the backend's are here."""
        async with within(UPLOADS, deadline + 1.0):
            return await self._workers.run(presence, self._path, tuple(paths), deadline)
