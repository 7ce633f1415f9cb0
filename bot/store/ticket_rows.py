"""Rows of tickets: a plan asked for by one person, to be granted once by another."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlite_utils import Database

from bot.model import Invocation, Plan
from bot.store.codec import invocation_from, noun_to_text, plan_from


@dataclass(frozen=True, slots=True)
class Ticket:
    """``state``: draft (not yet asked), open, granted, denied, expired, void (its plan changed) or withdrawn. ``asker`` is a person's name.

    ``digest`` is a short hash of the plan, carried by the card's buttons; ``code`` is what a solo team types.
    """

    id: int
    state: str
    invocation: Invocation
    asker: str
    plan: Plan
    digest: str
    code: str
    command: str
    created_at: float
    expires_at: float
    decided_by: str
    decided_at: float | None
    successor: int | None
    reference: str


_FIELDS = "id, state, invocation, asker, plan, digest, code, command, created_at, expires_at, decided_by, decided_at, successor, reference"


def _ticket(row: tuple[str, ...]) -> Ticket:
    values = dict(zip(_FIELDS.split(", "), row, strict=True))
    return Ticket(**{**values, "invocation": invocation_from(values["invocation"]), "plan": plan_from(values["plan"])})  # type: ignore[arg-type]


def insert(db: Database, ticket: Ticket) -> int:
    """A draft, which nobody can grant yet; its number (``ticket.id`` and ``state`` are ignored)."""
    cursor = db.execute(
        "INSERT INTO tickets (state, invocation, asker, plan, digest, code, command, created_at, expires_at)"
        " VALUES ('draft',?,?,?,?,?,?,?,?)",
        (
            noun_to_text(ticket.invocation),
            ticket.asker,
            noun_to_text(ticket.plan),
            ticket.digest,
            ticket.code,
            ticket.command,
            ticket.created_at,
            ticket.expires_at,
        ),
    )
    return int(cursor.lastrowid or 0)


def publish(db: Database, number: int) -> None:
    """Open a draft: it can be granted from now on."""
    db.execute("UPDATE tickets SET state = 'open' WHERE id = ? AND state = 'draft'", (number,))


def get(db: Database, number: int) -> Ticket | None:
    """The ticket of this number."""
    row = db.execute(f"SELECT {_FIELDS} FROM tickets WHERE id = ?", (number,)).fetchone()
    return _ticket(row) if row else None


def decide(db: Database, number: int, state: str, decided_by: str, at: float) -> bool:
    """Close an open ticket, once: False when somebody was faster."""
    cursor: sqlite3.Cursor = db.execute(
        "UPDATE tickets SET state = ?, decided_by = ?, decided_at = ? WHERE id = ? AND state = 'open'", (state, decided_by, at, number)
    )
    return cursor.rowcount == 1


def note(db: Database, number: int, *, reference: str = "", successor: int | None = None, state: str = "") -> None:
    """Remember what became of a decided ticket."""
    db.execute(
        "UPDATE tickets SET reference = CASE ? WHEN '' THEN reference ELSE ? END, successor = COALESCE(?, successor),"
        " state = CASE ? WHEN '' THEN state ELSE ? END WHERE id = ?",
        (reference, reference, successor, state, state, number),
    )


def still_open(db: Database) -> list[Ticket]:
    """Open tickets, oldest first."""
    return [_ticket(row) for row in db.execute(f"SELECT {_FIELDS} FROM tickets WHERE state = 'open' ORDER BY id")]


def overdue(db: Database, now: float) -> list[Ticket]:
    """Open tickets past their time."""
    return [_ticket(row) for row in db.execute(f"SELECT {_FIELDS} FROM tickets WHERE state = 'open' AND expires_at <= ?", (now,))]
