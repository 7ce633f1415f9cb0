"""Finds out which of its forms a dump has, ours or mongodump's, and opens it: a directory, or an archive.

A source reads; it knows no server. All of its methods block: call them in a thread.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from pathlib import Path
from typing import Protocol

from bot.ops.dump_archive import ArchiveDump
from bot.ops.dump_directory import DirectoryDump
from bot.ops.dump_values import Definition


class Source(Protocol):
    """A dump of one database."""

    @property
    def database(self) -> str:
        """The database that was dumped."""

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """All its collections and views, sorted by name."""

    @property
    def total_bytes(self) -> int:
        """How much there is to read, of files that may be packed; 0 when unknown."""

    def stream(self, wanted: Collection[str] | None = None) -> Generator[tuple[str, bytes, int], None, None]:
        """(collection, bytes of whole documents, how many), of the ``wanted`` collections or all. Damaged where it is not sound.

        Pieces of one collection come in order; those of different collections may alternate.
        """


def open_dump(path: Path, database: str = "") -> Source:
    """The dump at ``path``: a directory with or around a database's files, or an archive, packed or not.

    ``database`` chooses when there are several. OutsideError when there is none, or no telling which.
    """
    return DirectoryDump(path, database) if path.is_dir() else ArchiveDump(path, database)
