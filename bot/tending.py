"""What time alone changes: tickets run out, what a crash cut off is told and let go, old rows and files are forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.approvals import Approvals
from bot.attachments import Attachments
from bot.audit import Audit
from bot.dispatch import Dispatch
from bot.model import Invocation, Outcome, Reply, Tone
from bot.store import alert_rows, message_rows, notice_rows, request_rows, schedule_rows
from bot.store.engine import Store
from bot.words import Words

_LOG = logging.getLogger("vcc.tending")
_EVERY = 15.0
_KEEP_ROWS = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class House:
    """What is looked after. ``alive`` tells whether a program that opened a request still runs; ``wake`` lets messages go out."""

    store: Store
    audit: Audit
    approvals: Approvals
    dispatch: Dispatch
    attachments: Attachments
    alive: Callable[[str], bool]
    wake: Callable[[], None]


class Tending:
    """Looks after ``house`` by ``clock``, telling in ``words``."""

    def __init__(self, house: House, words: Words, clock: Callable[[], float]) -> None:
        self._house = house
        self._words = words
        self._clock = clock

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            if await self._house.approvals.expire():
                self._house.wake()
            await self.find_interrupted()
            await self.keep_promises()
            await self.forget()
            await asyncio.sleep(_EVERY)

    async def find_interrupted(self) -> None:
        """Tell about every request whose program is gone."""
        house = self._house
        if await house.audit.interrupt(house.alive, self._interrupted, house.approvals.finished_rows):
            house.wake()

    async def keep_promises(self) -> None:
        """Type what was promised and is due, one after the other; what is not done yet is tried again later."""
        house = self._house
        for promise in await house.audit.due_promises():
            asked = promise.invocation
            fresh = replace(asked, key="", reference="", at=self._clock(), reply_handle={}, approved_by=None, ticket=None)
            again = replace(fresh, line=promise.line, promised=True)
            accepted = await house.dispatch.accept(again)
            if accepted is not None and (await house.dispatch.run(accepted)).outcome is Outcome.DONE:
                await house.audit.promise_kept(promise)

    async def forget(self) -> None:
        """Let go of rows and files that nobody needs any more."""
        store, before = self._house.store, self._clock() - _KEEP_ROWS
        await store.write(lambda db: request_rows.prune(db, before))
        await store.write(lambda db: message_rows.prune(db, before))
        await store.write(notice_rows.prune)
        await store.write(schedule_rows.prune)
        await store.write(lambda db: alert_rows.prune(db, self._clock() - alert_rows.KEPT))
        await asyncio.to_thread(self._house.attachments.prune)

    def _interrupted(self, invocation: Invocation) -> Reply:
        _LOG.warning("%s was interrupted: %s", invocation.reference, invocation.line)
        text = self._words("app.interrupted", line=invocation.line)
        footer = self._words("dispatch.reference", reference=invocation.reference)
        title = self._words("app.interrupted_title")
        return Reply(title, text, Outcome.INTERRUPTED, Tone.BAD, footer=footer, reference=invocation.reference)
