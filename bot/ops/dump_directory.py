"""Reads a dump in mongodump's directory layout: files packed or not, one database of those there are.

Only files that lie in the directory are read; no name in a file's content leads anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from pathlib import Path

from bot.errors import OutsideError
from bot.ops import dump_metadata, dump_names
from bot.ops.dump_faults import SYSTEM, Damaged, reading
from bot.ops.dump_names import (
    BSON,
    METADATA,
    checked_collection,
    checked_database,
    collection_of,
    is_cut,
    is_dumped,
)
from bot.ops.dump_open import opened, pieces
from bot.ops.dump_values import Definition
from bot.plain_text import harmless

GZ = ".gz"
BUCKETS = "system.buckets."
NOT_DATA = frozenset({"admin", "config", "local"})


class DirectoryDump:
    """The dump in ``path``, which is the database's directory or the one around it."""

    def __init__(self, path: Path, database: str = "") -> None:
        with reading(path.name):
            self._folder = _folder(path, database)
            self._files = {each.name: each for each in sorted(self._folder.iterdir())}
        self.database = checked_database(self._folder.name)
        self._documents: dict[str, Path] = {}
        found = [definition for definition in map(self._definition, self._stems()) if definition is not None]
        self.definitions: tuple[Definition, ...] = tuple(sorted(found, key=lambda each: each.name))
        if len({each.name for each in found}) != len(found):
            raise Damaged(self.database, 0, "two files for one collection")

    @property
    def total_bytes(self) -> int:
        """The bytes of all files with documents."""
        with reading(self.database):
            return sum(path.lstat().st_size for path in self._documents.values())

    def stream(self, wanted: Collection[str] | None = None) -> Generator[tuple[str, bytes, int], None, None]:
        """See ``Source``: collection by collection."""
        for definition in self.definitions:
            path = self._documents.get(definition.name)
            if path is not None and (wanted is None or definition.name in wanted):
                for data, count in pieces(path):
                    yield definition.name, data, count

    def _stems(self) -> list[str]:
        """The names of files without their endings, each once."""
        stems = set()
        for name in self._files:
            bare = name.removesuffix(GZ)
            ending = next((each for each in (METADATA, BSON) if bare.endswith(each)), "")
            # Users and roles of the database lie here too, with a dollar in front; prelude.json is about the dump.
            if ending and not bare.startswith("$"):
                stems.add(bare.removesuffix(ending))
        return sorted(stems)

    def _definition(self, stem: str) -> Definition | None:
        """None for what is no collection to restore."""
        name = collection_of(stem)
        if name.startswith(BUCKETS):
            return None
        described, documents = self._file(stem + METADATA), self._file(stem + BSON)
        if described is None:
            if is_cut(stem):
                raise Damaged(stem, 0, "its metadata, which tell the whole name, are missing")
            definition = Definition(checked_collection(name), "collection")
        else:
            definition = dump_metadata.read(_content(described), described.name, name)
            # Old mongodumps escaped fewer letters.
            if definition.name != name and dump_names.stem(definition.name) != stem:
                raise Damaged(described.name, 0, "it tells of another collection than its file name")
        if not is_dumped(definition.name):
            return None
        self._place(definition, documents)
        return definition

    def _place(self, definition: Definition, documents: Path | None) -> None:
        if definition.kind in ("view", "timeseries"):
            return
        if documents is None:
            raise Damaged(definition.name, 0, "its documents are missing")
        self._documents[definition.name] = documents

    def _file(self, name: str) -> Path | None:
        plain, packed = self._files.get(name), self._files.get(name + GZ)
        if plain and packed:
            raise Damaged(name, 0, "there is a packed and an unpacked one")
        return plain or packed


def _folder(path: Path, database: str) -> Path:
    """The database's directory: ``path`` itself when there are files of documents in it, else the one in it."""
    if any(each.name.removesuffix(GZ).endswith((BSON, METADATA)) for each in path.iterdir() if each.is_file()):
        if database and path.name != database:
            raise _none(path, database)
        return path
    inside = sorted(each for each in path.iterdir() if each.is_dir() and not each.is_symlink())
    chosen = [each for each in inside if (each.name == database if database else each.name not in NOT_DATA)]
    if len(chosen) > 1:
        raise OutsideError("dump.several", system=SYSTEM, names=", ".join(harmless(each.name) for each in chosen)[:200])
    if not chosen:
        raise _none(path, database)
    return chosen[0]


def _none(path: Path, database: str) -> OutsideError:
    return OutsideError("dump.none", system=SYSTEM, name=harmless(database or path.name)[:120])


def _content(path: Path) -> bytes:
    with reading(path.name), opened(path) as file:
        parts, size = [], 0
        while part := file.read(1 << 20):
            parts.append(part)
            size += len(part)
            if size > dump_metadata.LARGEST:
                raise Damaged(path.name, size, "metadata too large")
    return b"".join(parts)
