"""The second place of a backup, outside this machine: sending one there, and what is there. That it fails makes no backup worse."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.backup.manifest import Manifest
from bot.backup.shelf import MANIFEST, SUMS, Backup, order_of, time_of
from bot.backup.uploads_part import FOLDER, snapshot_in
from bot.backup.verify import DAMAGED
from bot.backup.work import Hooks, Step, Threads
from bot.errors import VccError
from bot.ops.bundle import Ops
from bot.ops.dump_faults import reading
from bot.ops.overview import probe
from bot.ops.remote import Remote
from bot.ops.remote_values import Called, Carried, Named, Pushed, RemoteBackup, RemoteBackups
from bot.ops.tree_index import entries

_NEWER, _NO_MANIFEST = "backup.newer_format", "backup.no_manifest"
DATABASE, UPLOADS, _PROJECT = "database", "uploads", "project="


@dataclass(frozen=True, slots=True)
class Copied:
    """How sending ended: ``pushed``, or why not. Neither when there is no second place."""

    pushed: Pushed | None = None
    failure: VccError | None = None

    @property
    def there(self) -> bool:
        """Whether it is whole over there."""
        return self.pushed is not None and not self.pushed.stopped_by


async def send(remote: Remote, backup: Backup, manifest: Manifest, hooks: Hooks, threads: Threads) -> Copied:
    """Send a backup to the second place."""

    def tell(carried: Carried) -> None:
        hooks.say(Step("push", carried.bytes, carried.total_bytes, "bytes"))

    hooks.say(Step("push"))
    try:
        files = await threads.run(lambda: tuple(files_of(backup, manifest)))
        return Copied(
            await remote.push(backup.path, files, called=Called(backup.id, labels_of(manifest)), say=tell, asked=hooks.asked_to_end)
        )
    except VccError as failure:
        return Copied(failure=failure)


def files_of(backup: Backup, manifest: Manifest) -> Iterator[Named]:
    """Every file: (path, bytes, SHA-256). Blocks."""
    yield from ((each.path, each.size, each.sha256) for each in manifest.files)
    for name in (MANIFEST, SUMS):
        with reading(name):
            data = (backup.path / name).read_bytes()
        yield name, len(data), hashlib.sha256(data).hexdigest()
    if manifest.uploads is not None:
        for entry in entries(snapshot_in(backup.path).index):
            if not entry.is_directory:
                yield f"{FOLDER}/{entry.path}", entry.size, entry.sha256


def labels_of(manifest: Manifest) -> tuple[str, ...]:
    """What is told of it over there: of which project it is, and which parts it has."""
    parts = ((DATABASE, manifest.database), (UPLOADS, manifest.uploads))
    return (f"{_PROJECT}{manifest.project}", *(name for name, part in parts if part is not None))


def is_of(project: str, there: RemoteBackup) -> bool:
    """Whether it may be this project's: one that does not say of which it is, may."""
    told = [each.removeprefix(_PROJECT) for each in there.labels if each.startswith(_PROJECT)]
    return not project or told in ([], [""], [project])


async def look(ops: Ops, deadline: float) -> RemoteBackups | VccError:
    """What is over there, the newest first, or why nobody knows; what no backup can be called is told as unreadable. What another
    project sent to the same place is not ours to show, to fetch or to remove."""
    found = await probe("s3", lambda: ops.remote.list(), deadline)
    if isinstance(found, VccError):
        return found
    named = (each for each in found.backups if time_of(each.id) is not None and is_of(ops.project, each))
    ours = sorted(named, key=lambda each: order_of(each.id), reverse=True)
    strange = tuple(each.id for each in found.backups if time_of(each.id) is None)
    return replace(found, backups=tuple(ours), unreadable=(*found.unreadable, *strange))


def is_damaged(backup: Backup) -> bool:
    """Whether its files here are not what they were. That says nothing of its copy over there; what a drill finds holds for both."""
    if backup.manifest is None:
        return backup.trouble is None or backup.trouble.key != _NEWER
    return backup.proof.fault in (DAMAGED, _NO_MANIFEST)
