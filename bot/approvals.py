"""Plan and approve: a ticket is a row, asked for by one person and granted once by another.

Nothing here waits: asking ends a request, granting opens a new one for the held line. Knows no platform.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from bot import cards
from bot.audit import Audit, new_reference
from bot.cards import Cards
from bot.command import Command
from bot.errors import Conflict
from bot.model import Account, Fact, Invocation, Person, Place, Plan, Reply
from bot.permissions import Permissions
from bot.services import Asking
from bot.store import audit_rows, message_rows, ticket_rows
from bot.store.engine import Store
from bot.store.request_rows import answer_of
from bot.store.ticket_rows import Ticket

LIFETIME = 30 * 60.0
_NOBODY = Account("local", "-")
_NO_FACT = Fact("", "", "", None)


@dataclass(frozen=True, slots=True)
class Asked:
    """A card to answer with, and the rows that must be written in the same commit as that answer."""

    reply: Reply
    publish: Callable[[Database], None]


class Approvals:
    """Tickets: draft, publish, grant, deny, expire."""

    def __init__(
        self,
        store: Store,
        audit: Audit,
        permissions: Permissions,
        card_texts: Cards,
        places: Callable[[], Sequence[Place]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._audit = audit
        self._permissions = permissions
        self._cards = card_texts
        self._places = places
        self._clock = clock

    async def draft(self, invocation: Invocation, person: Person, command: Command, plan: Plan) -> Ticket:
        """A ticket that nobody can grant yet."""
        now = self._clock()
        code = f"{secrets.randbelow(10_000):04d}" if self._permissions.solo else ""
        held = replace(invocation, approved_by=None, ticket=None)
        ticket = Ticket(
            0,
            "draft",
            held,
            person.name,
            plan,
            cards.digest(plan),
            code,
            command.name,
            now,
            now + LIFETIME,
            "",
            None,
            None,
            invocation.reference,
        )
        number = await self._store.write(lambda db: ticket_rows.insert(db, ticket))
        return replace(ticket, id=number)

    def ask(self, ticket: Ticket, approvers: str) -> Asked:
        """The card as the answer of the asking request; cards on the other platforms beside it."""
        card = self._cards.asking(ticket, approvers)

        def publish(db: Database) -> None:
            message = answer_of(db, ticket.invocation.reference)
            if message is not None:
                message_rows.link(db, message, ticket.id)
            self._publish(db, ticket, card, answered=message is not None)

        return Asked(card, publish)

    def ask_again(self, old: Ticket, ticket: Ticket, approvers: str, moved: Sequence[tuple[Fact | None, Fact | None]]) -> Asked:
        """The old cards say they are void; a new card says what changed."""
        card = self._cards.asking(ticket, approvers, moved)
        void = self._cards.decided(old, "void", old.decided_by, successor=ticket.id)

        def publish(db: Database) -> None:
            ticket_rows.note(db, old.id, state="void", successor=ticket.id)
            detail = {"ticket": old.id, "successor": ticket.id, "moved": [(after or before or _NO_FACT).key for before, after in moved]}
            audit_rows.append(db, self._audit.entry(ticket.invocation, "void", person=ticket.asker, detail=detail))
            for message in message_rows.of_ticket(db, old.id):
                message_rows.show(db, message, void, self._clock())
            self._publish(db, ticket, card, answered=False)

        return Asked(card, publish)

    def _publish(self, db: Database, ticket: Ticket, card: Reply, *, answered: bool) -> None:
        ticket_rows.publish(db, ticket.id)
        origin = ticket.invocation.place
        places = [place for place in self._places() if place.platform != origin.platform]
        if not answered and origin.platform != "local":
            places.insert(0, origin)
        for place in places:
            message = message_rows.insert(db, place, _NOBODY, {}, self._clock(), ticket.id)
            message_rows.show(db, message, card, self._clock())
        facts = {fact.key: fact.value for fact in ticket.plan.facts}
        detail = {"ticket": ticket.id, "plan": ticket.digest, "command": ticket.command, "facts": facts}
        audit_rows.append(db, self._audit.entry(ticket.invocation, "asked", person=ticket.asker, detail=detail))

    async def open(self) -> Sequence[Ticket]:
        """Open tickets that have not run out, oldest first."""
        now = self._clock()
        return [ticket for ticket in await self._store.read(ticket_rows.still_open) if ticket.expires_at > now]

    async def get(self, number: int) -> Ticket:
        """The ticket of this number; Conflict when there is none."""
        ticket = await self._store.read(lambda db: ticket_rows.get(db, number))
        if ticket is None or ticket.state == "draft":
            raise Conflict("approvals.unknown", number=number)
        return ticket

    async def grant(self, context: Asking, number: int, digest: str, code: str) -> Invocation:
        """Grant once; the held invocation, recorded as open in the same commit. Refusal when it cannot be granted."""
        ticket = await self.get(number)
        self._require_open(ticket, digest)
        approver = context.person
        self._permissions.require_approver(approver, context.invocation.account, ticket.invocation.account)
        own = ticket.invocation.account in approver.accounts
        if own and not (ticket.code and secrets.compare_digest(code.encode(), ticket.code.encode())):
            raise Conflict("approvals.wrong_code", number=number)
        held = replace(
            ticket.invocation, reference=new_reference(), key="", at=self._clock(), approved_by=context.invocation.account, ticket=ticket.id
        )
        how = "solo" if own else "second-person"
        if not await self._store.write(lambda db: self._granted(db, ticket, context, held, how)):
            self._require_open(await self.get(number), digest)
        return held

    def _granted(self, db: Database, ticket: Ticket, context: Asking, held: Invocation, how: str) -> bool:
        if not ticket_rows.decide(db, ticket.id, "granted", context.person.name, self._clock()):
            return False
        ticket_rows.note(db, ticket.id, reference=held.reference)
        detail = {"ticket": ticket.id, "plan": ticket.digest, "how": how, "held": held.reference}
        audit_rows.append(db, self._audit.entry(context.invocation, "granted", person=context.person.name, detail=detail))
        self._audit.open_rows(db, held, self._card_at(db, ticket), person=ticket.asker)
        self._show(db, ticket, self._cards.decided(ticket, "granted", context.person.name))
        return True

    @staticmethod
    def _card_at(db: Database, ticket: Ticket) -> int | None:
        """The card in the place where it was asked: the held request answers there."""
        if ticket.invocation.place.platform == "local":
            return None
        own = message_rows.of_ticket(db, ticket.id)
        return own[0] if own else None

    def _show(self, db: Database, ticket: Ticket, reply: Reply, skip: int | None = None) -> None:
        for message in message_rows.of_ticket(db, ticket.id):
            if message != skip:
                message_rows.show(db, message, reply, self._clock())

    def finished(self, held: Invocation, outcome: str) -> Callable[[Database], None]:
        """Rows for the cards elsewhere, once the held request ended; its own card shows its answer."""
        return lambda db: self.finished_rows(db, held, outcome)

    def finished_rows(self, db: Database, held: Invocation, outcome: str) -> None:
        """The same, inside the caller's transaction."""
        ticket = ticket_rows.get(db, held.ticket) if held.ticket is not None else None
        if ticket is not None:
            done = self._cards.decided(ticket, "granted", ticket.decided_by, outcome)
            self._show(db, ticket, done, skip=answer_of(db, held.reference))

    def _require_open(self, ticket: Ticket, digest: str) -> None:
        if ticket.state == "open" and ticket.expires_at <= self._clock():
            raise Conflict("approvals.expired", number=ticket.id)
        if ticket.state != "open":
            raise Conflict(f"approvals.already.{ticket.state}", number=ticket.id, by=ticket.decided_by, successor=ticket.successor or "-")
        if digest and digest != ticket.digest:
            raise Conflict("approvals.other_card", number=ticket.id)

    async def deny(self, context: Asking, number: int, digest: str, reason: str) -> Ticket:
        """Deny once (an admin), or withdraw (the asker). Conflict when it was decided before."""
        ticket = await self.get(number)
        self._require_open(ticket, digest)
        own = ticket.invocation.account in context.person.accounts
        state = "withdrawn" if own else "denied"
        if not own:
            self._permissions.require_approver(context.person, context.invocation.account, ticket.invocation.account)

        def work(db: Database) -> bool:
            if not ticket_rows.decide(db, number, state, context.person.name, self._clock()):
                return False
            detail = {"ticket": number, "reason": reason}
            audit_rows.append(db, self._audit.entry(context.invocation, state, person=context.person.name, detail=detail))
            self._show(db, ticket, self._cards.with_reason(self._cards.decided(ticket, state, context.person.name), reason))
            return True

        if not await self._store.write(work):
            self._require_open(await self.get(number), "")
        return ticket

    async def expire(self) -> int:
        """Close what nobody granted in time; how many."""

        def work(db: Database) -> int:
            overdue = ticket_rows.overdue(db, self._clock())
            for ticket in overdue:
                ticket_rows.decide(db, ticket.id, "expired", "", self._clock())
                audit_rows.append(db, self._audit.entry(ticket.invocation, "expired", person=ticket.asker, detail={"ticket": ticket.id}))
                self._show(db, ticket, self._cards.decided(ticket, "expired", ""))
            return len(overdue)

        return await self._store.write(work)
