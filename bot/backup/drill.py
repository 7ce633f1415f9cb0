"""A drill: a backup is restored beside the live data, compared, and taken away again; what came of it is written down.

What fails for the deployment's sake (a server that is down, no room, somebody who ended it) says nothing of the backup.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.backup import room
from bot.backup.drill_database import DatabaseDrill, DatabaseFound, NotRestorable
from bot.backup.drill_uploads import Sample, UploadsFound, choose, open_pictures, put_back
from bot.backup.manifest import SYSTEM, Manifest
from bot.backup.shelf import Backup, Shelf
from bot.backup.uploads_part import snapshot_in
from bot.backup.verify import DAMAGED, Verified, examine
from bot.backup.work import Hooks, Step, Threads, endable, to_the_end
from bot.config import Settings
from bot.errors import Conflict, OutsideError
from bot.figures import Figures
from bot.ops.bundle import Ops
from bot.ops.dump_faults import Damaged
from bot.ops.load_check import refused_content
from bot.ops.tree_values import TreeFault
from bot.plain_text import harmless

_LOG = logging.getLogger("vcc.backup")
NOT_RESTORABLE = "backup.drill.not_restorable"
SCRATCH = ".drill-"
_ABOUT_THE_BACKUP = frozenset(
    {
        *("load.mismatch", "load.no_index", "snapshot.damaged", "snapshot.unsafe_name"),
        *("dump.none", "dump.several", "dump.timeseries", "dump.unknown_kind", "dump.unsafe_name"),
    }
)


@dataclass(frozen=True, slots=True)
class Drilled:
    """What came of it: restorable when there is no ``fault``, and ``verified`` found none. ``left`` could not be taken away again."""

    id: str
    verified: Verified
    database: DatabaseFound | None
    uploads: UploadsFound | None
    fault: OutsideError | None
    left: tuple[str, ...]
    took_s: float

    @property
    def is_restorable(self) -> bool:
        """Whether everything held."""
        return self.fault is None and not self.verified.faults


@dataclass(slots=True)
class _Run:
    """What one drill carries along."""

    backup: Backup
    manifest: Manifest
    database: DatabaseDrill | None
    scratch: Path
    sample: Sample | None = None
    verified: Verified | None = None
    loaded: DatabaseFound | None = None
    uploads: UploadsFound | None = None
    left: list[str] = field(default_factory=list)


class Drill:
    """Drills backups beside the deployment behind ``ops``; one object for each."""

    def __init__(self, ops: Ops, settings: Settings, hooks: Hooks | None = None, clock: Callable[[], float] = time.time) -> None:
        self._ops = ops
        self._settings = settings
        self._hooks = hooks or Hooks()
        self._clock = clock
        self._threads = Threads()
        self._shelf = Shelf(room.directory_of(settings))

    async def run(self, identity: str = "") -> Drilled:
        """Drill the backup of this id, or the newest, and write down what came of it.

        EndedBy, another Refusal or an OutsideError that says nothing of the backup leave what is known of it as it was.
        """
        begun = time.monotonic()
        try:
            backup = await self._threads.run(self._shelf.get, identity)
            manifest = _drillable(backup)
            scratch = self._shelf.directory / f"{SCRATCH}{secrets.token_hex(5)}"
            run = _Run(backup, manifest, self._beside(manifest), scratch)
            fault = None
            try:
                await endable(self._drill(run), self._hooks, lambda: True)
            except OutsideError as error:
                if run.verified is None or not _is_about_the_backup(error):
                    raise
                # The vendor's wording may go on to whole documents.
                _LOG.warning("backup %s cannot be restored: %s %s", backup.id, error, harmless(error.detail, limit=300, newlines=False))
                fault = error
            if run.verified is None:
                raise OutsideError("backup.drill.unfinished", system=SYSTEM)
            found = Drilled(backup.id, run.verified, run.loaded, run.uploads, fault, tuple(run.left), time.monotonic() - begun)
            await self._write_down(found)
            return found
        finally:
            self._threads.close()

    def _beside(self, manifest: Manifest) -> DatabaseDrill | None:
        if manifest.database is None:
            return None
        return DatabaseDrill(self._settings.mongodb_uri.get_secret_value(), self._ops.mongo.database, self._hooks, self._threads)

    async def _drill(self, run: _Run) -> None:
        try:
            self._hooks.say(Step("sweep"))
            await self._threads.run(room.ready, self._shelf)
            await self._threads.run(_sweep, self._shelf.directory)
            if run.database is not None:
                await run.database.sweep()
            await self._refuse_without_room(run)
            run.verified = await self._threads.run(examine, run.backup, run.manifest, self._hooks.say, self._threads.stopping)
            if run.verified.faults:
                return
            if run.database is not None and run.manifest.database is not None:
                run.loaded = await run.database.run(run.backup.path, run.manifest.database)
            if run.manifest.uploads is not None:
                await self._uploads(run)
        finally:
            await to_the_end(_cleaned(run))

    async def _refuse_without_room(self, run: _Run) -> None:
        """Where the server keeps its data, and where backups are kept. A damaged index is found, and told, by what reads everything."""
        free = await run.database.free_bytes() if run.database is not None else None
        if free is not None and run.manifest.database is not None:
            self._refuse("backup.drill.no_room_database", room.needed(run.manifest.database.bytes, 0, 0), free)
        if run.manifest.uploads is not None:
            with contextlib.suppress(TreeFault):
                run.sample = await self._threads.run(choose, snapshot_in(run.backup.path))
        if run.sample is not None:
            free = await self._threads.run(room.free, self._shelf.directory)
            self._refuse("backup.drill.no_room", room.needed(0, run.sample.bytes, 0), free)

    def _refuse(self, key: str, needed: int, free: int) -> None:
        if free < needed:
            size = Figures(self._settings.vcc_lang, self._settings.vcc_tz).size
            raise Conflict(key, needed=size(needed), free=size(free), path=str(self._shelf.directory))

    async def _uploads(self, run: _Run) -> None:
        snapshot = snapshot_in(run.backup.path)
        if run.sample is None:
            run.sample = await self._threads.run(choose, snapshot)
        sample = run.sample
        total = len(sample.files)
        self._hooks.say(Step("drill_uploads"))
        small = await self._threads.run(put_back, snapshot, sample, run.scratch, self._threads.stopping)
        try:
            run.uploads = await open_pictures(small, sample, lambda done: self._hooks.say(Step("drill_images", done, total, "files")))
        except OutsideError as error:
            _LOG.warning("no picture of backup %s was opened: %s", run.backup.id, error)
            run.uploads = UploadsFound(total, sum(each.size for each in sample.files), None)

    async def _write_down(self, found: Drilled) -> None:
        """The files' own state too, as all of them were read."""
        now = self._clock()
        if found.is_restorable:
            known = {"restorable_at": now, "drill_s": found.took_s, "verified_at": now, "fault": "", "fault_at": None}
        elif found.verified.faults:
            known = {"restorable_at": None, "verified_at": None, "fault": DAMAGED, "fault_at": now}
        else:
            known = {"restorable_at": None, "fault": NOT_RESTORABLE, "fault_at": now}
        await self._threads.run(self._shelf.prove, found.id, **known)


