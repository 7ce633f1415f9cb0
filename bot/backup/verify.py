"""Proves a backup against itself: every byte of every file against its hash, documents and files against what the manifest says.

Reads only. Knows nothing of the deployment it was made of.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bot.backup.database_part import FOLDER as DATABASE
from bot.backup.manifest import LARGEST, SYSTEM, CollectionPart, FileEntry, Manifest
from bot.backup.shelf import MANIFEST, PROOF, SUMS, Backup, Proof, Shelf, beside, sums_of
from bot.backup.uploads_part import FOLDER as UPLOADS
from bot.backup.uploads_part import compared_with_documents, snapshot_in
from bot.backup.work import Hooks, Step, Threads, endable
from bot.errors import NotFound, OutsideError
from bot.ops.bson_walk import walk_bson
from bot.ops.dump_faults import Damaged
from bot.ops.dump_names import BSON
from bot.ops.snapshot_compare import Compared
from bot.ops.snapshot_verify import verify as verify_snapshot
from bot.ops.tree_values import Stopped, TreeMoved

DAMAGED = "backup.damaged"
MOST_NAMES = 200
_PIECE = 1 << 20

Kind = Literal["missing", "extra", "type", "size", "content", "unreadable", "index", "not_bson", "count"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one file of the backup. ``name`` is as on disk: make it harmless before showing it."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at everything found: it is sound when there are no ``faults`` (of which ``first`` are the first)."""

    id: str
    files: int
    bytes: int
    documents: int
    faults: int
    first: tuple[Fault, ...]
    compared: Compared | None
    took_s: float


