"""The uploads' half of a drill: a sample of files put back into a scratch directory the way a restore does it, read again, and opened.

All files' hashes are proven elsewhere; here it is the putting back. Blocks where it says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.backup.drill_database import NotRestorable
from bot.backup.manifest import SYSTEM
from bot.ops.dump_faults import writing
from bot.ops.images import BROKEN, IMAGE, LARGE, decode
from bot.ops.snapshot_fill import BLOCK, Filler
from bot.ops.snapshot_verify import verify
from bot.ops.tree_copy import Ways
from bot.ops.tree_index import Entry, IndexWriter, checked, key_of, lines, parsed
from bot.ops.tree_values import Snapshot, Stopping, silent
from bot.ops.tree_walk import open_root
from bot.plain_text import harmless

MOST_FILES = 200
_MOST_BYTES = 1 << 30
_FILES = "uploads"


@dataclass(frozen=True, slots=True)
class Sample:
    """Some files of a snapshot, with the directories above them: lines of its index, by their paths."""

    lines: dict[str, bytes]
    files: tuple[Entry, ...]

    @property
    def bytes(self) -> int:
        """What copies of them take, in whole blocks."""
        return sum(max(1, -(-each.size // BLOCK)) * BLOCK for each in self.files)


@dataclass(frozen=True, slots=True)
class UploadsFound:
    """What was put back. ``broken`` and ``large`` are the names of pictures, just as the application stored them, that do not open,
    or are too big to be tried. ``opened`` is None when pictures cannot be opened on this machine."""

    files: int
    bytes: int
    opened: int | None
    broken: tuple[str, ...] = ()
    large: tuple[str, ...] = ()


@dataclass(slots=True)
class _Choosing:
    """Takes the entries in order, with the directories above the one at hand."""

    lines: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Entry] = field(default_factory=dict)
    above: list[tuple[str, bytes]] = field(default_factory=list)
    taken: int = 0

    def enter(self, path: str, line: bytes) -> None:
        while self.above and not path.startswith(self.above[-1][0]):
            self.above.pop()
        if path.endswith("/"):
            self.above.append((path, line))

    def take(self, entry: Entry, line: bytes, above: Iterable[tuple[str, bytes]]) -> None:
        if self.taken + entry.size <= _MOST_BYTES and entry.path not in self.files:
            self.lines.update(above)
            self.lines[entry.path] = line
            self.files[entry.path] = entry
            self.taken += entry.size


def choose(snapshot: Snapshot, most: int = MOST_FILES) -> Sample:
    """So many files at even distances, so that every part of the tree is seen, and the largest. TreeFault for a damaged index. Blocks."""
    total, number = checked(snapshot.index).files, 0
    choosing = _Choosing()
    largest: tuple[Entry, bytes, list[tuple[str, bytes]]] | None = None
    for line in lines(snapshot.index):
        entry = parsed(line, snapshot.index.name)
        choosing.enter(entry.path, line)
        if entry.is_directory:
            continue
        if total <= most or number * most // total != (number - 1) * most // total:
            choosing.take(entry, line, choosing.above)
        if entry.size <= _MOST_BYTES and (largest is None or entry.size > largest[0].size):
            largest = entry, line, list(choosing.above)
        number += 1
    if largest is not None:
        choosing.take(*largest)
    return Sample(choosing.lines, tuple(choosing.files.values()))


def put_back(snapshot: Snapshot, sample: Sample, scratch: Path, stopping: Stopping) -> Snapshot:
    """The sample in a new directory ``scratch``, as a small snapshot: read again, and found equal. TreeFault or NotRestorable names
    the file that is not what the index says. Blocks."""
    small = Snapshot(scratch / _FILES)
    with writing():
        for folder in (scratch, small.tree):
            folder.mkdir(mode=0o700)
        writer = IndexWriter(small.index, 0)
        try:
            for path in sorted(sample.lines, key=key_of):
                writer.add(sample.lines[path] if not path.endswith("/") else _open_to_us(sample.lines[path]))
            writer.finish(len(sample.files), sum(each.size for each in sample.files))
        finally:
            writer.close()
        with _opened(snapshot.tree) as source, _opened(small.tree) as target:
            Filler(Ways(owner=(os.geteuid(), os.getegid())), len(sample.files), silent, stopping).run(small, source, target)
    found = verify(small, cancelled=stopping)
    if found.faults:
        raise NotRestorable("backup.drill.not_equal", system=SYSTEM, name=harmless(found.first[0].name, newlines=False)[:120])
    return small


def _open_to_us(line: bytes) -> bytes:
    """A directory of the scratch is to be removed again, whatever its mode was."""
    return json.dumps({**json.loads(line), "mode": "0700"}).encode() + b"\n"


@contextmanager
def _opened(tree: Path) -> Iterator[int]:
    opened = open_root(tree)
    try:
        yield opened
    finally:
        os.close(opened)


async def open_pictures(small: Snapshot, sample: Sample, say: Callable[[int], None]) -> UploadsFound:
    """Open those that are pictures."""
    words = await decode([small.tree / each.path for each in sample.files], say)
    named = dict(zip((each.path for each in sample.files), words, strict=True))
    broken, large = (tuple(path for path, word in named.items() if word == kind) for kind in (BROKEN, LARGE))
    return UploadsFound(len(sample.files), sum(each.size for each in sample.files), words.count(IMAGE), broken, large)
