"""Sends a backup to the bucket: the files that are not there yet, then what describes it, the manifest last.

Until the manifest is there, the backup is not. Knows nothing of what is in the files.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import itertools
import os
import stat
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import Busy, Conflict, NotFound, OutsideError
from bot.ops.bounded import Workers
from bot.ops.dump_faults import Damaged, reading, writing
from bot.ops.remote_crew import Crew, Halted, Tally, outlasting, watching
from bot.ops.remote_faults import midway
from bot.ops.remote_lease import PUSH, Lease
from bot.ops.remote_listing import LONGEST_MANIFEST, read_manifest, written_listing, written_manifest, written_tree
from bot.ops.remote_names import LISTING, MANIFEST, OBJECTS, TREE, backup_key, checked_id, checked_path, is_hash, object_key
from bot.ops.remote_s3 import S3
from bot.ops.remote_upload import Body, Moved, Upload
from bot.ops.remote_values import Asked, Called, FileEntry, Named, Pushed, RemoteBackup, Tell
from bot.ops.seal import ENDING, Seal

_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class _Work:
    """One push. ``entries`` are all files; ``missing`` those whose content is not there, each content once."""

    id: str
    source: Path
    entries: Sequence[FileEntry]
    missing: Sequence[FileEntry]
    labels: tuple[str, ...]


class Push:
    """Sends backups. ``staging`` is a directory for sealed copies of what is under way: they must be the same after a cut."""

    def __init__(self, s3: S3, seal: Seal, staging: Path, workers: Workers) -> None:
        self._s3 = s3
        self._seal = seal
        self._staging = staging
        self._workers = workers
        self._crew = Crew(workers, s3.limits.parallel)

    async def run(self, source: Path, files: Iterable[Named], *, called: Called, say: Tell, asked: Asked) -> Pushed:
        """See ``Remote.push``."""
        begun = time.monotonic()
        backup = checked_id(called.id)
        async with self._alone():
            entries = await self._workers.run(self._entries, source, files)
            async with Lease(self._s3, self._workers, PUSH).held() as lease:
                missing = await self._missing(entries)
                work = _Work(backup, source, entries, missing, called.labels)
                stopped_by = await self._send(work, say, asked)
                if not stopped_by:
                    await lease.alone()
                    await outlasting(self._workers.run(self._describe, work))
            await self._workers.run(self._tidy, "")
        total, sent = sum(entry.bytes for entry in entries), 0 if stopped_by else sum(entry.bytes for entry in missing)
        took = time.monotonic() - begun
        return Pushed(backup, len(entries), total, 0 if stopped_by else len(missing), sent, self._seal.configured, took, stopped_by)

    # ------------------------------------------------------------ what is to be sent
    def _entries(self, source: Path, files: Iterable[Named]) -> Sequence[FileEntry]:
        entries = (self._entry(source, *each) for each in files)
        return sorted(entries, key=lambda entry: entry.object)

    def _entry(self, source: Path, path: str, size: int, sha256: str) -> FileEntry:
        with reading(path):
            status = (source / checked_path(path)).lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != size:
            raise Damaged(path, 0, "not the file that the manifest names")
        name = self._seal.hidden(sha256) if self._seal.configured else sha256
        return FileEntry(path, size, sha256, status.st_mode & 0o777, status.st_mtime_ns, name)

    async def _missing(self, entries: Sequence[FileEntry]) -> Sequence[FileEntry]:
        """One entry for each content that is not there. Shelf by shelf, so that the bucket may hold any number."""
        shelves = itertools.groupby(entries, key=lambda entry: entry.object[:2])
        wanted = {shelf: {entry.object: entry for entry in several} for shelf, several in shelves}
        found = await asyncio.gather(*(self._workers.run(self._not_there, shelf, each) for shelf, each in wanted.items()))
        return list(itertools.chain.from_iterable(found))

    def _not_there(self, shelf: str, wanted: Mapping[str, FileEntry]) -> list[FileEntry]:
        there = {each.key.rpartition("/")[2]: each.bytes for each in self._s3.listed(f"{OBJECTS}{shelf}/")}
        return [entry for name, entry in wanted.items() if not self._fits(entry, there.get(name))]

    def _fits(self, entry: FileEntry, stored: int | None) -> bool:
        """An object is there as a whole or not at all; one of another length is not what was sent."""
        if stored is None:
            return False
        return stored > entry.bytes if self._seal.configured else stored == entry.bytes

    # ------------------------------------------------------------ sending
    async def _send(self, work: _Work, say: Tell, asked: Asked) -> str:
        """Big files one after the other, each in several parts at once; then the small ones, several at once. Gives who ended it."""
        total, left = sum(entry.bytes for entry in work.entries), sum(entry.bytes for entry in work.missing)
        tally = Tally(len(work.entries), total)
        tally.passed(len(work.entries) - len(work.missing), total - left)
        big = [entry for entry in work.missing if entry.bytes > self._s3.limits.multipart_from]
        small = [entry for entry in work.missing if entry.bytes <= self._s3.limits.multipart_from]

        def carry(entry: FileEntry, moved: Moved) -> None:
            self._carry(work.source, entry, moved)

        async with watching(tally, say, asked) as who:
            try:
                await self._crew.carry(big, carry, tally, parallel=1)
                await self._crew.carry(small, carry, tally)
            except Halted:
                return who()
            except OutsideError as error:
                raise midway(error, tally.carried.files, len(work.entries)) from error
        say(tally.carried)
        return ""

    def _carry(self, source: Path, entry: FileEntry, moved: Moved) -> None:
        """One file. What it was when the backup was made, it must still be: else nothing of it is sent."""
        path = source / entry.path
        if not self._seal.configured:
            body = Body.of(path)
            _same(entry, body.bytes, body.sha256)
            Upload(self._s3, object_key(entry.object), body, entry.path).send(moved)
            return
        staged = self._staging / f"{entry.object}{ENDING}"
        if not staged.exists():
            contents = self._seal.seal(path, staged)
            try:
                _same(entry, contents.bytes, contents.sha256)
            except Damaged:
                staged.unlink()
                raise
        Upload(self._s3, object_key(entry.object), Body.of(staged), entry.path).send(moved)
        staged.unlink()

    # ------------------------------------------------------------ what describes it
    def _describe(self, work: _Work) -> None:
        tree, tree_sha256 = written_tree(entry.object for entry in work.entries)
        if self._described(work, tree_sha256):
            return
        listing = self._listing(work)
        self._put(backup_key(work.id, LISTING), listing)
        self._put(backup_key(work.id, TREE), self._written("tree", tree))
        backup = RemoteBackup(
            id=work.id,
            files=len(work.entries),
            bytes=sum(entry.bytes for entry in work.entries),
            sealed=self._seal.configured,
            stored_at=time.time(),
            listing_sha256=listing.sha256,
            tree_sha256=tree_sha256,
            labels=work.labels,
        )
        self._put(backup_key(work.id, MANIFEST), self._written("manifest", written_manifest(backup)))

    def _described(self, work: _Work, tree_sha256: str) -> bool:
        """Whether it is there already. A backup does not change: Conflict when another of this name is there."""
        try:
            known = read_manifest(self._s3.get(backup_key(work.id, MANIFEST), LONGEST_MANIFEST), work.id)
        except NotFound:
            return False
        if (known.files, known.tree_sha256) != (len(work.entries), tree_sha256):
            raise Conflict("remote.exists", name=work.id)
        return True

    def _listing(self, work: _Work) -> Body:
        plain = self._staging / "listing"
        with writing(), plain.open("wb") as handle:
            handle.writelines(written_listing(work.entries))
        if not self._seal.configured:
            return Body.of(plain)
        sealed = self._staging / f"listing{ENDING}"
        self._seal.seal(plain, sealed)
        plain.unlink()
        return Body.of(sealed)

    def _written(self, name: str, content: bytes) -> Body:
        path = self._staging / name
        with writing():
            path.write_bytes(content)
        return Body(path, len(content), hashlib.sha256(content).hexdigest(), hashlib.md5(content, usedforsecurity=False).hexdigest())

    def _put(self, key: str, body: Body) -> None:
        Upload(self._s3, key, body, key).send(lambda _count: None)
        body.path.unlink()

    # ------------------------------------------------------------ the staging directory
    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """The staging directory is one push's; the lock goes with the process, whatever ends it."""
        descriptor = await self._workers.run(self._lock)
        try:
            yield
        finally:
            os.close(descriptor)

    def _lock(self) -> int:
        with writing():
            self._staging.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._staging / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise Busy("remote.busy_push") from error
        self._tidy(ENDING)
        return descriptor

    def _tidy(self, kept: str) -> None:
        """After a failure sealed copies that are whole may be of use (``kept`` is how their names end); all else is not."""
        for path in self._staging.iterdir():
            if path.name != _LOCK and not (kept and is_hash(path.name.removesuffix(kept))):
                path.unlink()


def _same(entry: FileEntry, size: int, sha256: str) -> None:
    if (size, sha256) != (entry.bytes, entry.sha256):
        raise Damaged(entry.path, 0, "it changed since the backup was made")
