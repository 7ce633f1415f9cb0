"""Restores a backup: everything is made ready beside the live data first, then put in its place while nobody writes, then proven.

Whatever step fails, the old data is put back and what was stopped is started again. Knows nothing of chat or of who asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.backup.create import Creation
from bot.backup.create import Order as BackupOrder
from bot.backup.pins import pin
from bot.backup.queue_part import Stillness
from bot.backup.reconcile import Reconciled
from bot.backup.restore_journal import RestoreJournal, Undertaking
from bot.backup.restore_proof import answering
from bot.backup.restore_source import Origin
from bot.backup.restore_undo import BACKEND, GRACE, Leaving, Sides, WayOut, sides_of, working_backends
from bot.backup.room import directory_of
from bot.backup.verify import damaged_files
from bot.backup.work import EndedBy, Hooks, Step, Threads, endable, to_the_end
from bot.config import Settings
from bot.errors import Conflict, OutsideError, VccError
from bot.ops.bundle import Ops
from bot.ops.dump_values import LoadResult
from bot.ops.snapshot_restore import PutBack

# Collections whose documents jobs stand for.
_WITH_JOBS = frozenset({"imagegenerationjobs", "pipelineruns"})


@dataclass(frozen=True, slots=True)
class RestoreOrder:
    """What to restore, and how. ``live`` is the uploads directory when files are wanted. ``wait`` (seconds) is the longest that active
    jobs are given to end, after which it is given up unless ``force``. Without ``safety`` no backup is made of what is replaced."""

    origin: Origin
    live: Path | None
    wait: float
    force: bool = False
    safety: bool = True
    asked_by: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What stands there now. ``down_s`` is how long the backend was stopped; None when it did not run before."""

    mark: str
    took_s: float
    down_s: float | None
    safety: str
    loaded: LoadResult | None
    files: PutBack | None
    jobs: Reconciled
    way: WayOut


@dataclass(slots=True)
class _Run:
    """What one run carries along. From ``binding`` on nobody may end it."""

    order: RestoreOrder
    undertaking: Undertaking
    step: str = "sweep"
    binding: bool = False
    stopped_at: float | None = None
    down_s: float | None = None
    loaded: LoadResult | None = None
    files: PutBack | None = None
    jobs: Reconciled = field(default_factory=Reconciled)


class NotRestored(VccError):
    """A step failed. ``step`` which, ``cause`` why, ``way`` what became of the old data since."""

    def __init__(self, step: str, cause: VccError, way: WayOut) -> None:
        super().__init__(cause.key, **cause.values)
        self.step, self.cause, self.way = step, cause, way


async def _promise_nothing() -> None:
    return None


