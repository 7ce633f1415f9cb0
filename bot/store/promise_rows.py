"""Rows of promises: lines to be typed if a request is interrupted, so that what it began to hold is let go after a crash too.

A promise whose request was interrupted is *due*, and stays until its line was typed and done. A *timed* promise is due at its
time, however its request ended; there is one at most for each thing it is about.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from bot.model import Invocation
from bot.store.codec import invocation_from, noun_to_text

_FIRST_WAIT = 30.0
_LONGEST_WAIT = 600.0


@dataclass(frozen=True, slots=True)
class Promise:
    """A line to type as the asker of ``invocation``, where it was asked. ``at`` (0: none) and ``note`` are a timed promise's."""

    id: int
    line: str
    invocation: Invocation
    at: float = 0.0
    note: Mapping[str, Any] = field(default_factory=dict)


def keep(db: Database, invocation: Invocation, lines: Sequence[str]) -> None:
    """If this request is interrupted, type these lines; they replace what it promised before."""
    forget(db, invocation.reference)
    for line in lines:
        db.execute(
            "INSERT INTO promises (reference, line, invocation) VALUES (?,?,?)", (invocation.reference, line, noun_to_text(invocation))
        )


def keep_at(db: Database, promise: Promise, about: str) -> None:
    """Type this promise's line at its time; it replaces the one about the same thing."""
    release(db, about)
    row = (promise.invocation.reference, promise.line, noun_to_text(promise.invocation), promise.at, promise.at, about)
    db.execute(
        "INSERT INTO promises (reference, line, invocation, next_at, at, about, note, due) VALUES (?,?,?,?,?,?,?,1)",
        (*row, json.dumps(dict(promise.note))),
    )


def about(db: Database, thing: str) -> Promise | None:
    """The timed promise about this, until it was kept."""
    rows = db.execute("SELECT id, line, invocation, at, note FROM promises WHERE at > 0 AND about = ?", (thing,)).fetchall()
    if not rows:
        return None
    number, line, invocation, at, note = rows[0]
    return Promise(int(number), str(line), invocation_from(invocation), float(at), json.loads(note))


def release(db: Database, thing: str) -> None:
    """Nothing is left to do about this."""
    db.execute("DELETE FROM promises WHERE at > 0 AND about = ?", (thing,))


def forget(db: Database, reference: str) -> None:
    """The request ended by itself: nothing is left to do."""
    db.execute("DELETE FROM promises WHERE reference = ? AND due = 0", (reference,))


def fall_due(db: Database, reference: str) -> None:
    """The request was interrupted."""
    db.execute("UPDATE promises SET due = 1 WHERE reference = ?", (reference,))


def take(db: Database, now: float) -> list[Promise]:
    """What is to be typed now, oldest first. Each is ours until its next time comes, which is further off at every try."""
    rows = db.execute("SELECT id, line, invocation, attempts FROM promises WHERE due = 1 AND next_at <= ? ORDER BY id", (now,)).fetchall()
    for number, _, _, attempts in rows:
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts, 10))
        db.execute("UPDATE promises SET attempts = attempts + 1, next_at = ? WHERE id = ?", (now + wait, number))
    return [Promise(int(number), str(line), invocation_from(text)) for number, line, text, _ in rows]


def kept(db: Database, number: int) -> None:
    """Typed and done."""
    db.execute("DELETE FROM promises WHERE id = ?", (number,))
