"""Reads a dump in mongodump's archive form: a prelude, then blocks of documents of alternating collections, each with a checksum.

Only the archive file is ever opened: names in it are names of collections, never paths.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator, Iterator
from pathlib import Path
from typing import Any

import bson
from bson.errors import BSONError
from fastcrc import crc64

from bot.errors import OutsideError
from bot.ops import dump_metadata
from bot.ops.dump_archive_blocks import Blocks
from bot.ops.dump_directory import BUCKETS, NOT_DATA
from bot.ops.dump_faults import SYSTEM, Damaged, reading
from bot.ops.dump_names import checked_collection, checked_database, is_dumped
from bot.ops.dump_open import opened
from bot.ops.dump_values import Definition
from bot.plain_text import harmless

MAGIC = b"\x6d\xe2\x99\x81"
MOST_COLLECTIONS = 100_000
Namespace = tuple[str, str]


class ArchiveDump:
    """The dump in the archive ``path``, packed or not."""

    def __init__(self, path: Path, database: str = "") -> None:
        self._path = path
        with self._blocks() as blocks:
            prelude = _prelude(blocks, path.name)
        self._known = frozenset((entry["db"], _physical(entry)) for entry in prelude)
        self.database = _database(prelude, database, path.name)
        found = (self._definition(entry) for entry in prelude if entry["db"] == self.database)
        self.definitions: tuple[Definition, ...] = tuple(sorted((each for each in found if each), key=lambda each: each.name))

    @property
    def total_bytes(self) -> int:
        """The bytes of the file."""
        with reading(self._path.name):
            return self._path.lstat().st_size

    def stream(self, wanted: Collection[str] | None = None) -> Generator[tuple[str, bytes, int], None, None]:
        """See ``Source``. The whole archive is read and its checksums proven, whatever is wanted."""
        names = {each.name for each in self.definitions if wanted is None or each.name in wanted}
        sums: dict[Namespace, int] = {}
        closed: set[Namespace] = set()
        with self._blocks() as blocks:
            _prelude(blocks, self._path.name)
            while True:
                at = blocks.offset
                header = blocks.document()
                if header is None:
                    break
                namespace = self._header(header, at, closed)
                if header["EOF"]:
                    self._close(blocks, header, sums.pop(namespace, 0), at)
                    closed.add(namespace)
                    continue
                sums.setdefault(namespace, 0)
                for data, count in blocks.body():
                    sums[namespace] = crc64.xz(data, sums[namespace])
                    if namespace[0] == self.database and namespace[1] in names:
                        yield namespace[1], data, count
        missing = self._known - closed
        if missing:
            raise Damaged(self._path.name, blocks.offset, f"cut off: {len(missing)} collections have no end")

    @contextlib.contextmanager
    def _blocks(self) -> Iterator[Blocks]:
        name = self._path.name
        with reading(name), opened(self._path) as file:
            blocks = Blocks(file.read, name)
            if blocks.take(len(MAGIC)) != MAGIC:
                raise OutsideError("dump.none", system=SYSTEM, name=harmless(name)[:120])
            yield blocks

    def _definition(self, entry: dict[str, Any]) -> Definition | None:
        """None for what is no collection to restore."""
        name = checked_collection(entry["collection"])
        if not is_dumped(name):
            return None
        if not entry["metadata"]:
            return Definition(name, "collection")
        definition = dump_metadata.read(entry["metadata"].encode(), self._path.name, name)
        if definition.name != name:
            raise Damaged(self._path.name, 0, "its metadata tell of another collection")
        return definition

    def _header(self, header: dict[str, Any], at: int, closed: set[Namespace]) -> Namespace:
        namespace = (header.get("db"), header.get("collection"))
        sound = isinstance(header.get("EOF"), bool) and isinstance(header.get("CRC"), int) and namespace in self._known
        if not sound or namespace in closed:
            raise Damaged(self._path.name, at, "a block of a collection that is not in the prelude, or has ended")
        return str(namespace[0]), str(namespace[1])

    def _close(self, blocks: Blocks, header: dict[str, Any], found: int, at: int) -> None:
        if any(True for _ in blocks.body()):
            raise Damaged(self._path.name, at, "documents behind a collection's end")
        if found != header["CRC"] % (1 << 64):
            raise Damaged(self._path.name, at, f"wrong checksum of {header['collection']}")


def _prelude(blocks: Blocks, name: str) -> list[dict[str, Any]]:
    """The collections that the archive tells of at its beginning."""
    if blocks.document() is None:
        raise Damaged(name, blocks.offset, "cut off in the header")
    entries: list[dict[str, Any]] = []
    for data, _ in blocks.body():
        try:
            entries += bson.decode_all(data)
        except (BSONError, RecursionError) as error:
            raise Damaged(name, blocks.offset, "the prelude is not BSON") from error
        if len(entries) > MOST_COLLECTIONS:
            raise Damaged(name, blocks.offset, "too many collections")
    for entry in entries:
        sound = all(isinstance(entry.get(key), str) for key in ("db", "collection"))
        if not sound or not all(isinstance(entry.get(key, ""), str) for key in ("metadata", "type")):
            raise Damaged(name, blocks.offset, "the prelude is of a wrong kind")
        entry.setdefault("metadata", "")
    if len({(entry["db"], entry["collection"]) for entry in entries}) != len(entries):
        raise Damaged(name, blocks.offset, "a collection twice")
    return entries


def _physical(entry: dict[str, Any]) -> str:
    """The name under which the documents of a collection come."""
    name: str = entry["collection"]
    return BUCKETS + name if entry.get("type") == "timeseries" else name


def _database(prelude: list[dict[str, Any]], wanted: str, name: str) -> str:
    """The database to read. OutsideError when it is not there, or there are several and no telling which."""
    there = {entry["db"] for entry in prelude}
    chosen = sorted(there & {wanted} if wanted else there - NOT_DATA - {""})
    if len(chosen) > 1:
        raise OutsideError("dump.several", system=SYSTEM, names=", ".join(harmless(each) for each in chosen)[:200])
    if not chosen:
        raise OutsideError("dump.none", system=SYSTEM, name=harmless(wanted or name)[:120])
    return checked_database(chosen[0])
