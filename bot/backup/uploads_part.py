"""The uploads' part of a backup: a snapshot against the newest sound one, and its comparison with the documents that were dumped.

A directory that is only the placeholder of the real one is refused: its backup would be empty, and look well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.backup.database_part import documents_of
from bot.backup.manifest import DatabasePart, UploadsPart
from bot.backup.shelf import Backup
from bot.backup.work import Hooks, Step, Threads
from bot.errors import Conflict, OutsideError, VccError
from bot.ops.bson_paths import paths_in
from bot.ops.bundle import Ops
from bot.ops.container_copy import ContainerCopy
from bot.ops.mongo_files import WITH_FILES
from bot.ops.overview import probe
from bot.ops.placement import Placement, placement, uploads_problems
from bot.ops.snapshot import take
from bot.ops.snapshot_compare import Compared, compare_with_documents, names_in
from bot.ops.tree_values import Snapshot, SnapshotResult, TreeMoved
from bot.ops.uploads import UploadsUsage, within_uploads
from bot.ops.verdict import Severity

FOLDER = "uploads"
INSIDE, SERVICE = "/app/uploads", "backend"
_LOOK = 20.0
# Of documents whose file is not in the backup so many are looked for where the files came from.
_SOUGHT = 2_000


@dataclass(frozen=True, slots=True)
class UploadsSource:
    """Where the uploads come from: a directory, or (None) the backend's container. ``bytes`` is about how much there is."""

    directory: Path | None
    bytes: int
    documents: int

    @property
    def kind(self) -> Literal["directory", "container"]:
        """As the manifest tells it."""
        return "container" if self.directory is None else "directory"


def snapshot_in(folder: Path) -> Snapshot:
    """The uploads in a backup's directory."""
    return Snapshot(folder / FOLDER)


def previous_of(backups: Sequence[Backup]) -> Backup | None:
    """The newest one that has uploads, and against which nothing is known."""
    return next((each for each in backups if each.is_sound and each.manifest is not None and each.manifest.uploads is not None), None)


async def find_uploads(ops: Ops, directory: Path | None, *, with_database: bool) -> UploadsSource:
    """Where they are, and that they are the real ones. Conflict with what to do when they are not."""
    if directory is None:
        return UploadsSource(None, 0, 0)
    usage = await ops.uploads.usage(_LOOK)
    if not with_database:
        _refuse_placeholder(usage, 0, None)
        return UploadsSource(directory, usage.total.bytes, 0)
    counts = await ops.mongo.counts()
    documents = sum(count.count for count in counts if count.name in WITH_FILES)
    place = await probe("uploads", lambda: placement(ops), _LOOK)
    _refuse_placeholder(usage, documents, None if isinstance(place, VccError) else place)
    return UploadsSource(directory, usage.total.bytes, documents)


def _refuse_placeholder(usage: UploadsUsage, documents: int, place: Placement | None) -> None:
    for problem in uploads_problems(usage, documents, place):
        if problem.severity is Severity.BAD:
            raise Conflict("backup.placeholder", **problem.values)


class UploadsCopy:
    """Copies the uploads."""

    def __init__(self, ops: Ops, docker_host: str, hooks: Hooks, threads: Threads) -> None:
        self._ops = ops
        self._docker_host = docker_host
        self._hooks = hooks
        self._threads = threads

    async def take(self, source: UploadsSource, making: Path, previous: Backup | None) -> SnapshotResult:
        """Write ``<making>/uploads`` and its index."""
        target, before = making / FOLDER, snapshot_in(previous.path) if previous else None
        if source.directory is not None:
            return await self._threads.run(take, source.directory, target, before, progress=self._tell, cancelled=self._threads.stopping)
        service = await self._ops.containers.service(SERVICE)
        copy = ContainerCopy(self._docker_host, service.container_id, INSIDE)
        try:
            return await self._threads.follow(copy.take(target, before, progress=self._tell, cancelled=self._threads.stopping))
        finally:
            copy.close()

    def _tell(self, moved: TreeMoved) -> None:
        self._hooks.say(Step("uploads", moved.files, max(moved.files, moved.total_files), "files"))

    async def prove(self, source: UploadsSource, making: Path, database: DatabasePart | None) -> Compared | None:
        """Compare the files with the documents that were dumped. OutsideError names a file that its source has and the backup has not."""
        if database is None:
            return None
        self._hooks.say(Step("check_uploads"))
        compared = await self._threads.run(compared_with_documents, making, database, _SOUGHT)
        if source.directory is not None:
            await self._threads.run(_all_gone, source.directory, compared.broken_first)
        return compared


def compared_with_documents(folder: Path, database: DatabasePart, first: int = 20) -> Compared:
    """The files of a backup beside the documents in it. Blocks."""
    snapshot = snapshot_in(folder)
    return compare_with_documents(lambda: names_in(snapshot), _documents(folder, database), first=first)


def _documents(folder: Path, database: DatabasePart) -> Iterator[str]:
    for path in documents_of(folder, database, WITH_FILES).values():
        yield from (rest for _, rest in map(within_uploads, paths_in(path)) if rest)


def _all_gone(directory: Path, names: Sequence[str]) -> None:
    """What a document points to and the backup has not must be missing at the source as well."""
    for name in names:
        try:
            (directory / name).lstat()
        except OSError:
            continue
        raise OutsideError("backup.left_out_file", system="backup", name=name)


def part_of(source: UploadsSource, result: SnapshotResult) -> UploadsPart:
    """As the manifest tells it."""
    return UploadsPart(result.files, result.bytes, result.new_files, result.new_bytes, source.kind, result.noted, result.took_s)