@dataclass(slots=True)
class _Look:
    """One look at one backup. Blocks."""

    path: Path
    manifest: Manifest
    say: Callable[[Step], None]
    stopping: Callable[[], bool]
    files: int = 0
    read: int = 0
    documents: int = 0
    faults: int = 0
    first: list[Fault] = field(default_factory=list)

    def run(self) -> Compared | None:
        self.check_listed()
        self._extra()
        return self._uploads()

    def check_listed(self) -> None:
        """Everything that the manifest itself lists."""
        self._itself()
        self._listed()
        self._collections()

    def fault(self, kind: Kind, name: str) -> None:
        self.faults += 1
        if len(self.first) < MOST_NAMES:
            self.first.append(Fault(kind, name))

    def _tell(self) -> None:
        self.say(Step("verify", self.read, self.manifest.bytes, "bytes"))
        if self.stopping():
            raise Stopped

    def _itself(self) -> None:
        """The manifest and the sums vouch for each other: the one that disagrees with all else is the damaged one."""
        contents = [self._content(name) for name in (MANIFEST, SUMS)]
        if None in contents:
            return
        manifest, sums = (content or b"" for content in contents)
        if sums == sums_of(self.manifest, manifest):
            return
        told = f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()
        self.fault("content", SUMS if sums.endswith(told) else MANIFEST)

    def _content(self, name: str) -> bytes | None:
        try:
            with (self.path / name).open("rb") as file:  # one that came from elsewhere may be of any size
                return file.read(LARGEST + 1)
        except FileNotFoundError:
            self.fault("missing", name)
        except OSError:
            self.fault("unreadable", name)
        return None

    def _listed(self) -> None:
        for entry in self.manifest.files:
            kind = self._judged(entry)
            if kind is not None:
                self.fault(kind, entry.path)
            self.files += 1
            self._tell()

    def _judged(self, entry: FileEntry) -> Kind | None:
        """Never through a link, and of a file only."""
        try:
            opened = os.open(self.path / entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "unreadable"
        with os.fdopen(opened, "rb", buffering=0) as file:
            status = os.fstat(opened)
            if not stat.S_ISREG(status.st_mode):
                return "type"
            if status.st_size != entry.size:
                return "size"
            try:
                return None if self._hash(file.read) == entry.sha256 else "content"
            except OSError:
                return "unreadable"

    def _hash(self, read: Callable[[int], bytes]) -> str:
        digest = hashlib.sha256()
        while piece := read(_PIECE):
            digest.update(piece)
            self.read += len(piece)
            self._tell()
        return digest.hexdigest()

    def _extra(self) -> None:
        listed = {entry.path for entry in self.manifest.files} | {MANIFEST, SUMS, PROOF, beside(PROOF)}
        for name in _names(self.path):
            if name not in listed:
                self.fault("extra", name)

    def _collections(self) -> None:
        database = self.manifest.database
        damaged = {fault.name for fault in self.first}
        for each in database.collections if database else ():
            if database is not None and each.kind != "view":
                name = f"{DATABASE}/{database.name}/{each.file}{BSON}"
                if name not in damaged:
                    self._collection(name, each)

    def _collection(self, name: str, collection: CollectionPart) -> None:
        self._tell()
        try:
            found = walk_bson(self.path / name)
        except Damaged:
            self.fault("not_bson", name)
        except OutsideError:
            self.fault("unreadable", name)
        else:
            self.documents += found.documents
            if (found.documents, found.bytes) != (collection.documents, collection.bytes):
                self.fault("count", name)

    def _uploads(self) -> Compared | None:
        part, database = self.manifest.uploads, self.manifest.database
        if part is None:
            return None
        before = self.read

        def moved(progress: TreeMoved) -> None:
            self.read = before + progress.bytes
            self.say(Step("verify", self.read, self.manifest.bytes, "bytes"))

        found = verify_snapshot(snapshot_in(self.path), progress=moved, cancelled=self.stopping)
        for fault in found.first:
            self.first.append(Fault(fault.kind, f"{UPLOADS}/{fault.name}"))
        self.faults += found.faults
        self.files, self.read = self.files + found.files, before + found.bytes
        if not found.faults and (found.files, found.bytes) != (part.files, part.bytes):
            self.fault("count", UPLOADS)
        return None if self.faults or database is None else compared_with_documents(self.path, database)


def _names(folder: Path) -> Iterator[str]:
    """Every file outside the uploads' tree, by its path in the backup; links are names of their own."""
    for directory, folders, files in os.walk(folder):
        below = Path(directory).relative_to(folder)
        if below == Path():
            folders[:] = [name for name in folders if name != UPLOADS]
        links = [name for name in folders if (Path(directory) / name).is_symlink()]
        yield from ((below / name).as_posix() for name in (*files, *links))


def examine(backup: Backup, manifest: Manifest, say: Callable[[Step], None], stopping: Callable[[], bool]) -> Verified:
    """Look at everything. Stopped when ``stopping`` says so. Blocks: run it in a thread."""
    begun = time.monotonic()
    look = _Look(backup.path, manifest, say, stopping)
    compared = look.run()
    took = time.monotonic() - begun
    return Verified(backup.id, look.files, look.read, look.documents, look.faults, tuple(look.first), compared, took)


def damaged_files(backup: Backup, manifest: Manifest, say: Callable[[Step], None], stopping: Callable[[], bool]) -> tuple[str, ...]:
    """The names of the first files that are not as the manifest says, the uploads' own files left out. Blocks."""
    look = _Look(backup.path, manifest, say, stopping)
    look.check_listed()
    return tuple(fault.name for fault in look.first)


async def verify(shelf: Shelf, identity: str, hooks: Hooks, clock: Callable[[], float] = time.time) -> Verified:
    """Look at the backup of this id (the newest without one), and write down what was found. EndedBy when somebody wanted it to end.

    What cannot be read at all is raised as it is: NotFound, Conflict for a newer bot's, OutsideError for a damaged manifest.
    """
    threads = Threads()
    try:
        backup = await threads.run(shelf.get, identity)
        if backup.manifest is None:
            await _note_unreadable(threads, shelf, backup, clock())
            raise backup.trouble or OutsideError("backup.no_manifest", system=SYSTEM, name=backup.id)
        which = await threads.run(_which, backup)
        looking = threads.run(examine, backup, backup.manifest, hooks.say, threads.stopping)
        found = await endable(looking, hooks, lambda: True)
        if await threads.run(_which, backup) != which:  # removed or replaced meanwhile
            raise NotFound(SYSTEM, backup.id)
        await threads.run(shelf.amend, backup.id, lambda known: _judged(known, found, clock()))
        return found
    finally:
        threads.close()


def _which(backup: Backup) -> tuple[int, int] | None:
    """The directory itself: another one may have its name by the time all of it was read. None when there is none."""
    try:
        status = backup.path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _judged(known: Proof, found: Verified, now: float) -> Proof:
    """What is known by now, as a drill may have ended meanwhile. What only a drill can find is not taken back by whole files."""
    if found.faults:
        return replace(known, fault=DAMAGED, fault_at=now, verified_at=None)
    if known.fault in ("", DAMAGED, "backup.no_manifest"):
        known = replace(known, fault="", fault_at=None)
    return replace(known, verified_at=now)


async def _note_unreadable(threads: Threads, shelf: Shelf, backup: Backup, now: float) -> None:
    """A newer bot's is not damaged: it is only not ours to read."""
    if backup.trouble is not None and backup.trouble.key == "backup.no_manifest":
        await threads.run(shelf.prove, backup.id, fault=backup.trouble.key, fault_at=now, verified_at=None)
