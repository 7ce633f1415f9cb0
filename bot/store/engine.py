"""The state file: one writer thread that commits waiting work together, and one reader beside it.

Knows SQLite and sqlite-utils; what the rows mean is known by its neighbours in this folder.
"""

from __future__ import annotations

import asyncio
import fcntl
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Database

from bot.errors import CannotStart, RecordUnwritable
from bot.store.migrations import migrations

T = TypeVar("T")
Work = Callable[[Database], T]
_BATCH = 256
_BUSY_MS = 5_000


@dataclass(slots=True)
class _Task:
    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two programs that start at once must not both migrate."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _connect(path: Path) -> Database:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000)
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a row that was acknowledged is on the disk, also after a power cut.
    connection.execute("PRAGMA synchronous = FULL")
    return Database(connection)


def _refuse_newer(db: Database, path: Path) -> None:
    """A state file written by a newer version is left alone: an older one would misread it."""
    known = {migration.name for migration in migrations.pending(Database(memory=True))}
    applied = {migration.name for migration in migrations.applied(db)}
    unknown = sorted(applied - known)
    if unknown:
        raise CannotStart("config.newer_state", path=path, names=", ".join(unknown))


class Store:
    """Rows on disk. ``write`` and ``read`` never block the event loop; a write returns after its commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="store-read")

    def open(self) -> None:
        """Open and migrate. RecordUnwritable when the directory cannot be written; CannotStart when it is newer."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self._path.with_suffix(".lock")):
                self._db = _connect(self._path)
                self._path.chmod(0o600)
                _refuse_newer(self._db, self._path)
                migrations.apply(self._db)
            self._reading = _connect(self._path)
        except (sqlite3.Error, OSError) as error:
            raise RecordUnwritable(str(error)) from error
        self._writer = threading.Thread(target=self._write_forever, name="store-write", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Finish what waits, then close."""
        if self._writer is not None:
            self._tasks.put(None)
            self._writer.join()
            self._writer = None
            self._readers.shutdown(wait=True)
            self._reading.close()
            self._db.close()

    async def write(self, work: Work[T]) -> T:
        """Run ``work`` inside a transaction and return its value once committed.

        Work that waits at the same time shares one commit; work that raises is rolled back alone and raises here.
        """
        if self._writer is None:
            raise RecordUnwritable("the store is closed")
        loop = asyncio.get_running_loop()
        task = _Task(work, loop, loop.create_future())
        self._tasks.put(task)
        value: T = await task.future
        return value

    async def read(self, work: Work[T]) -> T:
        """Run ``work`` on the reading connection, beside any writing."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, work, self._reading)
        except sqlite3.Error as error:
            raise RecordUnwritable(str(error)) from error

    def _write_forever(self) -> None:
        while True:
            first = self._tasks.get()
            if first is None:
                return
            batch, last = self._gather(first)
            try:
                self._commit(batch)
            except Exception as error:  # noqa: BLE001 - were this thread to end, every later writer would wait for ever
                for task in batch:
                    task.error = RecordUnwritable(repr(error))
            _settle(batch)
            if last:
                return

    def _gather(self, first: _Task) -> tuple[list[_Task], bool]:
        batch = [first]
        while len(batch) < _BATCH:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                break
            if task is None:
                return batch, True
            batch.append(task)
        return batch, False

    def _commit(self, batch: list[_Task]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for task in batch:
                self._attempt(task)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.conn.in_transaction:
                self._db.execute("ROLLBACK")
            for task in batch:
                task.error = RecordUnwritable(str(error))

    def _attempt(self, task: _Task) -> None:
        self._db.execute("SAVEPOINT task")
        try:
            task.result = task.work(self._db)
        except sqlite3.OperationalError:
            raise  # disk full, read-only: the whole batch is unwritten
        except Exception as error:  # noqa: BLE001 - handed to the waiter, which raises it
            self._db.execute("ROLLBACK TO task")
            task.error = error
        self._db.execute("RELEASE task")


def _settle(batch: list[_Task]) -> None:
    for loop in {task.loop for task in batch}:
        mine = [task for task in batch if task.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle_here, mine)
        except RuntimeError:  # the loop is closed: nobody waits any more
            continue


def _settle_here(tasks: list[_Task]) -> None:
    for task in tasks:
        task.settle()
