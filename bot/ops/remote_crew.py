"""Many files carried by a few threads: how far they are, who wants them to end, and the first that fails. Knows not where they go."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

from bot.ops.bounded import Workers
from bot.ops.remote_values import Asked, Carried, FileEntry, Tell

T = TypeVar("T")
_LOOK_EVERY = 0.5
# Carries one file; tells how many bytes went, piece by piece.
Carry = Callable[[FileEntry, Callable[[int], None]], None]


class Halted(Exception):
    """Somebody wants this to end, or something else failed."""


class Tally:
    """How far it is. Threads add to it."""

    def __init__(self, total_files: int, total_bytes: int) -> None:
        self._total = (total_files, total_bytes)
        self._lock = threading.Lock()
        self._halted = threading.Event()
        self._files = 0
        self._bytes = 0

    @property
    def carried(self) -> Carried:
        """As it is now."""
        with self._lock:
            return Carried(self._files, self._total[0], min(self._bytes, self._total[1]), self._total[1])

    def halt(self) -> None:
        """Nothing more begins, and what is under way ends at its next piece."""
        self._halted.set()

    def passed(self, files: int, size: int) -> None:
        """So much need not be carried."""
        with self._lock:
            self._files += files
            self._bytes += size

    def moved(self, count: int) -> None:
        """A piece went. Halted when it shall be the last."""
        with self._lock:
            self._bytes += count
        if self._halted.is_set():
            raise Halted

    def one(self, carry: Carry, entry: FileEntry) -> None:
        """Carry one file, and count it as its own size whatever its pieces were."""
        pieces: list[int] = []

        def moved(count: int) -> None:
            pieces.append(count)
            self.moved(count)

        self.moved(0)
        carry(entry, moved)
        self.passed(1, entry.bytes - sum(pieces))


class Crew:
    """``parallel`` threads of ``workers``."""

    def __init__(self, workers: Workers, parallel: int) -> None:
        self._workers = workers
        self._parallel = parallel

    async def carry(self, entries: Iterable[FileEntry], carry: Carry, tally: Tally, *, parallel: int = 0) -> None:
        """All of them, in order of beginning. The first failure ends the others, and is raised when they have ended."""
        waiting = iter(entries)
        hands = [asyncio.create_task(self._hand(waiting, carry, tally)) for _ in range(parallel or self._parallel)]
        try:
            await asyncio.gather(*hands)
        finally:
            if not all(hand.done() for hand in hands):
                tally.halt()
            await asyncio.gather(*hands, return_exceptions=True)

    async def _hand(self, waiting: Iterator[FileEntry], carry: Carry, tally: Tally) -> None:
        for entry in waiting:
            await outlasting(self._workers.run(tally.one, carry, entry), tally.halt)


async def outlasting(work: Awaitable[T], halt: Callable[[], None] = lambda: None) -> T:
    """``work`` in a thread. That cannot be cancelled, and what it works on must not be taken away under it: so it is waited for."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        halt()
        await asyncio.wait([running])
        raise


@contextlib.asynccontextmanager
async def watching(tally: Tally, say: Tell, asked: Asked) -> AsyncIterator[Callable[[], str]]:
    """Inside, how far it is gets told, and who wants it to end is heard; gives who that was."""
    heard: list[str] = []

    async def watch() -> None:
        while not heard:
            say(tally.carried)
            who = await asked()
            if who:
                heard.append(who)
                tally.halt()
            await asyncio.sleep(_LOOK_EVERY)

    watcher = asyncio.create_task(watch())
    try:
        yield lambda: heard[0] if heard else ""
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
