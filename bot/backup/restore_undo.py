"""The way out of a restore, back or onward: old data in place or new data kept, services started, queues open, nothing left behind.

Goes by the journal and by what it finds, never by what it remembers: so it serves after a failing step and after a crash alike.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bot.backup.pins import unpin
from bot.backup.queue_part import open_again
from bot.backup.reconcile import Reconciliation
from bot.backup.restore_journal import RestoreJournal, Undertaking
from bot.backup.restore_proof import ILL, answering
from bot.backup.restore_sides import DatabaseSide, FilesSide
from bot.backup.room import directory_of
from bot.backup.work import Hooks, Step, Threads
from bot.config import Settings
from bot.errors import Conflict, NotFound, OutsideError, VccError
from bot.ops import load_swap, snapshot_restore
from bot.ops.bundle import Ops
from bot.ops.page_proxy import reconnect

BACKEND, ARCHIVE = "backend", "archive"
GRACE = 30
_WORKING = frozenset({"running", "restarting", "paused"})


@dataclass(frozen=True, slots=True)
class WayOut:
    """How it ended. ``failure`` is why something was left to do, so that it must be tried again; ``kept``: the new data stays.
    Not ``settled``: nobody knows yet whether all the old data stands in its place, so nothing may work on it.
    ``not_started`` containers and ``still_closed`` queues are to be seen to by somebody, and the page, unless it ``page_reaches`` the
    backend."""

    kept: bool
    failure: VccError | None = None
    not_started: tuple[str, ...] = ()
    still_closed: tuple[str, ...] = ()
    settled: bool = True
    page_reaches: bool = True

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.failure is None and not self.not_started and not self.still_closed


def archive_of(settings: Settings, mark: str) -> Path:
    """Where the jobs go that a restore takes out of the queues."""
    return settings.vcc_home / ARCHIVE / f"restore-{mark}"


async def working_backends(ops: Ops) -> tuple[str, ...]:
    """The containers of the backend that run, or try to."""
    try:
        found = await ops.containers.replicas(BACKEND)
    except NotFound:
        return ()
    return tuple(each.container_id for each in found if each.state in _WORKING)


@dataclass(frozen=True, slots=True)
class Sides:
    """What a restore replaces; None for what it does not."""

    database: DatabaseSide | None
    files: FilesSide | None
    jobs: Reconciliation | None

    async def moved(self) -> bool:
        """Whether live data is not as it was."""
        return any([await side.moved() for side in (self.database, self.files) if side is not None])

    async def undo(self) -> None:
        """The data as it was."""
        for side in (self.database, self.files):
            if side is not None:
                await side.undo()

    async def settle(self) -> None:
        """What was kept for ``undo`` goes."""
        for side in (self.database, self.files, self.jobs):
            if side is not None:
                await side.settle()


@contextlib.asynccontextmanager
async def sides_of(ops: Ops, settings: Settings, undertaking: Undertaking, threads: Threads, hooks: Hooks) -> AsyncIterator[Sides]:
    """The sides of this restore, for the block."""
    mark, uri = undertaking.mark, settings.mongodb_uri.get_secret_value()
    database = DatabaseSide(ops.mongo, uri, mark, hooks.say) if undertaking.database else None
    files = FilesSide(Path(undertaking.live), mark, threads, hooks.say) if undertaking.live else None
    jobs = Reconciliation(ops, hooks, threads, mark, archive_of(settings, mark)) if undertaking.database else None
    try:
        yield Sides(database, files, jobs)
    finally:
        if database is not None:
            await database.close()


class Leaving:
    """Leads restores of one deployment out."""

    def __init__(self, ops: Ops, settings: Settings, hooks: Hooks) -> None:
        self._ops = ops
        self._settings = settings
        self._hooks = hooks
        self._journal = RestoreJournal(settings.vcc_home)

    async def leave(self, undertaking: Undertaking) -> WayOut:
        """Back to the old data, or, once it was decided to keep the new, onward. Raises nothing of the outside; may be tried again."""
        kept = undertaking.phase == "kept"
        try:
            if not kept:
                undertaking = await self._stopped(undertaking)
                await self._with_sides(undertaking, self._back)
        except VccError as failure:  # on half of the data nothing may be started
            return WayOut(kept, failure, undertaking.containers, undertaking.queues, settled=False)
        missing, closed = await self._started(undertaking), undertaking.queues
        try:
            if not kept:
                await self._with_sides(undertaking, self._jobs_back)
            closed = await self._opened(undertaking)
            if kept:
                await self._with_sides(undertaking, self._tidied)
        except VccError as failure:
            return WayOut(kept, failure, missing, closed)
        reached = not undertaking.containers or await self._page_reaches()
        way = WayOut(kept, None, missing, closed, page_reaches=reached)
        try:
            if way.is_over:
                await asyncio.to_thread(self._forget, undertaking)
        except VccError as failure:
            return replace(way, failure=failure)
        return way

    async def judged(self, undertaking: Undertaking) -> Undertaking:
        """After a crash, before ``leave``: a backend that is well on the new data has been worked with since, so that data stays."""
        if undertaking.phase != "started":
            return undertaking
        working = await working_backends(self._ops)
        try:
            if not working:
                return undertaking
            await answering(self._ops, working, BACKEND)
        except OutsideError as error:
            if error.key not in ILL:  # nobody can tell: it is looked again later
                raise
            return undertaking
        return await asyncio.to_thread(self._journal.write, undertaking, phase="kept")

    async def _with_sides(self, undertaking: Undertaking, work: Callable[[Undertaking, Sides], Awaitable[None]]) -> None:
        threads = Threads()
        try:
            async with sides_of(self._ops, self._settings, undertaking, threads, self._hooks) as sides:
                await work(undertaking, sides)
        finally:
            threads.close()

    async def _stopped(self, undertaking: Undertaking) -> Undertaking:
        """Nobody may write while data goes back: whatever backend works by now is stopped, and noted to be started again."""
        threads, moved = Threads(), False
        try:
            async with sides_of(self._ops, self._settings, undertaking, threads, self._hooks) as sides:
                moved = await sides.moved()
        finally:
            threads.close()
        if not moved:
            return undertaking
        working = await working_backends(self._ops)
        containers = tuple(dict.fromkeys((*undertaking.containers, *working)))
        told = replace(undertaking, phase="begun", containers=containers)
        if undertaking.begun_at and told != undertaking:  # a full disk must not hinder the way back
            await asyncio.to_thread(self._journal.write, told)
        for container in working:
            await self._ops.containers.stop(container, timeout=GRACE)
        return told

    async def _back(self, _: Undertaking, sides: Sides) -> None:
        self._hooks.say(Step("give_back"))
        await sides.undo()

    @staticmethod
    async def _jobs_back(_: Undertaking, sides: Sides) -> None:
        if sides.jobs is not None:
            await sides.jobs.undo()

    async def _tidied(self, _: Undertaking, sides: Sides) -> None:
        self._hooks.say(Step("tidy"))
        await sides.settle()

    async def _started(self, undertaking: Undertaking) -> tuple[str, ...]:
        """Start what was stopped; those that would not start. How well they then are is not looked at here."""
        missing = []
        for container in undertaking.containers:
            self._hooks.say(Step("start"))
            try:
                await self._ops.containers.start(container)
            except NotFound:  # somebody made the service anew meanwhile
                continue
            except VccError:
                missing.append(container)
        return tuple(missing)

    async def _page_reaches(self) -> bool:
        """What was stopped may have come back under another address, which the page's server does not know yet."""
        self._hooks.say(Step("page"))
        try:
            return await reconnect(self._ops)
        except VccError:
            return False

    async def _opened(self, undertaking: Undertaking) -> tuple[str, ...]:
        if not undertaking.queues:
            return ()
        self._hooks.say(Step("open"))
        return await open_again(self._ops.bull, undertaking.queues)

    def _forget(self, undertaking: Undertaking) -> None:
        if undertaking.backup:
            unpin(directory_of(self._settings), undertaking.backup)
        self._journal.clear()

    async def unfinished(self) -> tuple[Undertaking, ...]:
        """Every restore that is not over: the one of the journal, and what is found without any."""
        told = await asyncio.to_thread(self._journal.read)
        if told is not None:
            return (told,)
        return tuple([Undertaking(mark, "", 0.0, "", database, live) for mark, database, live in await self._found()])

    async def _found(self) -> list[tuple[str, bool, str]]:
        """By the marks on collections and files."""
        uri, live = self._settings.mongodb_uri.get_secret_value(), self._settings.vcc_uploads_dir
        left = await load_swap.unfinished(uri, self._ops.mongo.database) if uri else None
        marks = {*left.swaps, *left.loads} if left else set()
        files = await asyncio.to_thread(snapshot_restore.unfinished, live) if live is not None and live.is_dir() else {}
        return [(mark, mark in marks, str(live) if mark in files else "") for mark in sorted({*marks, *files})]

    async def sweep(self) -> None:
        """Remove what restores left beside the live data. Conflict while one has touched it and is not over."""
        for each in await self.unfinished():
            if each.begun_at:
                raise Conflict("restore.unfinished")
            await self._with_sides(each, self._swept)

    @staticmethod
    async def _swept(_: Undertaking, sides: Sides) -> None:
        if await sides.moved():
            raise Conflict("restore.unfinished")
        await sides.undo()
