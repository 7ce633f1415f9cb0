"""Messages are rows before they are sent: each row is what a message should say, and this brings the platforms to it.

Delivery is retried with backoff and inside rate limits; after a crash, what is in doubt is looked up before it is
sent again. Knows no platform: a courier does the posting.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from bot.errors import RecordUnwritable
from bot.store import message_rows
from bot.store.engine import Store
from bot.store.message_rows import Message

_LOG = logging.getLogger("vcc.outbox")
_PARALLEL = 16
_PAGE = 128
_POLL = 1.0
_DEADLINE = 30.0
_DEADLINE_WITH_FILES = 300.0
_LONGEST_WAIT = 60.0
_TRIES = 5

Checkpoint = Callable[[Mapping[str, str]], Awaitable[None]]


class NotDelivered(Exception):
    """A courier could not deliver. ``retry_after`` in seconds; ``final``: trying again is useless.

    ``in_doubt``: the platform may have taken it, the answer was lost. ``refused``: it said no to this very message, so
    that after some tries it is given up.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, final: bool = False, in_doubt: bool = False, refused: bool = False
    ) -> None:
        super().__init__(reason)
        self.refused = refused
        self.retry_after = retry_after
        self.final = final
        self.in_doubt = in_doubt


class Courier(Protocol):
    """A platform that messages can be posted to and changed on."""

    def lane(self, message: Message) -> str:
        """Messages of one lane are delivered one after the other, in order."""

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        """Post the message, or change it when ``message.posted`` says it exists; what to remember of it.

        ``checkpoint`` keeps a half-done state, so that a crash does not post the first half twice.
        """

    async def find(self, message: Message) -> Mapping[str, str] | None:
        """What was posted of a message whose delivery is in doubt; None when nothing was."""


class Outbox:
    """Brings one platform's messages to what their rows say, for ever."""

    def __init__(self, store: Store, platform: str, courier: Courier, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._platform = platform
        self._courier = courier
        self._clock = clock
        self._wake = asyncio.Event()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._held_until: dict[str, float] = {}

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._wake.clear()
                wait = await self._start_due()
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _start_due(self) -> float:
        """Start what may start now; seconds until there may be more."""
        now = self._clock()
        after: int | None = 0
        while after is not None and len(self._busy) < _PARALLEL:
            after = await self._start_page(now, after)
        nearest = await self._store.read(lambda db: message_rows.next_due(db, self._platform))
        holds = [until for lane, until in self._held_until.items() if self._is_held(lane, now)]
        waits = [at - now for at in (*holds, *([nearest] if nearest is not None else [])) if at > now]
        return max(0.01, min([_POLL, *waits]))

    async def _start_page(self, now: float, after: int) -> int | None:
        """Start from a page of due messages; where the next begins. A lane that waits, however long, hides no other."""
        # A lane that delivers while we read may be done when we have read: what we know of its messages is then too old.
        busy = set(self._busy)
        page = await self._store.read(lambda db: message_rows.due(db, self._platform, now, _PAGE, after))
        for message in page:
            lane = self._courier.lane(message)
            if lane in busy or lane in self._busy or self._is_held(lane, now) or len(self._busy) >= _PARALLEL:
                continue
            task = asyncio.create_task(self._deliver(message, lane), name=f"deliver-{message.id}")
            self._busy[lane] = task
            task.add_done_callback(functools.partial(self._done, lane))
        return page[-1].id if len(page) == _PAGE else None

    def _is_held(self, lane: str, now: float) -> bool:
        """Not by what was said before the clock was set back."""
        return now < self._held_until.get(lane, 0) <= now + message_rows.LONGEST_WAIT

    def _done(self, lane: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("delivery broke on %s", self._platform, exc_info=task.exception())
            self._held_until[lane] = self._clock() + _LONGEST_WAIT
        self._busy.pop(lane, None)
        self._wake.set()

    async def _deliver(self, message: Message, lane: str) -> None:
        try:
            async with asyncio.timeout(_DEADLINE_WITH_FILES if message.reply.files else _DEADLINE):
                posted = await self._send(message)
        except NotDelivered as failure:
            await self._failed(message, failure, lane)
        except TimeoutError:
            await self._failed(message, NotDelivered("no answer", in_doubt=True), lane)
        except RecordUnwritable:
            raise
        except Exception as error:  # noqa: BLE001 - one message must not close its channel for all that come after it
            _LOG.exception("message %s broke its delivery on %s", message.id, self._platform)
            await self._failed(message, NotDelivered(type(error).__name__, in_doubt=True, refused=True), lane)
        else:
            await self._store.write(lambda db: message_rows.mark_delivered(db, message, posted))

    async def _send(self, message: Message) -> Mapping[str, str]:
        """Settle a doubt first: what a lost answer may have posted is found, not posted again."""
        if message.sending and not message.posted:
            found = await self._found(message)
            if found:
                await self._store.write(lambda db: message_rows.mark_posted(db, message.id, found))
                message = _with_posted(message, found)
        await self._store.write(lambda db: message_rows.mark_sending(db, message))

        async def checkpoint(posted: Mapping[str, str]) -> None:
            await self._store.write(lambda db: message_rows.mark_posted(db, message.id, posted))

        return await self._courier.deliver(message, checkpoint)

    async def _found(self, message: Message) -> Mapping[str, str] | None:
        try:
            return await self._courier.find(message)
        except NotDelivered as failure:
            failure.in_doubt = True  # who cannot look does not know more than before
            raise

    async def _failed(self, message: Message, failure: NotDelivered, lane: str) -> None:
        final = failure.final or (failure.refused and message.attempts + 1 >= _TRIES)
        wait = failure.retry_after if failure.retry_after is not None else min(_LONGEST_WAIT, 2.0 ** min(message.attempts, 10))
        _LOG.warning("message %s not delivered on %s: %s%s", message.id, self._platform, failure, ", given up" if final else "")
        next_at = self._clock() + min(wait, message_rows.LONGEST_WAIT)
        if not final:
            # What comes after it in this lane waits too: people read a channel from top to bottom.
            self._held_until[lane] = next_at
        await self._store.write(
            lambda db: message_rows.mark_failed(db, message, next_at=next_at, error=str(failure), dead=final, in_doubt=failure.in_doubt)
        )


def _with_posted(message: Message, posted: Mapping[str, str]) -> Message:
    return Message(**{**{name: getattr(message, name) for name in Message.__slots__}, "posted": posted})


async def state(store: Store) -> Sequence[tuple[str, int, int, float]]:
    """For each platform: messages waiting, messages given up, when the next is tried."""
    return await store.read(message_rows.waiting)
