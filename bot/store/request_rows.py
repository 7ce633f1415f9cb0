"""Rows of requests: one for each delivery a platform made, open until it is answered."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database

from bot.model import Invocation
from bot.store.codec import invocation_from, noun_to_text


def insert(db: Database, invocation: Invocation, instance: str, message: int | None) -> None:
    """Open a request."""
    db.execute(
        "INSERT INTO requests (reference, key, invocation, state, instance, message, opened_at) VALUES (?,?,?,'open',?,?,?)",
        (invocation.reference, invocation.key or None, noun_to_text(invocation), instance, message, invocation.at),
    )


def is_known(db: Database, key: str) -> bool:
    """Whether a delivery with this key was taken before."""
    return bool(key) and db.execute("SELECT 1 FROM requests WHERE key = ?", (key,)).fetchone() is not None


def close(db: Database, reference: str, outcome: str, at: float) -> bool:
    """Close a request; False when it was closed before."""
    cursor: sqlite3.Cursor = db.execute(
        "UPDATE requests SET state = 'closed', outcome = ?, closed_at = ? WHERE reference = ? AND state = 'open'", (outcome, at, reference)
    )
    return cursor.rowcount == 1


def still_open(db: Database) -> list[tuple[Invocation, str, int | None]]:
    """Open requests as (invocation, instance that runs it, answer message)."""
    rows = db.execute("SELECT invocation, instance, message FROM requests WHERE state = 'open' ORDER BY opened_at")
    return [(invocation_from(text), instance, message) for text, instance, message in rows]


def running(db: Database, reference: str) -> Invocation | None:
    """The request of this reference while it is open."""
    row = db.execute("SELECT invocation FROM requests WHERE reference = ? AND state = 'open'", (reference,)).fetchone()
    return invocation_from(row[0]) if row else None


def ask_to_end(db: Database, reference: str, person: str, at: float) -> None:
    """Somebody wants this request to end early; the first to say so is remembered."""
    db.execute("INSERT OR IGNORE INTO cancels (reference, person, at) VALUES (?,?,?)", (reference, person, at))


def asked_to_end(db: Database, reference: str) -> str:
    """Who wants this request to end early; empty while nobody does."""
    row = db.execute("SELECT person FROM cancels WHERE reference = ?", (reference,)).fetchone()
    return str(row[0]) if row else ""


def prune(db: Database, before: float) -> int:
    """Forget closed requests older than ``before``: the platforms repeat a delivery within minutes, not weeks."""
    db.execute("DELETE FROM cancels WHERE at < ?", (before,))
    cursor: sqlite3.Cursor = db.execute("DELETE FROM requests WHERE state = 'closed' AND closed_at < ?", (before,))
    return int(cursor.rowcount)


def answer_of(db: Database, reference: str, *, only_open: bool = False) -> int | None:
    """The message that answers a request."""
    state = " AND state = 'open'" if only_open else ""
    row = db.execute(f"SELECT message FROM requests WHERE reference = ?{state}", (reference,)).fetchone()
    return int(row[0]) if row and row[0] is not None else None
