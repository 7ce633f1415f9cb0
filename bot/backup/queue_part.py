"""The queue's part of a backup: holding the queues still while the database is copied, and writing down which jobs they hold.

What is written is enough to compare a restored database with: ids, states, options, the documents' ids. What jobs carry, prompts
and keys, is written sealed or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.backup.manifest import FileEntry, QueuePart
from bot.backup.work import Hooks, Step, Threads, to_the_end
from bot.errors import NotFound, VccError
from bot.ops.bull import BullQueues
from bot.ops.bull_snapshot import JobLine
from bot.ops.dump_faults import writing
from bot.ops.dump_files import make_directory, write_file
from bot.ops.dump_names import stem
from bot.ops.job_data import parts
from bot.ops.seal import ENDING, Seal

FOLDER, LINES, DATA = "queue", ".jsonl", ".data.jsonl"
# Of what jobs carry so much is kept at most: it is sealed in memory.
MOST_DATA = 32 << 20
POLL = 0.5
_AT_ONCE = 500
_Id = tuple[str, float | None]
OPENED_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class QueuesWritten:
    """The queues as written down, and their files. ``left_out``: queues whose jobs' data were too much to be kept."""

    queues: tuple[QueuePart, ...]
    files: tuple[FileEntry, ...]
    left_out: tuple[str, ...] = ()


class Stillness:
    """Holds every queue that was open. One that somebody else closed before stays closed."""

    def __init__(self, bull: BullQueues, hooks: Hooks) -> None:
        self._bull = bull
        self._hooks = hooks
        self._held: list[str] = []
        self._closed = 0

    async def hold(self, wait: float) -> bool:
        """Close the queues and let active jobs end, for ``wait`` seconds at most; whether nothing is worked on now."""
        queues = await self._bull.queues()
        await self._hooks.holding(*(each.name for each in queues if not each.is_paused))
        for each in queues:
            if not each.is_paused:
                # Noted before it is done: were it closed and the answer lost, it must be opened all the same.
                self._held.append(each.name)
                self._closed += 1
                await self._bull.pause(each.name)
        return await self._drained([each.name for each in queues], wait)

    async def _drained(self, names: Sequence[str], wait: float) -> bool:
        """A job whose worker is gone never ends, so it is not waited for, but it is looked at twice."""
        ends, quiet = time.monotonic() + wait, 0
        while True:
            queues = [await self._bull.queue(name) for name in names]
            stalled = sum(each.stalled for each in queues)
            left = sum(each.active for each in queues) - stalled
            quiet = quiet + 1 if left <= 0 else 0
            if quiet and (not stalled or quiet > 1):
                return True
            if time.monotonic() >= ends:
                return False
            self._hooks.say(Step("drain", max(0, left), 0, "jobs"))
            await asyncio.sleep(min(POLL, max(0.01, ends - time.monotonic())))

    @property
    def held_any(self) -> bool:
        """Whether a queue was closed here at all."""
        return self._closed > 0

    async def lasts(self) -> bool:
        """Whether they are all closed still, and nothing is worked on: somebody else may have opened one."""
        return all(each.is_paused and each.active <= each.stalled for each in await self._bull.queues())

    async def let_go(self) -> tuple[str, ...]:
        """Open what was closed here, whatever happens meanwhile; the queues that would not open."""
        return await to_the_end(self._let_go())

    async def _let_go(self) -> tuple[str, ...]:
        held, self._held = self._held, []
        left = await open_again(self._bull, held)
        if held and not left:
            await self._hooks.holding()
        return left


async def open_again(bull: BullQueues, names: Sequence[str]) -> tuple[str, ...]:
    """Open these queues, trying for a while; those that would not open. One that is no more is as good as open."""
    ends = time.monotonic() + OPENED_WITHIN
    return tuple([name for name in names if not await _opened(bull, name, ends)])


async def _opened(bull: BullQueues, name: str, ends: float) -> bool:
    while True:
        try:
            await bull.resume(name)
        except NotFound:
            return True
        except VccError:
            if time.monotonic() >= ends:
                return False
            await asyncio.sleep(POLL)
        else:
            return True


