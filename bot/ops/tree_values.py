"""What snapshots of a directory tree answer with, and how they fail. Sizes are bytes, times seconds. Touches no file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from bot.errors import Conflict, OutsideError
from bot.ops.bounded import describe
from bot.ops.dump_faults import SYSTEM
from bot.plain_text import harmless

MOST_NAMES = 200
INDEX_ENDING = ".jsonl"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One copy of a tree at ``tree``; beside it stands its index, with one line for each file."""

    tree: Path

    @property
    def index(self) -> Path:
        """The index's file."""
        return self.tree.with_name(self.tree.name + INDEX_ENDING)


@dataclass(frozen=True, slots=True)
class TreeMoved:
    """How far work on a tree is. ``total_files`` is an estimate, 0 when unknown."""

    files: int
    bytes: int
    total_files: int


Say = Callable[[TreeMoved], None]
Stopping = Callable[[], bool]
Remark = Literal["gone", "symlink", "device", "fifo", "socket", "special", "previous_unusable", "previous_damaged", "owner_not_kept"]


def silent(_: TreeMoved) -> None:
    """For whoever does not want to hear of progress."""


def never() -> bool:
    """For whoever never wants it to end early."""
    return False


class Status(Protocol):
    """What is asked of a file, by the names that the operating system's own answer has."""

    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_mode(self) -> int: ...
    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Noted:
    """Something about one name that is told and stops nothing. ``name`` is as on disk: make it harmless before showing it."""

    remark: Remark
    name: str


@dataclass(slots=True)
class Notes:
    """What was noted: all of it counted, the first names kept."""

    count: int = 0
    first: list[Noted] = field(default_factory=list)

    def add(self, remark: Remark, name: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < MOST_NAMES:
            self.first.append(Noted(remark, name))


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """A finished snapshot. Files are either ``linked`` to the previous one's or new; ``index_sha256`` vouches for all of them.

    ``noted_first`` are the first of ``noted`` remarks: what was left out (gone meanwhile, links, devices), or not as it should be.
    """

    files: int
    bytes: int
    new_files: int
    new_bytes: int
    linked: int
    directories: int
    index_sha256: str
    noted: int
    noted_first: tuple[Noted, ...]
    took_s: float


class Stopped(Conflict):
    """Somebody wanted it to end early."""

    def __init__(self) -> None:
        super().__init__("snapshot.stopped")


class TreeFault(OutsideError):
    """Something about one name ended the work. ``name`` is as on disk."""

    def __init__(self, key: str, name: str, detail: str = "") -> None:
        super().__init__(key, system=SYSTEM, detail=f"{name!r} {detail}", name=harmless(name, newlines=False)[:120])
        self.name = name


class NoRoom(Conflict):
    """The file system has not the bytes this needs."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__("snapshot.no_room")
        self.needed = needed
        self.free = free


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """What the file system throws at a reader of one name leaves in our words."""
    try:
        yield
    except OSError as error:
        raise TreeFault("snapshot.unreadable", name, describe(error)) from error
