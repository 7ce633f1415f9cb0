"""The corridor: every request walks it once, whichever door it came through.

``accept`` puts it on the record (and drops what was delivered before); ``run`` walks and answers. Gates raise;
whatever raises becomes an answer at one boundary: a sentence for a refusal, a reference for a bug.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from bot import binding, cards, line
from bot.approvals import Approvals, Asked
from bot.audit import Audit
from bot.command import Command
from bot.context import Context
from bot.errors import OutsideError, RecordUnwritable, Refusal, Usage, VccError
from bot.gate import Gate
from bot.locks import Locks
from bot.model import Invocation, Outcome, Person, Plan, Reply, Risk, Role, Table, Tone
from bot.plain_text import harmless, writable
from bot.progress import ProgressReport
from bot.redact import Redactor
from bot.registry import Registry
from bot.store.codec import noun_to_text
from bot.words import Words

_LOG = logging.getLogger("vcc.dispatch")
_LONGEST_TEXT = 200_000
_RECORDED_WITHIN = 2.0
_CLOSE_AGAIN = (1, 2, 4, 8, 15, 30)


@dataclass(slots=True)
class _Walk:
    """What is known of a request so far: for the record when it ends, however it ends."""

    invocation: Invocation
    person: Person | None = None
    command: Command | None = None
    also: Callable[[Database], None] | None = None
    within: float = float("inf")


@dataclass(frozen=True, slots=True)
class Corridor:
    """The rooms a request passes."""

    audit: Audit
    gate: Gate
    registry: Registry
    approvals: Approvals
    locks: Locks
    redactor: Redactor
    words: Words


class Dispatch:
    """Takes requests from every door."""

    def __init__(self, corridor: Corridor, make_context: Callable[..., Context], wake: Callable[[], None]) -> None:
        self._rooms = corridor
        self._make_context = make_context
        self._wake = wake
        self._running: set[asyncio.Task[Reply]] = set()
        self._beside: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def accept(self, invocation: Invocation, within: float = _RECORDED_WITHIN) -> Invocation | None:
        """Put a delivery on the record; None when it was taken before.

        RecordUnwritable when that fails or takes longer than ``within`` seconds (a platform waits 3): nothing may run then.
        """
        recording = asyncio.create_task(self._rooms.audit.open(invocation), name=f"record-{invocation.key}")
        done, _ = await asyncio.wait({recording}, timeout=within)
        if done:
            return recording.result()
        withdrawing = asyncio.create_task(self._withdraw(recording), name=f"withdraw-{invocation.key}")
        self._beside.add(withdrawing)
        withdrawing.add_done_callback(self._beside.discard)
        raise RecordUnwritable(f"not on the record within {within:g} s")

    async def _withdraw(self, recording: asyncio.Task[Invocation | None]) -> None:
        """What was refused for a record that came too late is closed as refused when it comes; the asker was told already."""
        try:
            accepted = await recording
            if accepted is not None:
                await self._rooms.audit.withdraw(accepted)
        except RecordUnwritable as error:
            _LOG.error("a request was refused, and its record failed: %s", error.detail)

    def start(self, invocation: Invocation) -> asyncio.Task[Reply]:
        """Run an accepted request beside the caller."""
        task = asyncio.create_task(self.run(invocation), name=f"request-{invocation.reference}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def stop(self, grace: float) -> None:
        """Let what runs finish for ``grace`` seconds; then end it, which is recorded and told as interrupted."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=grace)
        self._stopping.set()
        for task in self._running:
            task.cancel()
        while self._running or self._beside:
            await asyncio.wait({*self._running, *self._beside})

    async def run(self, invocation: Invocation, within: float = float("inf")) -> Reply:
        """Walk an accepted request and answer it; the answer is on the record and in the outbox when this returns."""
        walk = _Walk(invocation, within=within)
        reply = replace(await self._signed(walk, await self._answer(walk)), reference=invocation.reference)
        if reply.outcome is not Outcome.INTERRUPTED or invocation.within:  # else the next start tells it, and keeps what it promised
            await self._close(walk, reply)
            self._wake()
        return reply

    async def _close(self, walk: _Walk, reply: Reply) -> None:
        """The work is done, so its end must get on the record: a disk that is full now may have room in a minute."""
        if await self._closed(walk, reply):
            return
        again = asyncio.create_task(self._close_again(walk, reply), name=f"close-{walk.invocation.reference}")
        self._beside.add(again)
        again.add_done_callback(self._beside.discard)
        if walk.invocation.place.platform != "local":  # at a terminal the answer is not the record's to give
            await asyncio.shield(again)

    async def _closed(self, walk: _Walk, reply: Reply) -> bool:
        try:
            await self._rooms.audit.close(walk.invocation, reply, walk.person.name if walk.person else "", walk.also)
        except RecordUnwritable as error:
            _LOG.error("%s ended (%s) and cannot be closed: %s", walk.invocation.reference, reply.outcome, error.detail)
            return False
        return True

    async def _close_again(self, walk: _Walk, reply: Reply) -> None:
        for wait in itertools.chain(_CLOSE_AGAIN, itertools.repeat(60)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
                return
            if await self._closed(walk, reply):
                self._wake()
                return

    async def _signed(self, walk: _Walk, reply: Reply) -> Reply:
        """The answer to a granted request says who asked and who approved, on every card, however it ended."""
        invocation = walk.invocation
        if invocation.ticket is None or walk.also is not None:
            return reply
        walk.also = self._rooms.approvals.finished(invocation, reply.outcome)
        ticket = await self._rooms.approvals.get(invocation.ticket)
        footer = self._rooms.words("approvals.footer", asker=ticket.asker, approver=ticket.decided_by, number=ticket.id)
        # It stands on a card that everybody there saw, so it is no private matter, whatever it says.
        return replace(reply, footer=" · ".join(part for part in (footer, reply.footer) if part), ticket=ticket.id, private=False)

    async def _answer(self, walk: _Walk) -> Reply:
        """The boundary: whatever the walk raises becomes an answer."""
        try:
            reply = self._clean(await self._walk(walk))
            noun_to_text(reply).encode()  # what cannot be written down must fail here, as a bug of its command
            return reply
        except Refusal as refusal:
            return self._refused(refusal)
        except asyncio.CancelledError:  # the bot is being stopped
            return self._failed(walk, self._rooms.words("app.interrupted", line=walk.invocation.line), Outcome.INTERRUPTED)
        except VccError as failure:
            detail = failure.detail if isinstance(failure, OutsideError) else ""
            _LOG.warning("%s failed: %s %s", walk.invocation.reference, failure, detail)
            return self._failed(walk, self._rooms.words(failure.key, **failure.values))
        except TimeoutError:
            seconds = walk.command.timeout if walk.command else 0
            return self._failed(walk, self._rooms.words("dispatch.timed_out", seconds=f"{seconds:g}"))
        except Exception:  # noqa: BLE001 - a bug: people see its reference, the log sees the rest
            _LOG.exception("%s crashed", walk.invocation.reference)
            return self._failed(walk, self._rooms.words("dispatch.crashed"), Outcome.CRASHED)

    async def _walk(self, walk: _Walk) -> Reply:
        rooms, invocation = self._rooms, walk.invocation
        walk.person = await rooms.gate.admit(invocation)
        command, words = rooms.registry.resolve(line.split(line.normalise(invocation.line)))
        walk.command = command = replace(command, timeout=min(command.timeout, walk.within))
        if not invocation.promised:  # the right was there when it was promised, and what is held must be let go
            rooms.gate.require(walk.person, command)
        arguments = binding.bind(command, words)
        progress = ProgressReport(rooms.audit, invocation, rooms.words, self._clean, self._wake)
        progress.cancellable = command.cancellable
        async with progress as say, asyncio.timeout(command.timeout):
            context = self._make_context(invocation, walk.person, say)
            if command.plan is not None:
                return await self._risky(walk, context, command, arguments)
            targets = command.locks(**arguments) if command.locks else ()
            async with rooms.locks.hold(targets, invocation, walk.person.name):
                return await _run(command, context, arguments)

    async def _risky(self, walk: _Walk, context: Context, command: Command, arguments: Mapping[str, Any]) -> Reply:
        """Without an approval the plan becomes a ticket; with one it is compared, and then carried out."""
        rooms, invocation = self._rooms, walk.invocation
        if invocation.approved_by is None or invocation.ticket is None:
            ticket = await rooms.approvals.draft(invocation, context.person, command, await _plan(command, context, arguments))
            return self._asked(walk, rooms.approvals.ask(ticket, rooms.gate.who(Role.ADMIN)))
        approved = await rooms.approvals.get(invocation.ticket)
        await rooms.gate.require_approval(invocation)
        # Held from before the second look until the end, so that nobody changes in between what was just compared.
        async with rooms.locks.hold(approved.plan.targets, invocation, context.person.name):
            plan = await _plan(command, context, arguments)
            moved = cards.changes(approved.plan, plan)
            if not moved:
                return await _apply(command, context, plan)
        ticket = await rooms.approvals.draft(invocation, context.person, command, plan)
        return self._asked(walk, rooms.approvals.ask_again(approved, ticket, rooms.gate.who(Role.ADMIN), moved))

    def _clean(self, reply: Reply) -> Reply:
        return redacted(reply, self._rooms.redactor)

    @staticmethod
    def _asked(walk: _Walk, asked: Asked) -> Reply:
        walk.also = asked.publish
        return asked.reply

    def _refused(self, refusal: Refusal) -> Reply:
        words, usage = self._rooms.words, isinstance(refusal, Usage)
        title, text = words("dispatch.usage" if usage else "dispatch.refused"), words(refusal.key, **refusal.values)
        return self._clean(Reply(title, text, Outcome.REFUSED, Tone.WARN, private=True, data={"usage": usage, "reason": refusal.key}))

    def _failed(self, walk: _Walk, text: str, outcome: Outcome = Outcome.FAILED) -> Reply:
        walk.also = None  # the rows of an answer that is not given
        name = walk.command.name if walk.command else walk.invocation.line
        footer = self._rooms.words("dispatch.reference", reference=walk.invocation.reference)
        return self._clean(Reply(self._rooms.words("dispatch.failed", command=name), text, outcome, Tone.BAD, footer=footer))

    async def ask(self, invocation: Invocation, words: str, within: float = float("inf")) -> Reply:
        """What a reading command answers, asked in the course of ``invocation`` as the same person, with their rights; nobody else sees it.

        On the record by itself, ended after ``within`` seconds. Usage for a command that does more than read.
        """
        command, _ = self._rooms.registry.resolve(line.split(line.normalise(words)))
        if command.risk is not Risk.READ:
            raise Usage("dispatch.reads_only", command=command.name)
        asked = replace(invocation, line=words, key="", reference="", reply_handle={}, approved_by=None, ticket=None, promised=False)
        accepted = await self.accept(replace(asked, within=invocation.reference))
        if accepted is None:
            raise TypeError("a line without a key cannot have been taken before")
        reply = await self.run(accepted, within)
        if reply.outcome is Outcome.INTERRUPTED:  # so is whoever asked, who must not go on as if nothing had happened
            raise asyncio.CancelledError
        return reply

    async def run_held(self, invocation: Invocation, wait: bool) -> Reply | None:
        """Run a request that was granted: waiting for its answer, or beside the caller."""
        task = self.start(invocation)
        return await task if wait else None


async def _run(command: Command, context: Context, arguments: Mapping[str, Any]) -> Reply:
    if command.run is None:
        raise TypeError(f"{command.name} has nothing to run")
    return await command.run(context, **arguments)


async def _plan(command: Command, context: Context, arguments: Mapping[str, Any]) -> Plan:
    if command.plan is None:
        raise TypeError(f"{command.name} has no plan")
    return await command.plan(context, **arguments)


async def _apply(command: Command, context: Context, plan: Plan) -> Reply:
    if command.apply is None:
        raise TypeError(f"{command.name} has nothing to apply")
    return await command.apply(context, plan)


def redacted(reply: Reply, redactor: Redactor) -> Reply:
    """A reply without secrets and without hidden signs: every text of it, and its raw figures."""

    def text(value: str) -> str:
        # First harmless, then redacted: an invisible character must not split a secret in two.
        return redactor.text(harmless(value, limit=_LONGEST_TEXT))

    def texts(values: Sequence[str]) -> tuple[str, ...]:
        return tuple(text(value) for value in values)

    return replace(
        reply,
        title=text(reply.title),
        text=text(reply.text),
        code=text(reply.code),
        footer=text(reply.footer),
        fields=tuple((text(name), text(value)) for name, value in reply.fields),
        tables=tuple(Table(texts(table.columns), tuple(texts(row) for row in table.rows), text(table.title)) for table in reply.tables),
        files=tuple(replace(file, alt=text(file.alt)) for file in reply.files),
        buttons=tuple(replace(button, label=text(button.label), types=text(button.types)) for button in reply.buttons),
        data=writable(redactor.value(reply.data)),
    )
