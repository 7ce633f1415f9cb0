"""Brings a backup back from the bucket into a new directory, every file compared with its hash, or nothing.

What the bucket says is not trusted: names that lead elsewhere and sizes beyond what was announced are refused.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Conflict, NotFound
from bot.ops.bounded import Workers
from bot.ops.dump_faults import Damaged, NoSpace, reading, writing
from bot.ops.folder_sync import sync_folder
from bot.ops.fresh_file import Measured, fresh
from bot.ops.remote_crew import Crew, Halted, Tally, watching
from bot.ops.remote_faults import Unsafe
from bot.ops.remote_listing import LONGEST_MANIFEST, checked_tree, read_listing, read_manifest
from bot.ops.remote_names import LISTING, MANIFEST, backup_key, checked_id, object_key
from bot.ops.remote_s3 import S3
from bot.ops.remote_values import SYSTEM, Asked, Fetched, FileEntry, RemoteBackup, Tell
from bot.ops.seal import ENDING, Seal, sealed_at_most

_LONGEST_LINE = 65_536
FETCHING = ".fetching-"


@dataclass(frozen=True, slots=True)
class _Room:
    """Where a backup arrives: the tree that gets the name in the end, and beside it what is half here."""

    path: Path

    @property
    def tree(self) -> Path:
        return self.path / "tree"

    @property
    def parts(self) -> Path:
        return self.path / "parts"


class Fetch:
    """Fetches backups."""

    def __init__(self, s3: S3, seal: Seal, workers: Workers) -> None:
        self._s3 = s3
        self._seal = seal
        self._workers = workers
        self._crew = Crew(workers, s3.limits.parallel)

    async def run(self, backup: str, target: Path, known: RemoteBackup | None = None, *, say: Tell, asked: Asked) -> Fetched:
        """See ``Remote.fetch``."""
        begun = time.monotonic()
        room = _Room(target.with_name(f"{FETCHING}{checked_id(backup)}"))
        manifest = await self._workers.run(self._manifest, backup)
        if known is not None and manifest != known:
            raise Conflict("remote.changed", name=backup)
        await self._workers.run(_make, room, target)
        try:
            entries = await self._workers.run(self._entries, manifest, room)
            tally = Tally(len(entries), manifest.bytes)

            def carry(entry: FileEntry, moved: Callable[[int], None]) -> None:
                self._carry(entry, room, manifest.sealed, moved)

            async with watching(tally, say, asked) as who:
                try:
                    await self._crew.carry(entries, carry, tally)
                except Halted:
                    return Fetched(backup, 0, 0, time.monotonic() - begun, who())
            say(tally.carried)
            await self._workers.run(_settle, room, target)
        finally:
            await self._workers.run(shutil.rmtree, room.path, ignore_errors=True)
        return Fetched(backup, len(entries), manifest.bytes, time.monotonic() - begun)

    def _manifest(self, backup: str) -> RemoteBackup:
        try:
            return read_manifest(self._s3.get(backup_key(backup, MANIFEST), LONGEST_MANIFEST), backup)
        except NotFound as error:
            raise NotFound(SYSTEM, backup, error.detail) from error

    def _entries(self, manifest: RemoteBackup, room: _Room) -> Sequence[FileEntry]:
        """The list, compared with its hash before a line of it is believed, and sealed no more."""
        path = room.path / "listing"
        stored = path.with_suffix(ENDING) if manifest.sealed else path
        with fresh(stored, limit=self._s3.limits.listing_bytes) as listing:
            for chunk in self._s3.stream(backup_key(manifest.id, LISTING)):
                listing.write(chunk)
            if listing.sha256 != manifest.listing_sha256:
                raise Damaged(f"{manifest.id}/{LISTING}", 0, "another hash than the manifest says")
        if manifest.sealed:
            self._seal.open_sealed(stored, path, limit=self._s3.limits.listing_bytes)
        entries = checked_tree(read_listing(_lines(path), manifest, self._s3.limits))
        if shutil.disk_usage(room.path).free < manifest.bytes:
            raise NoSpace(f"{manifest.bytes} bytes are needed")
        return entries

    def _carry(self, entry: FileEntry, room: _Room, sealed: bool, moved: Callable[[int], None]) -> None:
        """One file: beside the tree until it is proven to be the one."""
        part = room.parts / uuid.uuid4().hex
        path = room.tree / entry.path
        self._proven_at_last(entry, part, sealed, moved)
        with writing():
            part.chmod(entry.mode | 0o400)
            os.utime(part, ns=(entry.changed_ns, entry.changed_ns))
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.rename(path)

    def _proven_at_last(self, entry: FileEntry, part: Path, sealed: bool, moved: Callable[[int], None]) -> None:
        """What was damaged on the way may be right the next time; what is damaged over there is told by the file's own name."""
        for left in reversed(range(self._s3.limits.tries)):
            try:
                self._proven(entry, part, sealed, moved)
            except Damaged as error:
                if not left:
                    raise Damaged(entry.path, error.offset, error.reason) from error
            else:
                return

    def _proven(self, entry: FileEntry, part: Path, sealed: bool, moved: Callable[[int], None]) -> None:
        if not sealed:
            with fresh(part, limit=entry.bytes) as file:
                self._received(entry, file, moved)
                _compare(entry, file.bytes, file.sha256)
            return
        closed = part.with_suffix(ENDING)
        try:
            with fresh(closed, limit=sealed_at_most(entry.bytes)) as file:
                self._received(entry, file, moved)
            opened = self._seal.open_sealed(closed, part, limit=entry.bytes)
        finally:
            closed.unlink(missing_ok=True)
        try:
            _compare(entry, opened.bytes, opened.sha256)
        except Damaged:
            part.unlink()
            raise

    def _received(self, entry: FileEntry, file: Measured, moved: Callable[[int], None]) -> None:
        try:
            for chunk in self._s3.stream(object_key(entry.object)):
                file.write(chunk)
                moved(len(chunk))
        except NotFound as error:
            raise Damaged(entry.path, 0, "its content is not there") from error


def _compare(entry: FileEntry, size: int, sha256: str) -> None:
    if (size, sha256) != (entry.bytes, entry.sha256):
        raise Damaged(entry.path, 0, "another hash than the list says")


def _lines(path: Path) -> Iterator[bytes]:
    with reading(path.name), path.open("rb") as handle:
        while line := handle.readline(_LONGEST_LINE + 1):
            if len(line) > _LONGEST_LINE:
                raise Unsafe(path.name, "a line of absurd length")
            yield line


def _make(room: _Room, target: Path) -> None:
    """An empty room; what an earlier try left in it is of no use."""
    if target.exists() or target.is_symlink():
        raise Conflict("remote.target_exists", name=target.name)
    with writing():
        if room.path.is_symlink():
            room.path.unlink()
        elif room.path.exists():
            shutil.rmtree(room.path)
        for path in (room.path, room.tree, room.parts):
            path.mkdir(mode=0o700)


def _settle(room: _Room, target: Path) -> None:
    """The names to the disk, and then the name of it all."""
    with writing():
        for folder, _, _ in os.walk(room.tree):
            sync_folder(Path(folder))
        room.tree.rename(target)
        sync_folder(target.parent)
