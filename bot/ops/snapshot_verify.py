"""Proves a snapshot against its own index: every file there, of that size and content, and nothing else. Blocks: run it in a thread.

Knows nothing of where the files came from.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from bot.ops.tree_copy import sha256_of
from bot.ops.tree_index import Entry, checked, entries, key_of
from bot.ops.tree_pool import Ordered
from bot.ops.tree_values import MOST_NAMES, Say, Snapshot, Stopped, Stopping, TreeFault, TreeMoved, never, reading, silent
from bot.ops.tree_walk import not_too_deep, open_below, open_root, sorted_names, status_of

Kind = Literal["missing", "extra", "type", "size", "content", "unreadable", "index"]
_TELL_EVERY = 256


@dataclass(frozen=True, slots=True)
class SnapshotFault:
    """What is wrong with one name. It is as on disk: make it harmless before showing it."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at every file found. ``first`` are the first of ``faults``; the snapshot is sound when there are none."""

    files: int
    bytes: int
    faults: int
    first: tuple[SnapshotFault, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """Something in the tree, or (without status) nothing where the index has an entry."""

    path: str
    status: os.stat_result
    directory: int
    name: str


@dataclass(frozen=True, slots=True)
class _Job:
    found: _Found
    entry: Entry


@dataclass(slots=True)
class _Sums:
    say: Say
    stopping: Stopping
    total: int = 0
    files: int = 0
    bytes: int = 0
    faults: int = 0
    first: list[SnapshotFault] = field(default_factory=list)

    def fault(self, kind: Kind, name: str) -> None:
        self.faults += 1
        if len(self.first) < MOST_NAMES:
            self.first.append(SnapshotFault(kind, name))

    def take(self, answer: tuple[Entry, Kind | None]) -> None:
        entry, kind = answer
        if kind is not None:
            self.fault(kind, entry.path)
        self.files += 1
        self.bytes += entry.size
        if self.files % _TELL_EVERY == 0:
            self.say(TreeMoved(self.files, self.bytes, self.total))
            if self.stopping():
                raise Stopped


def verify(snapshot: Snapshot, *, progress: Say = silent, cancelled: Stopping = never) -> Verified:
    """Read every file of a snapshot. A damaged index is a fault like others, and ends the look."""
    sums = _Sums(progress, cancelled)
    try:
        sums.total = checked(snapshot.index).files
        root = _opened(snapshot)
    except TreeFault as fault:
        sums.fault("index" if fault.name == snapshot.index.name else "missing", fault.name)
        return Verified(0, 0, sums.faults, tuple(sums.first))
    pool: Ordered[_Job, tuple[Entry, Kind | None]] = Ordered(_judged, sums.take)
    compare = _Compare(pool, sums, entries(snapshot.index))
    try:
        compare.run(root)
    finally:
        pool.close()
        for opened in (root, *compare.open):
            os.close(opened)
    return Verified(sums.files, sums.bytes, sums.faults, tuple(sums.first))


def _opened(snapshot: Snapshot) -> int:
    with reading(snapshot.tree.name):
        return open_root(snapshot.tree)


def _judged(job: _Job) -> tuple[Entry, Kind | None]:
    """In a thread of the pool."""
    try:
        found = sha256_of(job.found.directory, job.found.name, job.found.path)
    except TreeFault:
        return job.entry, "unreadable"
    if found is None:
        return job.entry, "missing"
    if found[1] != job.entry.size:
        return job.entry, "size"
    return job.entry, None if found[0] == job.entry.sha256 else "content"


class _Compare:
    """Walks tree and index side by side, both in the same order."""

    def __init__(self, pool: Ordered[_Job, tuple[Entry, Kind | None]], sums: _Sums, expected: Iterator[Entry]) -> None:
        self._pool, self._sums, self._expected = pool, sums, expected
        self._entry = next(expected, None)
        self.open: list[int] = []

    def run(self, root: int) -> None:
        self._directory(root, "", 0)
        while self._entry is not None:
            self._missing(self._entry)
        self._pool.drain()

    def _directory(self, directory: int, path: str, depth: int) -> None:
        not_too_deep(depth, path)
        for name in sorted_names(directory, path):
            status = status_of(directory, name)
            if status is not None:
                self._one(_Found(path + name, status, directory, name), depth)
        self._pool.drain()

    def _one(self, found: _Found, depth: int) -> None:
        key = key_of(found.path)
        while self._entry is not None and key_of(self._entry.path) < key:
            self._missing(self._entry)
        entry = self._entry
        if entry is None or key_of(entry.path) != key:
            self._sums.fault("extra", found.path)
            return
        self._entry = next(self._expected, None)
        right = stat.S_ISDIR if entry.is_directory else stat.S_ISREG
        if not right(found.status.st_mode):
            self._sums.fault("type", found.path)
        elif entry.is_directory:
            self._enter(found, depth)
        else:
            self._pool.add(_Job(found, entry), entry.size)

    def _enter(self, found: _Found, depth: int) -> None:
        opened = open_below(found.directory, found.name)
        if opened is None:
            self._sums.fault("type", found.path)
            return
        self.open.append(opened)
        self._directory(opened, found.path + "/", depth + 1)
        os.close(self.open.pop())

    def _missing(self, entry: Entry) -> None:
        self._sums.fault("missing", entry.path)
        self._entry = next(self._expected, None)
