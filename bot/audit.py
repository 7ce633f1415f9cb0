"""The record: a row before anything runs, a row after, each sealed to the one before. If it cannot be written, nothing runs.

Opening a request, its de-duplication and its (still empty) answer message are one commit; so are closing it and its answer.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlite_utils import Database

from bot.model import Account, Invocation, Outcome, Place, Reply
from bot.permissions import system_account
from bot.plain_text import harmless
from bot.redact import Redactor
from bot.store import audit_rows, lock_rows, message_rows, promise_rows, request_rows, schedule_rows
from bot.store.audit_rows import AuditEntry
from bot.store.engine import Store
from bot.store.promise_rows import Promise
from bot.store.schedule_rows import Run

_LONGEST_LINE = 12_000
_NOBODY = Account("local", "-")
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def new_reference() -> str:
    """A short name for one request, easy to read out on the phone: ``R-7K3QF2MA``."""
    return "R-" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(8))


class Audit:
    """Opens and closes requests on the record."""

    def __init__(
        self,
        store: Store,
        redactor: Redactor,
        instance: str,
        clock: Callable[[], float] = time.time,
        of_schedule: Callable[[Run, Reply], Reply] | None = None,
    ) -> None:
        self._of_schedule = of_schedule
        self._store = store
        self._redactor = redactor
        self._instance = instance
        self._clock = clock

    async def open(self, invocation: Invocation, run: Run | None = None) -> Invocation | None:
        """Put a request on the record; the invocation with its reference, or None when this delivery was taken before.

        As the ``run`` of a schedule also None when that may not begin now.
        """
        # First harmless, then redacted: an invisible character must not split a secret in two, nor stop the row from being written.
        # Only so much of an endless line, which will be refused for its length: cleaning all of it would keep everybody waiting.
        line = self._redactor.text(harmless(invocation.line[:_LONGEST_LINE], limit=_LONGEST_LINE, newlines=False))
        name = harmless(invocation.account_name, limit=100, newlines=False)
        invocation = replace(invocation, reference=invocation.reference or new_reference(), line=line, account_name=name)

        def work(db: Database) -> Invocation | None:
            known = request_rows.is_known(db, invocation.key)
            if run is not None and not schedule_rows.claim(db, run, invocation.reference, known=known):
                return None
            if known:
                return None
            self.open_rows(db, invocation, run=run)
            return invocation

        return await self._store.write(work)

    def open_rows(self, db: Database, invocation: Invocation, message: int | None = None, person: str = "", run: Run | None = None) -> None:
        """The rows of an open request, inside the caller's transaction. ``message`` reuses an answer that exists."""
        if message is None and invocation.place.platform != "local" and not invocation.within:
            message = message_rows.insert(db, invocation.place, invocation.account, invocation.reply_handle, self._clock())
        request_rows.insert(db, invocation, self._instance, message)
        detail: dict[str, Any] = {"approved_by": str(invocation.approved_by), "ticket": invocation.ticket} if invocation.approved_by else {}
        if invocation.promised:
            detail["promised"] = True
        if invocation.within:
            detail["within"] = invocation.within
        if run is not None:
            detail |= {"schedule": run.schedule, "due": run.due}
        if invocation.place.platform == "local":
            detail["typed_by"] = system_account().id  # whoever they say they are, this user of the machine typed it
        audit_rows.append(db, self.entry(invocation, "opened", person=person, detail=detail))

    def entry(
        self, invocation: Invocation, event: str, *, person: str = "", outcome: str = "", detail: Mapping[str, Any] | None = None
    ) -> AuditEntry:
        """What the record says of an event; redacted."""
        return AuditEntry(
            at=self._clock(),
            event=event,
            reference=invocation.reference,
            account=str(invocation.account),
            person=person,
            place=str(invocation.place),
            line=invocation.line[:500],
            outcome=outcome,
            detail=self._redactor.value(dict(detail or {})),
        )

    async def note(self, invocation: Invocation, event: str, person: str, detail: Mapping[str, Any]) -> None:
        """Add a row about something that happens inside an open request."""
        entry = self.entry(invocation, event, person=person, detail=detail)
        await self._store.write(lambda db: audit_rows.append(db, entry))

    async def close(self, invocation: Invocation, reply: Reply, person: str, also: Callable[[Database], None] | None = None) -> None:
        """Close a request with its answer, let go of its locks, and want the answer shown; one commit. A second close does nothing."""

        def work(db: Database) -> None:
            if not request_rows.close(db, invocation.reference, reply.outcome, self._clock()):
                return
            self._close_rows(db, invocation, reply, person)
            if also is not None:
                also(db)

        await self._store.write(work)

    async def promise(self, invocation: Invocation, lines: Sequence[str]) -> None:
        """Should this request be interrupted, its asker's bot types these lines at the next start; forgotten when it ends by itself."""
        await self._store.write(lambda db: promise_rows.keep(db, invocation, lines))

    async def promise_at(self, promise: Promise, about: str) -> None:
        """At its time the asker's bot types this line, however the request ended and whatever became of this program."""
        await self._store.write(lambda db: promise_rows.keep_at(db, promise, about))

    async def promised(self, about: str) -> Promise | None:
        """The timed promise about this, until it was kept."""
        return await self._store.read(lambda db: promise_rows.about(db, about))

    async def release(self, about: str) -> None:
        """Nothing has to be typed about this any more."""
        await self._store.write(lambda db: promise_rows.release(db, about))

    async def withdraw(self, invocation: Invocation) -> None:
        """Close, as refused, a request that never ran because its record came too late; its asker was told past us."""

        def work(db: Database) -> None:
            if request_rows.close(db, invocation.reference, Outcome.REFUSED, self._clock()):
                audit_rows.append(db, self.entry(invocation, "closed", outcome=Outcome.REFUSED))

        await self._store.write(work)

    def _close_rows(self, db: Database, invocation: Invocation, reply: Reply, person: str) -> None:
        lock_rows.release(db, invocation.reference)
        promise_rows.forget(db, invocation.reference)
        reply = self._as_scheduled(db, invocation, reply)
        detail = {"title": reply.title, "text": reply.text[:500], **({"ticket": reply.ticket} if reply.ticket else {})}
        audit_rows.append(db, self.entry(invocation, "closed", person=person, outcome=reply.outcome, detail=detail))
        message = request_rows.answer_of(db, invocation.reference)
        if message is not None:
            message_rows.show(db, message, reply, self._clock())

    def _as_scheduled(self, db: Database, invocation: Invocation, reply: Reply) -> Reply:
        """The answer to a run of a schedule says so, and is shown in each of its places, whatever becomes of us after this commit."""
        run = schedule_rows.end(db, invocation.reference, reply.outcome, self._clock())
        if run is None:
            return reply
        reply, answer, now = self._told(run, reply), request_rows.answer_of(db, invocation.reference), self._clock()
        # A card has its own places, by the rules of approvals; what is private is for one place only.
        if not reply.private and reply.outcome is not Outcome.PENDING:
            for other in self._show(db, run.places, reply):
                message_rows.repeat_below(db, answer or 0, other, now)
        return reply

    async def cannot_run(self, schedule: str, due: float, places: Sequence[Place], reply: Reply) -> None:
        """This moment of a schedule is over, and these places are told why; one commit."""

        def work(db: Database) -> None:
            schedule_rows.pass_by(db, schedule, due, self._clock(), schedule_rows.FAULTY)
            self._show(db, places, reply)

        await self._store.write(work)

    def _show(self, db: Database, places: Sequence[Place], reply: Reply) -> Sequence[int]:
        """Messages of their own in these places; their numbers."""
        messages = [message_rows.insert(db, place, _NOBODY, {}, self._clock()) for place in places]
        for message in messages:
            message_rows.show(db, message, reply, self._clock())
        return messages

    def _told(self, run: Run | None, reply: Reply) -> Reply:
        return self._of_schedule(run, reply) if run is not None and self._of_schedule is not None else reply

    async def progress(self, invocation: Invocation, reply: Reply) -> None:
        """Want an interim answer shown."""

        def work(db: Database) -> None:
            message = request_rows.answer_of(db, invocation.reference, only_open=True)
            if message is not None:
                message_rows.show(db, message, reply, self._clock())

        await self._store.write(work)

    async def post(self, invocation: Invocation, reply: Reply) -> None:
        """Want something more said, in the thread below the answer of an open request."""

        def work(db: Database) -> None:
            answer = request_rows.answer_of(db, invocation.reference)
            if answer is not None:
                message_rows.show(db, message_rows.insert_below(db, answer, self._clock()), reply, self._clock())

        await self._store.write(work)

    async def revise(self, reference: str, reply: Reply) -> None:
        """Want an answer that was given to say something else from now on, wherever it is shown."""

        def work(db: Database) -> None:
            told = replace(self._told(schedule_rows.of(db, reference), reply), reference=reference)
            for message in message_rows.of_answer(db, reference):
                message_rows.show(db, message, told, self._clock())

        await self._store.write(work)

    async def running(self, reference: str) -> Invocation | None:
        """The request of this reference, while it runs."""
        return await self._store.read(lambda db: request_rows.running(db, reference))

    async def all_running(self) -> Sequence[Invocation]:
        """Every request that runs now, the oldest first."""
        return [invocation for invocation, _, _ in await self._store.read(request_rows.still_open)]

    async def ask_to_end(self, reference: str, person: str) -> None:
        """Let a running request know that it should end; whichever program runs it."""
        await self._store.write(lambda db: request_rows.ask_to_end(db, reference, person, self._clock()))

    async def asked_to_end(self, reference: str) -> str:
        """Who wants this request to end early; empty while nobody does."""
        return await self._store.read(lambda db: request_rows.asked_to_end(db, reference))

    async def interrupt(
        self, alive: Callable[[str], bool], say: Callable[[Invocation], Reply], also: Callable[[Database, Invocation, str], None]
    ) -> bool:
        """Close, as interrupted, every open request whose program is gone; once, whoever of several looks first. Whether there were any."""

        def work(db: Database) -> bool:
            lost = [invocation for invocation, instance, _ in request_rows.still_open(db) if not alive(instance)]
            for invocation in lost:
                reply = say(invocation)
                request_rows.close(db, invocation.reference, reply.outcome, self._clock())
                promise_rows.fall_due(db, invocation.reference)
                self._close_rows(db, invocation, reply, "")
                also(db, invocation, reply.outcome)
            for lock in lock_rows.everything(db):
                if not alive(lock.instance):
                    lock_rows.release(db, lock.reference)
            return bool(lost)

        return await self._store.write(work)

    async def due_promises(self) -> Sequence[Promise]:
        """What is to be typed now: of interrupted requests, and what was promised for a time that has come."""
        now = self._clock()
        return await self._store.write(lambda db: promise_rows.take(db, now))

    async def promise_kept(self, promise: Promise) -> None:
        """It was typed and done."""
        await self._store.write(lambda db: promise_rows.kept(db, promise.id))

    async def tail(self, count: int, contains: str = "") -> Sequence[Mapping[str, Any]]:
        """The newest rows, newest first."""
        return await self._store.read(lambda db: audit_rows.tail(db, count, contains))

    async def verify(self) -> tuple[int, int]:
        """(rows that hold, number of the first broken row or 0). Reads a page at a time, so that others read in between."""
        chain = audit_rows.Chain()
        while True:
            page, head = await self._store.read(partial(audit_rows.page_and_head, after=chain.good))
            if not page:
                return chain.good, chain.end(head)
            broken = chain.follow(page)
            if broken:
                return chain.good, broken

    async def export(self, since: float) -> Sequence[Mapping[str, Any]]:
        """All rows not older than ``since``, oldest first."""
        found: list[Mapping[str, Any]] = []
        after = 0
        while True:
            page, _ = await self._store.read(partial(audit_rows.page_and_head, after=after))
            if not page:
                return found
            after = page[-1]["seq"]
            found += [row for row in page if row["at"] >= since]
