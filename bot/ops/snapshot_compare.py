"""Compares names of files with names that documents hold, both as streams: sorted 64-bit hashes, eight bytes for each file.

Knows no file and no database. Two names with one hash would hide a fault, never invent one; with a million names that is one
chance in ten million.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.ops.tree_index import entries
from bot.ops.tree_values import Snapshot
from bot.ops.uploads import PLACEHOLDER

FIRST = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides. ``unowned`` are files without a document, ``broken`` documents without a file: how many, and the first names."""

    files: int
    documents: int
    unowned: int
    unowned_first: tuple[str, ...]
    broken: int
    broken_first: tuple[str, ...]


def names_in(snapshot: Snapshot) -> Iterable[str]:
    """The names of a snapshot's files; what only keeps a directory in being is none."""
    return (entry.path for entry in entries(snapshot.index) if not entry.is_directory and PurePosixPath(entry.path).name != PLACEHOLDER)


def compare_with_documents(files: Callable[[], Iterable[str]], documents: Iterable[str], *, first: int = FIRST) -> Compared:
    """``files`` gives the names anew each time it is called; ``documents`` are read once. A name may come from several documents."""
    hashes = _sorted(files())
    owned = bytearray(len(hashes))
    looked, broken, broken_first = 0, 0, list[str]()
    for name in documents:
        looked += 1
        place = _place(hashes, name)
        if place >= 0:
            owned[place] = 1
            continue
        broken += 1
        if len(broken_first) < first:
            broken_first.append(name)
    unowned, unowned_first = 0, list[str]()
    for name in files():
        place = _place(hashes, name)
        if place >= 0 and not owned[place]:
            unowned += 1
            if len(unowned_first) < first:
                unowned_first.append(name)
    return Compared(len(hashes), looked, unowned, tuple(unowned_first), broken, tuple(broken_first))


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big")


def _sorted(names: Iterable[str]) -> array[int]:
    unsorted = array("Q", map(_hash, names))
    return array("Q", sorted(unsorted))


def _place(hashes: array[int], name: str) -> int:
    wanted = _hash(name)
    place = bisect_left(hashes, wanted)
    return place if place < len(hashes) and hashes[place] == wanted else -1