async def write_queues(bull: BullQueues, seal: Seal, making: Path, hooks: Hooks, threads: Threads) -> QueuesWritten:
    """Write ``<making>/queue/<queue>.jsonl`` for each queue, and sealed beside it what the jobs carry, if there is a key."""
    found, files, left_out = list[QueuePart](), list[FileEntry](), list[str]()
    for name in await bull.names():
        ids = await bull.lines.ids(name)
        file = await threads.run(_QueueFile, making / FOLDER, name, seal)
        try:
            await _lines(bull, file, ids, hooks, threads)
            files += await threads.run(file.finish)
        finally:
            file.close()
        found.append(_counted(name, ids))
        left_out += [name] if file.left_out else []
    return QueuesWritten(tuple(found), tuple(files), tuple(left_out))


async def _lines(bull: BullQueues, file: _QueueFile, ids: Mapping[str, Sequence[_Id]], hooks: Hooks, threads: Threads) -> None:
    """All jobs, written some at a time: a queue may hold a million."""
    done, total, some = 0, sum(map(len, ids.values())), list[JobLine]()
    for state, listed in ids.items():
        async for line in bull.lines.lines(file.queue, state, listed, with_data=file.seals):
            some.append(line)
            if len(some) >= _AT_ONCE:
                await threads.run(file.add, tuple(some))
                done += len(some)
                some.clear()
                hooks.say(Step("queue", done, total, "jobs"))
    await threads.run(file.add, tuple(some))


class _QueueFile:
    """The jobs of one queue on their way to the disk. Blocks."""

    def __init__(self, folder: Path, queue: str, seal: Seal) -> None:
        if not folder.is_dir():
            make_directory(folder)
        self.queue, self.seals, self.left_out = queue, seal.configured, False
        self._folder, self._seal = folder, seal
        self._name = stem(queue) + LINES
        self._hash, self._size = hashlib.sha256(), 0
        self._carried, self._room = list[str](), MOST_DATA
        with writing():
            self._file = os.fdopen(os.open(folder / self._name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def add(self, lines: Sequence[JobLine]) -> None:
        """Some more."""
        content = "".join(f"{json.dumps(_written(line), ensure_ascii=False)}\n" for line in lines).encode("utf-8", "replace")
        with writing():
            self._file.write(content)
        self._hash.update(content)
        self._size += len(content)
        for line in lines if self.seals else ():
            self._room -= len(line.data)
            if self._room >= 0 and not line.data_cut:
                self._carried.append(json.dumps({"id": line.job.id, "data": line.data}))
            else:
                self.left_out = True

    def finish(self) -> list[FileEntry]:
        """To the disk; the files there are."""
        with writing():
            self._file.flush()
            os.fsync(self._file.fileno())
        files = [FileEntry(f"{FOLDER}/{self._name}", self._size, self._hash.hexdigest())]
        if self._carried:
            sealed = self._seal.sealed("".join(f"{line}\n" for line in self._carried).encode("utf-8", "replace"))
            name = stem(self.queue) + DATA + ENDING
            files.append(FileEntry(f"{FOLDER}/{name}", len(sealed), write_file(self._folder / name, sealed)))
        return files

    def close(self) -> None:
        """Let the file go; what is still in the buffer may find no room either."""
        with contextlib.suppress(OSError):
            self._file.close()


def _written(line: JobLine) -> dict[str, Any]:
    job = line.job
    return {
        "queue": job.queue,
        "id": job.id,
        "state": job.state,
        "name": job.name,
        "document": job.data_job_id,
        "made_at": job.made_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "due_at": job.due_at,
        "attempts_made": job.attempts_made,
        "attempts": job.attempts,
        "options": dict(line.options),
        "data_bytes": job.data_bytes,
        "data_names": [part.path for part in parts(line.data) or ()],
        "fault": job.fault.value,
    }


def _counted(name: str, ids: Mapping[str, Sequence[_Id]]) -> QueuePart:
    waiting = len(ids["waiting"]) + len(ids["paused"])
    return QueuePart(name, waiting, len(ids["active"]), len(ids["delayed"]), len(ids["failed"]))
