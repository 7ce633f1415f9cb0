"""Takes the jobs whose documents a restored database does not hold out of Bull's queues, written down first; puts them back on wish.

Knows which document a job belongs to; nothing of how jobs move in Redis or how a database is restored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.backup.queue_archive import Archive, begin_taking, end_taking, keep_archive, keep_taken, remove_archive
from bot.backup.work import Hooks, Step, Threads
from bot.ops.bull_whole import Placed
from bot.ops.bundle import Ops
from bot.ops.job_data import document_of
from bot.ops.mongo import JOBS

_AT_ONCE = 1000
# Where nearly all documents of jobs are: only what is not there is looked for elsewhere.
_FIRST = (JOBS, "pipelineruns")
_ID_LENGTH = 24
_ID_DIGITS = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class QueueReconciled:
    """One queue: jobs looked at, taken out, without any document's id (they stay), and left because a worker holds them."""

    name: str
    looked_at: int
    taken: int
    unjudged: int
    locked: int


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What came of it, queue by queue, and the files that the jobs taken out are written in."""

    queues: tuple[QueueReconciled, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def taken(self) -> int:
        """Jobs taken out of their queues."""
        return sum(each.taken for each in self.queues)

    @property
    def unjudged(self) -> int:
        """Jobs that name no document; they stay."""
        return sum(each.unjudged for each in self.queues)

    @property
    def locked(self) -> int:
        """Jobs without a document that a worker holds; they stay."""
        return sum(each.locked for each in self.queues)


class Reconciliation:
    """The jobs of every queue against the live database. ``mark`` names the restore; ``folder``, its own, is where they are written."""

    def __init__(self, ops: Ops, hooks: Hooks, threads: Threads, mark: str, folder: Path) -> None:
        self._ops = ops
        self._hooks = hooks
        self._threads = threads
        self._mark = mark
        self._folder = folder

    async def run(self) -> Reconciled:
        """Write down the jobs whose documents are gone, then take them out; one that a worker holds stays.

        What fails half-way leaves to ``undo`` what was done, and so does what an earlier try did.
        """
        await self.undo()
        done, queues, files = 0, list[QueueReconciled](), list[Path]()
        for name in await self._ops.bull.names():
            judged = await self._judged(name, done)
            done += judged.looked_at
            archive = await self._written(name, judged.gone)
            files += archive.files
            queues.append(await self._taken(name, judged, archive.jobs))
        found = Reconciled(tuple(queues), tuple(files))
        if not found.taken:
            await self._threads.run(end_taking, self._folder)
        return found

    async def undo(self) -> None:
        """Put everything back exactly where it was; the files go. Does nothing when nothing is aside; may be tried again.

        A job whose id another one has by now cannot go back: it stays in the files, which then are kept. So do those that Redis lost.
        """
        aside = self._ops.bull.aside
        queues = await aside.queues(self._mark)
        if not queues:
            await self._threads.run(keep_taken, self._folder)
        for name in queues:
            if await aside.put_back(name, self._mark):
                await self._threads.run(keep_archive, self._folder)
                await aside.drop(name, self._mark)
        await self._threads.run(end_taking, self._folder)
        await self._threads.run(remove_archive, self._folder)

    async def settle(self) -> None:
        """They stay out; the files stay."""
        aside = self._ops.bull.aside
        await self._threads.run(keep_archive, self._folder)
        await self._threads.run(end_taking, self._folder)
        for name in await aside.queues(self._mark):
            await aside.drop(name, self._mark)

    async def _judged(self, name: str, before: int) -> _Judged:
        placed = {each.job: each for each in await self._ops.bull.whole.placed(name)}
        judged, listed = _Judged(len(placed)), list(placed)
        for at in range(0, len(listed), _AT_ONCE):
            some = listed[at : at + _AT_ONCE]
            self._hooks.say(Step("reconcile", before + at, before + len(listed), "jobs"))
            documents = await self._documents(name, some)
            there = await self._ops.mongo.presence.present(set(documents.values()), _FIRST)
            judged.unjudged += len(some) - len(documents)
            judged.gone += [placed[job] for job, document in documents.items() if document not in there]
        return judged

    async def _documents(self, name: str, ids: Sequence[str]) -> dict[str, str]:
        """The documents' ids of the jobs that tell one."""
        found = dict[str, str]()
        async for some in self._ops.bull.whole.data(name, ids):
            found.update(await self._threads.run(_told, some))
        return found

    async def _written(self, name: str, jobs: Sequence[Placed]) -> Archive:
        archive = Archive(self._folder, name, self._ops.seal)
        async for some in self._ops.bull.whole.whole(name, jobs):
            await self._threads.run(archive.add, some)
        await self._threads.run(archive.finish)
        return archive

    async def _taken(self, name: str, judged: _Judged, gone: Sequence[str]) -> QueueReconciled:
        """Nothing goes that is not written down."""
        if gone:
            await self._threads.run(begin_taking, self._folder)
        taken = await self._ops.bull.aside.take(name, self._mark, gone) if gone else ()
        left = set(gone).difference(taken)
        # One that ended meanwhile, and is not kept by Bull, needs nobody.
        locked = [where for where in await self._ops.bull.jobs.where(name, sorted(left)) if where.known]
        return QueueReconciled(name, judged.looked_at, len(taken), judged.unjudged, len(locked))


@dataclass(slots=True)
class _Judged:
    """One queue's jobs so far: those whose documents are gone, and how many cannot be judged."""

    looked_at: int
    unjudged: int = 0
    gone: list[Placed] = field(default_factory=list)


def _told(jobs: Sequence[tuple[str, str | None]]) -> dict[str, str]:
    found = ((job, _document(text)) for job, text in jobs)
    return {job: document for job, document in found if document}


def _document(text: str | None) -> str:
    """The id that the data name, as MongoDB has it; empty when they name none."""
    try:
        own = document_of(json.loads(text or ""))
    except (ValueError, RecursionError):
        return ""
    return own.lower() if own and len(own) == _ID_LENGTH and _ID_DIGITS.issuperset(own) else ""
