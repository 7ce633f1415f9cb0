"""What dumping and loading a database answer with. Sizes are bytes, times seconds. Knows no server and no file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.ops.bson_fingerprint import Fingerprint

Kind = Literal["collection", "capped", "view", "timeseries"]
Consistency = Literal["snapshot", "none"]
Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Definition:
    """A collection or view without its documents: how to make it again. ``uuid`` is hexadecimal, empty for a view."""

    name: str
    kind: Kind
    options: Options = field(default_factory=dict)
    indexes: tuple[Options, ...] = ()
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class DumpedCollection:
    """One collection as it was written. A view has no documents, and no ``.bson`` file: its ``sha256_bson`` is empty.

    ``file`` is the name of its files without the endings ``.bson`` and ``.metadata.json``.
    """

    name: str
    kind: Kind
    documents: int
    bytes: int
    sha256_bson: str
    sha256_metadata: str
    indexes: int
    file: str


@dataclass(frozen=True, slots=True)
class DumpResult:
    """A finished dump. ``left_out`` are collections that were dropped or renamed while it ran.

    ``consistency`` is ``snapshot`` when all collections are of one moment (``cluster_time``: seconds and count within the second).
    """

    database: str
    collections: tuple[DumpedCollection, ...]
    consistency: Consistency
    server_version: str
    cluster_time: tuple[int, int] | None
    took_s: float
    left_out: tuple[str, ...] = ()

    @property
    def documents(self) -> int:
        """All documents."""
        return sum(each.documents for each in self.collections)

    @property
    def bytes(self) -> int:
        """The bytes of all documents."""
        return sum(each.bytes for each in self.collections)


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a dump or a load is: the collection at hand, and sums over all. ``total_bytes`` is an estimate, 0 when unknown."""

    collection: str
    documents: int
    bytes: int
    total_bytes: int


Say = Callable[[Moved], None]


def silent(_: Moved) -> None:
    """For whoever does not want to hear of progress."""


@dataclass(frozen=True, slots=True)
class LoadedCollection:
    """One collection as it stands loaded. ``fingerprint`` is of what was read from the dump; None where nobody asked for it."""

    name: str
    kind: Kind
    documents: int
    bytes: int
    indexes: int
    fingerprint: Fingerprint | None = None


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A finished load, verified against the dump. ``database`` is where it was loaded to. Collections have new uuids."""

    database: str
    collections: tuple[LoadedCollection, ...]
    definitions: tuple[Definition, ...]
    took_s: float