def _drillable(backup: Backup) -> Manifest:
    if backup.manifest is None:
        raise backup.trouble or OutsideError("backup.no_manifest", system=SYSTEM, name=backup.id)
    if backup.manifest.database is None and backup.manifest.uploads is None:
        raise Conflict("backup.drill.nothing", id=backup.id)
    return backup.manifest


def _is_about_the_backup(error: OutsideError) -> bool:
    return isinstance(error, NotRestorable | Damaged) or error.key in _ABOUT_THE_BACKUP or refused_content(error)


def _sweep(directory: Path) -> None:
    """What killed drills left."""
    for entry in directory.glob(f"{SCRATCH}*"):
        shutil.rmtree(entry, ignore_errors=True)


async def _cleaned(run: _Run) -> None:
    """Nothing of it stays; what cannot be taken away now, the next drill takes."""
    if run.database is not None:
        try:
            await run.database.drop()
        except OutsideError as error:
            _LOG.warning("the scratch database %s stays: %s %s", run.database.scratch, error, error.detail)
            run.left.append(run.database.scratch)
        finally:
            await run.database.close()
    await asyncio.to_thread(shutil.rmtree, run.scratch, ignore_errors=True)
    if await asyncio.to_thread(run.scratch.exists):
        run.left.append(run.scratch.name)