class Restoration:
    """One restore of the deployment behind ``ops``. ``promise`` is awaited before anything is held or touched: whoever asked sees to
    it that ``Leaving.leave`` is called after a crash. ``way`` tells how it was left when somebody ended it."""

    def __init__(self, ops: Ops, settings: Settings, hooks: Hooks, promise: Callable[[], Awaitable[None]] = _promise_nothing) -> None:
        self._ops = ops
        self._settings = settings
        self._asked = hooks
        self._hooks = replace(hooks, say=self._say, holding=self._hold_noted)
        self._promise = promise
        self._journal = RestoreJournal(settings.vcc_home)
        self._threads = Threads()
        self._run: _Run | None = None
        self.way: WayOut | None = None

    async def run(self, order: RestoreOrder, now: float) -> Restored:
        """Restore. NotRestored when a step failed; EndedBy when somebody wanted it to end before live data was touched."""
        live, backup = str(order.live) if order.live and order.origin.snapshot else "", order.origin.backup
        mark = f"r{int(now)}"
        undertaking = Undertaking(mark, backup.id if backup else "", now, order.reference, order.origin.dump is not None, live)
        run = self._run = _Run(order, undertaking)
        try:
            return await endable(self._carried_out(run), self._asked, lambda: not run.binding)
        finally:
            self._threads.close()

    def _say(self, step: Step) -> None:
        if self._run is not None:
            self._run.step = step.name
        self._asked.say(step)

    async def _note(self, run: _Run, **changed: object) -> None:
        """Also when it is cancelled: what is on the disk and what is known here must be one."""

        async def noted() -> None:
            run.undertaking = await asyncio.to_thread(self._journal.write, run.undertaking, **changed)

        await to_the_end(noted())

    async def _hold_noted(self, *queues: str) -> None:
        if queues and self._run is not None:
            await self._note(self._run, queues=queues)

    async def _carried_out(self, run: _Run) -> Restored:
        begun = time.monotonic()
        leaving = Leaving(self._ops, self._settings, self._asked)
        self._hooks.say(Step("sweep"))
        await leaving.sweep()
        await self._promise()
        await self._note(run)
        try:
            if run.undertaking.backup:
                await asyncio.to_thread(pin, directory_of(self._settings), run.undertaking.backup)
            async with sides_of(self._ops, self._settings, run.undertaking, self._threads, self._hooks) as sides:
                await self._ready(run, sides)
                await self._replaced(run, sides)
            await self._proven(run)
            await self._note(run, phase="kept")
        except EndedBy:
            raise
        except VccError as failure:
            self.way = await to_the_end(leaving.leave(run.undertaking))
            raise NotRestored(run.step, failure, self.way) from failure
        finally:
            if self.way is None:  # done, or ended by whatever else there is
                self.way = await to_the_end(leaving.leave(run.undertaking))
        undertaking, took = run.undertaking, time.monotonic() - begun
        return Restored(undertaking.mark, took, run.down_s, undertaking.safety, run.loaded, run.files, run.jobs, self.way)

    async def _ready(self, run: _Run, sides: Sides) -> None:
        """Beside the live data, while everything works on: what is damaged is found before anything stops."""
        origin = run.order.origin
        await self._ops.mongo.app_backups.refuse_while_running()
        if origin.backup is not None and origin.backup.manifest is not None:
            found = await self._threads.run(damaged_files, origin.backup, origin.backup.manifest, self._hooks.say, self._threads.stopping)
            if found:
                raise OutsideError("restore.damaged_file", system="backup", id=origin.id, name=found[0])
        if sides.database is not None:
            source = await self._threads.run(origin.opened, self._ops.mongo.database)
            run.loaded = await sides.database.load(source, {origin.only} if origin.only else None)
        if sides.files is not None and origin.snapshot is not None:
            run.files = await sides.files.build(origin.snapshot)

    async def _replaced(self, run: _Run, sides: Sides) -> None:
        """While nobody writes: a backup of what is there, then the new in its place."""
        await self._quiet(run)
        saved = await self._saved(run) if run.order.safety else None
        if await working_backends(self._ops):  # somebody started it while the backup was made
            raise Conflict("restore.backend_works")
        run.binding = True
        self._hooks.say(Step("swap"))
        if sides.database is not None and run.loaded is not None:
            await sides.database.swap(run.loaded, whole=not run.order.origin.only, saved=saved)
        if sides.files is not None:
            await sides.files.swap()
        if sides.jobs is not None and (not run.order.origin.only or run.order.origin.only in _WITH_JOBS):
            self._hooks.say(Step("reconcile"))
            run.jobs = await sides.jobs.run()

    async def _quiet(self, run: _Run) -> None:
        """Queues closed, jobs ended, the backend stopped: each noted before it is done."""
        self._hooks.say(Step("hold"))
        if not await self._held(run) and not run.order.force:
            raise Conflict("restore.jobs_running")
        working = await working_backends(self._ops)
        await self._note(run, containers=working)
        run.stopped_at = time.monotonic() if working else None
        for container in working:
            self._hooks.say(Step("stop"))
            await self._ops.containers.stop(container, timeout=GRACE)
        await self._ops.mongo.app_backups.refuse_while_running()

    async def _held(self, run: _Run) -> bool:
        """Whether nothing is worked on. For files alone it is held for the jobs' sake only: none runs where nobody can be asked."""
        try:
            return await Stillness(self._ops.bull, self._hooks).hold(run.order.wait)
        except OutsideError:
            if run.undertaking.database:
                raise
            return True

    async def _saved(self, run: _Run) -> dict[str, int] | None:
        """How many documents of each collection are in it; None without the database."""
        order, undertaking = run.order, run.undertaking
        wanted = BackupOrder(
            reason="safety",
            asked_by=order.asked_by,
            reference=order.reference,
            database=undertaking.database,
            uploads=bool(undertaking.live),
            pause=False,
            still=True,
            send=False,
        )
        made = await Creation(self._ops, self._settings, replace(self._hooks, say=self._saying)).run(wanted)
        await self._note(run, safety=made.backup.id)
        part = made.manifest.database
        return None if part is None else {each.name: each.documents for each in part.collections if each.kind != "view"}

    def _saying(self, step: Step) -> None:
        """The steps of the backup are told as they are; a failure is the safety backup's."""
        self._asked.say(step)
        if self._run is not None:
            self._run.step = "safety"

    async def _proven(self, run: _Run) -> None:
        """The backend runs on it, and says so itself."""
        if run.undertaking.containers:
            await self._note(run, phase="started")
        for container in run.undertaking.containers:
            self._hooks.say(Step("start"))
            await self._ops.containers.start(container)
        if run.undertaking.containers:
            self._hooks.say(Step("healthy"))
            await answering(self._ops, run.undertaking.containers, BACKEND)
        if run.stopped_at is not None:
            run.down_s = time.monotonic() - run.stopped_at
