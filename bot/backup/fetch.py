"""Brings a backup back from the second place: whole and proven before it gets its name here, or nothing of it.

Knows nothing of chat or of who asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.backup import remote_copy, room, swap
from bot.backup.manifest import SYSTEM, Manifest
from bot.backup.shelf import PROOF, Backup, Proof, Shelf, beside
from bot.backup.uploads_part import snapshot_in
from bot.backup.verify import Verified, verify
from bot.backup.work import EndedBy, Hooks, Step, Threads, to_the_end
from bot.config import Settings
from bot.errors import Conflict, NotFound, OutsideError, VccError
from bot.ops.bundle import Ops
from bot.ops.dump_faults import writing
from bot.ops.remote_values import Carried, Fetched, RemoteBackup
from bot.ops.snapshot_dress import dress
from bot.plain_text import harmless

_PATIENCE = 30.0
# Each file takes whole blocks; half a block is what that costs, as a rule.
_HALF_A_BLOCK = 2_048


@dataclass(frozen=True, slots=True)
class Offer:
    """A backup over there that may be brought back. ``here`` is the damaged one that has its place, if any."""

    there: RemoteBackup
    here: Backup | None
    needed_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Brought:
    """A backup that came back and stands here. ``proven`` has faults when it did not: then all is as it was."""

    fetched: Fetched
    proven: Verified


class Fetching:
    """Brings backups back to the shelf of the settings; one object for each."""

    def __init__(self, ops: Ops, settings: Settings, hooks: Hooks | None = None, clock: Callable[[], float] = time.time) -> None:
        self._ops = ops
        self._hooks = hooks or Hooks()
        self._clock = clock
        self._threads = Threads()
        self._shelf = Shelf(room.directory_of(settings))

    async def offer(self, identity: str) -> Offer:
        """The backup of this id, or the newest over there without one. NotFound when there is none of it; Conflict when there is none at
        all, or a sound one has its place here, or a newer bot's; OutsideError when it is sealed and there is nothing to open it with."""
        found = await remote_copy.look(self._ops, _PATIENCE)
        if isinstance(found, VccError):
            raise found
        there = next((each for each in found.backups if identity in ("", each.id)), None)
        if there is None:
            raise NotFound("s3", identity) if identity else Conflict("backup.fetch_none")
        if there.sealed and not self._ops.seal.can_open:
            raise OutsideError("seal.no_identity", system=SYSTEM, setting="VCC_BACKUP_IDENTITY_FILE")
        here = await self._here(there.id)
        free = await self._ops.shelf_threads.run(room.free, self._shelf.directory)
        return Offer(there, here, room.needed(there.bytes + _HALF_A_BLOCK * there.files, 0, 0), free)

    async def _here(self, identity: str) -> Backup | None:
        backups = await self._ops.shelf_threads.run(self._shelf.backups)
        here = next((each for each in backups if each.id == identity), None)
        if here is None or remote_copy.is_damaged(here):
            return here
        raise here.trouble or Conflict("backup.fetch_not_needed", id=identity)

    async def run(self, there: RemoteBackup, *, replacing: bool) -> Brought:
        """Bring it back. EndedBy when somebody wanted it to end; OutsideError when it cannot be had as it was. After either nothing
        here has changed. ``replacing``: a damaged one of its name goes, once this one is proven."""
        try:
            await self._threads.run(room.ready, self._shelf)
            async with self._arriving(there.id) as arriving:
                fetched = await self._bring(there, arriving)
                await self._threads.run(self._dressed, arriving.directory / there.id)
                proven = await verify(arriving, there.id, self._hooks, self._clock)
                if not proven.faults:
                    await to_the_end(asyncio.to_thread(self._settle, arriving, there, replacing))
            return Brought(fetched, proven)
        finally:
            self._threads.close()

    @contextlib.asynccontextmanager
    async def _arriving(self, identity: str) -> AsyncIterator[Shelf]:
        """Where it arrives: on the same file system, out of sight."""
        arriving = self._shelf.arriving(identity)
        shelf = await self._threads.run(arriving.__enter__)
        try:
            yield shelf
        finally:
            await to_the_end(asyncio.to_thread(arriving.__exit__, None, None, None))

    async def _bring(self, there: RemoteBackup, arriving: Shelf) -> Fetched:
        """When this is cancelled, it ends at the next piece, and is waited for: nothing writes any more into what is then removed."""

        def say(carried: Carried) -> None:
            self._hooks.say(Step("fetch", carried.bytes, carried.total_bytes, "bytes"))

        async def asked() -> str:
            return await self._hooks.asked_to_end() or ("-" if self._threads.stopping() else "")

        self._hooks.say(Step("fetch"))
        target = arriving.directory / there.id
        fetched = await self._threads.follow(self._ops.remote.fetch(there.id, target, known=there, say=say, asked=asked))
        if fetched.stopped_by:
            raise EndedBy(fetched.stopped_by)
        return fetched

    def _settle(self, arriving: Shelf, there: RemoteBackup, replacing: bool) -> None:
        """Blocks. Nothing is given a manifest, and so nothing is sent, before it was compared with its source: what agrees with its
        manifest again is as good as it was then. What a drill found stays true of the same content."""
        backup = arriving.get(there.id)
        before = {each.id: each for each in self._shelf.backups()}.get(there.id)
        if before is not None and not (replacing and remote_copy.is_damaged(before)):
            raise Conflict("backup.fetch_not_needed", id=there.id)
        if backup.manifest is not None:
            known = before.proof if before is not None and before.manifest == backup.manifest else Proof()
            drilled = {"restorable_at": known.restorable_at, "drill_s": known.drill_s}
            arriving.prove(there.id, good_at=backup.manifest.finished_at, remote_at=there.stored_at, **drilled)
            swap.put(backup.path, self._shelf.directory)

    def _dressed(self, folder: Path) -> None:
        """Blocks. What was found out about it is not for the bucket to say. OutsideError when it is not what it is called."""
        with writing():
            for name in (PROOF, beside(PROOF)):
                (folder / name).unlink(missing_ok=True)
        manifest = Shelf(folder.parent).get(folder.name).manifest
        if manifest is not None:
            self._refuse_another(manifest, folder.name)
        uploads = snapshot_in(folder)
        if uploads.index.is_file():
            dress(uploads)

    def _refuse_another(self, manifest: Manifest, identity: str) -> None:
        ours = not self._ops.project or manifest.project in ("", self._ops.project)
        if manifest.id != identity or not ours:
            project = harmless(manifest.project, limit=60, newlines=False)
            raise OutsideError("backup.fetch_another", system=SYSTEM, id=identity, project=project)
