"""One destructive job per target: a change or risky command holds its targets while it runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from sqlite_utils import Database

from bot.errors import Busy, RecordUnwritable
from bot.figures import Figures
from bot.model import Invocation
from bot.store import lock_rows
from bot.store.engine import Store
from bot.store.lock_rows import Lock

EVERYTHING = "everything"


class Locks:
    """Targets held, across all our programs on this state directory."""

    def __init__(
        self, store: Store, instance: str, alive: Callable[[str], bool], figures: Figures, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._figures = figures
        self._instance = instance
        self._alive = alive
        self._clock = clock

    @asynccontextmanager
    async def hold(self, targets: Sequence[str], invocation: Invocation, person: str) -> AsyncIterator[None]:
        """Hold all targets or none; Busy names who holds one already. Holding EVERYTHING excludes every other."""
        if not targets:
            yield
            return
        await self._store.write(lambda db: self._take(db, sorted(set(targets)), invocation, person))
        try:
            yield
        finally:
            # Closing the request lets go as well; a failure here must not hide how the work ended.
            with suppress(RecordUnwritable):
                await self._store.write(lambda db: lock_rows.release(db, invocation.reference))

    def _take(self, db: Database, targets: Sequence[str], invocation: Invocation, person: str) -> None:
        for held in lock_rows.everything(db):
            if not self._alive(held.instance):
                lock_rows.release(db, held.reference)
            elif held.target in targets or EVERYTHING in (held.target, *targets):
                since = self._figures.duration(max(0.0, self._clock() - held.since))
                raise Busy("locks.busy", target=held.target, person=held.person, line=held.line, reference=held.reference, since=since)
        for target in targets:
            lock_rows.take(db, Lock(target, invocation.reference, person, invocation.line[:200], self._instance, self._clock()))

    def held(self, db: Database) -> frozenset[str]:
        """Every target that a program of ours that still runs works on now."""
        return frozenset(each.target for each in lock_rows.everything(db) if self._alive(each.instance))
