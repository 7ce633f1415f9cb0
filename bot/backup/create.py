"""Makes one backup: each part in its turn, compared with where it came from, and only then given its name.

However it ends early, nothing of it stays and the queues are open again. Knows nothing of chat or of who asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from bot.backup import remote_copy, room
from bot.backup.configuration_part import write_configuration
from bot.backup.database_part import DatabaseCopy, Dumped
from bot.backup.manifest import ConfigurationPart, FileEntry, Manifest, QueuePart, Reason, UploadsPart
from bot.backup.queue_part import QueuesWritten, Stillness, write_queues
from bot.backup.remote_copy import Copied
from bot.backup.shelf import Backup, Making, Proof, Shelf
from bot.backup.uploads_part import UploadsCopy, UploadsSource, find_uploads, part_of, previous_of, snapshot_in
from bot.backup.work import Hooks, Step, Threads, endable, to_the_end
from bot.config import Settings
from bot.errors import OutsideError, VccError
from bot.ops.bundle import Ops
from bot.ops.snapshot_compare import Compared
from bot.words import Words

FIVE_MINUTES = 300.0


@dataclass(frozen=True, slots=True)
class Order:
    """What to make, and for whom. ``wait`` (seconds) is the longest that active jobs are given to end.

    ``still``: whoever asks has seen to it that nobody writes. Without ``send`` it goes to no second place."""

    reason: Reason = "asked"
    asked_by: str = ""
    reference: str = ""
    database: bool = True
    uploads: bool = True
    pause: bool = True
    wait: float = FIVE_MINUTES
    still: bool = False
    send: bool = True


@dataclass(frozen=True, slots=True)
class Created:
    """What came of it: the backup as it stands. ``held_s`` is how long the queues were held; ``still_closed`` would not open again."""

    backup: Backup
    manifest: Manifest
    held_s: float
    still_closed: tuple[str, ...]
    compared: Compared | None
    copied: Copied


@dataclass(slots=True)
class _Run:
    """What one run carries along."""

    order: Order
    begun: float
    files: list[FileEntry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dumped: Dumped | None = None
    still: bool = False
    held_s: float = 0.0
    still_closed: tuple[str, ...] = ()
    queues: tuple[QueuePart, ...] = ()
    configuration: ConfigurationPart | None = None
    uploads: UploadsPart | None = None
    compared: Compared | None = None
    settling: bool = False


class Creation:
    """Makes backups of the deployment behind ``ops``; one object for each."""

    def __init__(self, ops: Ops, settings: Settings, hooks: Hooks | None = None, clock: Callable[[], float] = time.time) -> None:
        self._ops = ops
        self._settings = settings
        self._hooks = hooks or Hooks()
        self._clock = clock
        self._threads = Threads()
        self._words = Words(settings.vcc_lang)
        self._shelf = Shelf(room.directory_of(settings))

    async def run(self, order: Order) -> Created:
        """Make it, then send it to the second place. EndedBy when somebody wanted it to end before it stood; Refusal when it must not
        be made now; OutsideError when a part cannot be had, or is not what its source holds."""
        run = _Run(order, self._clock(), still=order.still)
        try:
            backup, manifest = await endable(self._make(run), self._hooks, lambda: not run.settling)
            copied = Copied()
            if self._settings.vcc_backup_s3_url and order.send:
                copied = await remote_copy.send(self._ops.remote, backup, manifest, self._hooks, self._threads)
            if copied.there:
                await self._threads.run(self._shelf.prove, backup.id, remote_at=self._clock())
            return Created(backup, manifest, run.held_s, run.still_closed, run.compared, copied)
        finally:
            self._threads.close()

    async def _make(self, run: _Run) -> tuple[Backup, Manifest]:
        order = run.order
        self._hooks.say(Step("sweep"))
        await self._threads.run(room.ready, self._shelf)
        await self._refuse_beside_the_application(run)
        directory = self._settings.vcc_uploads_dir
        source = await find_uploads(self._ops, directory, with_database=order.database) if order.uploads else None
        previous = previous_of(await self._threads.run(self._shelf.backups)) if source else None
        await self._refuse_without_room(order, source, previous)
        async with self._making(run) as making:
            await self._configuration(run, making)
            await self._still_parts(run, making)
            if source is not None:
                await self._uploads(run, making, source, previous)
            await self._prove(run, making, source)
            return await self._settle(run, making)

    async def _refuse_beside_the_application(self, run: _Run) -> None:
        """Without the database this can be made though nobody can be asked."""
        try:
            await self._ops.mongo.app_backups.refuse_while_running()
        except OutsideError:
            if run.order.database:
                raise
            run.warnings.append(self._words("backup.warning.app_unknown"))

    async def _refuse_without_room(self, order: Order, source: UploadsSource | None, previous: Backup | None) -> None:
        data = (await self._ops.mongo.stats()).data_bytes if order.database else 0
        before = previous.manifest.uploads if previous and previous.manifest else None
        needed = room.needed(data, source.bytes if source else 0, before.bytes if before else 0)
        await self._threads.run(room.refuse_without, self._shelf.directory, needed, self._settings)

    @contextlib.asynccontextmanager
    async def _making(self, run: _Run) -> AsyncIterator[Making]:
        """The directory that is filled; removed in a thread, after every other has ended, unless it got its name."""
        making = self._shelf.making(run.begun)
        made = await self._threads.run(making.__enter__)
        try:
            yield made
        finally:
            await to_the_end(self._removed(making, made.path))

    async def _removed(self, making: contextlib.AbstractContextManager[Making], path: Path) -> None:
        await asyncio.to_thread(making.__exit__, None, None, None)
        if await asyncio.to_thread(path.exists):
            await asyncio.to_thread(self._shelf.sweep)

    async def _configuration(self, run: _Run, making: Making) -> None:
        self._hooks.say(Step("configuration"))
        found = await self._threads.follow(write_configuration(self._ops.deployment_files, making.path, self._words))
        run.configuration = found.part
        run.files += found.files
        run.warnings += found.warnings

    async def _still_parts(self, run: _Run, making: Making) -> None:
        """The database and the queues, which must agree: while the queues are held, if that helps."""
        began = time.monotonic()
        stillness = await self._stillness(run) if run.order.database and run.order.pause else None
        try:
            if stillness is not None:
                await self._hold(run, stillness)
            if run.order.database:
                self._hooks.say(Step("database"))
                run.dumped = await self._database().dump(making.path)
                self._say_left_out(run, run.dumped.result.left_out)
            await self._queues(run, making)
            run.still = run.still and (run.order.still or await self._lasts(stillness))
        finally:
            if stillness is not None:
                run.still_closed += await stillness.let_go()
                run.held_s = time.monotonic() - began if stillness.held_any else 0.0
        if run.dumped is not None and run.dumped.part(still=run.still).consistency == "none":
            run.warnings.append(self._words("backup.warning.not_still"))

    async def _stillness(self, run: _Run) -> Stillness | None:
        """None where holding the queues is no help (the server copies one moment by itself) or cannot be."""
        self._hooks.say(Step("hold"))
        if (await self._ops.mongo.ping()).replica_set is not None:
            return None
        try:
            return Stillness(self._ops.bull, self._hooks)
        except VccError as error:
            run.warnings.append(self._words("backup.warning.no_hold", reason=self._said(error)))
            return None

    async def _hold(self, run: _Run, stillness: Stillness) -> None:
        """Where jobs do not end in time there is nothing to wait for any more, so nobody is kept waiting."""
        try:
            run.still = await stillness.hold(run.order.wait)
        except VccError as error:
            run.warnings.append(self._words("backup.warning.no_hold", reason=self._said(error)))
        if not run.still:
            run.still_closed = await stillness.let_go()

    @staticmethod
    async def _lasts(stillness: Stillness | None) -> bool:
        """Whether they were held all the while, as far as anybody can tell."""
        try:
            return stillness is not None and await stillness.lasts()
        except VccError:
            return False

    def _database(self) -> DatabaseCopy:
        return DatabaseCopy(self._ops.mongo, self._settings.mongodb_uri.get_secret_value(), self._hooks, self._threads)

    def _say_left_out(self, run: _Run, names: Sequence[str]) -> None:
        if names:
            run.warnings.append(self._words("backup.warning.left_out", names=", ".join(names)))

    async def _queues(self, run: _Run, making: Making) -> None:
        """A queue that cannot be read costs its snapshot, never the backup."""
        self._hooks.say(Step("queue"))
        try:
            written: QueuesWritten = await write_queues(self._ops.bull, self._ops.seal, making.path, self._hooks, self._threads)
        except VccError as error:
            run.warnings.append(self._words("backup.warning.no_queue", reason=self._said(error)))
            return
        run.queues = written.queues
        run.files += written.files
        if written.left_out:
            run.warnings.append(self._words("backup.warning.no_job_data", names=", ".join(written.left_out)))

    async def _uploads(self, run: _Run, making: Making, source: UploadsSource, previous: Backup | None) -> None:
        self._hooks.say(Step("uploads"))
        result = await self._uploads_copy().take(source, making.path, previous)
        run.uploads = part_of(source, result)
        index = snapshot_in(making.path).index
        run.files.append(FileEntry(index.name, index.stat().st_size, result.index_sha256))
        if result.noted:
            run.warnings.append(self._words("backup.warning.noted", count=result.noted))

    def _uploads_copy(self) -> UploadsCopy:
        return UploadsCopy(self._ops, self._settings.docker_host, self._hooks, self._threads)

    async def _prove(self, run: _Run, making: Making, source: UploadsSource | None) -> None:
        """Against the source, while it is still what it was."""
        dumped = run.dumped
        if dumped is not None:
            self._hooks.say(Step("check_database"))
            unsure = await self._database().prove(making.path, dumped)
            run.files += dumped.files
            if unsure:
                run.warnings.append(self._words("backup.warning.uncounted", names=", ".join(unsure)))
        if source is not None:
            part = dumped.part(still=run.still) if dumped else None
            run.compared = await self._uploads_copy().prove(source, making.path, part)

    async def _settle(self, run: _Run, making: Making) -> tuple[Backup, Manifest]:
        """From here on it cannot be ended: it is given its name."""
        self._hooks.say(Step("settle"))
        run.settling = True
        now = self._clock()
        manifest = self._manifest(run, making.id, now)
        await self._threads.run(making.finish, manifest, Proof(good_at=now))
        return await self._threads.run(self._shelf.get, making.id), manifest

    def _manifest(self, run: _Run, identity: str, now: float) -> Manifest:
        order = run.order
        return Manifest(
            id=identity,
            project=self._settings.vcc_compose_project,
            started_at=run.begun,
            finished_at=now,
            reason=order.reason,
            asked_by=order.asked_by,
            reference=order.reference,
            program=version("vcc-ops-bot"),
            files=tuple(run.files),
            database=run.dumped.part(still=run.still) if run.dumped else None,
            uploads=run.uploads,
            configuration=run.configuration,
            queues=run.queues,
            warnings=tuple(run.warnings),
        )

    def _said(self, error: VccError) -> str:
        return self._words(error.key, **error.values)
